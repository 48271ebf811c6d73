using Microsoft.Extensions.DependencyInjection;
using Orleans.Metadata;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>
/// Names the type of a grain on silos that have leases. On others, which have our classes and nothing that these need, the class
/// goes by a name that nobody asks for: Orleans places a grain only where its type is known.
/// </summary>
/// <param name="type">The grain type, also the default one of the interfaces of the class.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class WhereLeasesAreAttribute(string type) : Attribute, IGrainTypeProviderAttribute
{
    public GrainType GetGrainType(IServiceProvider services, Type grainClass) =>
        GrainType.Create(
            services.GetRequiredService<IServiceProviderIsService>().IsService(typeof(LeaseSilo)) ? type : $"{type}-without-leases");
}
