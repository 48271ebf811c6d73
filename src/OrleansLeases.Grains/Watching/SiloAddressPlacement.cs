using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace OrleansLeases.Grains;

/// <summary>Places a grain on the silo that its key names, and nowhere else.</summary>
[GenerateSerializer, Immutable, Alias("OrleansLeases.SiloAddressPlacement")]
internal sealed class SiloAddressPlacement : PlacementStrategy;

/// <summary>Places a grain by <see cref="SiloAddressPlacement"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class SiloAddressPlacementAttribute() : PlacementAttribute(new SiloAddressPlacement());

/// <inheritdoc cref="SiloAddressPlacement"/>
internal sealed class SiloAddressPlacementDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silo = SiloAddress.FromParsableString(target.GrainIdentity.Key.ToString()!);
        return Array.IndexOf(context.GetCompatibleSilos(target), silo) >= 0
            ? Task.FromResult(silo)
            : throw new SiloUnavailableException($"Silo {silo} is not active.");
    }
}
