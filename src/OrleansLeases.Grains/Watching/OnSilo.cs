using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace OrleansLeases.Grains;

/// <summary>Places a grain on the silo that its key names, and nowhere else.</summary>
[GenerateSerializer, Immutable, Alias("OrleansLeases.OnSilo")]
internal sealed class OnSilo : PlacementStrategy;

/// <summary>Marks a grain that is placed so.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class OnSiloAttribute() : PlacementAttribute(new OnSilo());

/// <inheritdoc cref="OnSilo"/>
internal sealed class OnSiloDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silo = SiloAddress.FromParsableString(target.GrainIdentity.Key.ToString()!);
        return Array.IndexOf(context.GetCompatibleSilos(target), silo) >= 0
            ? Task.FromResult(silo)
            : throw new SiloUnavailableException($"Silo {silo} is not active.");
    }
}
