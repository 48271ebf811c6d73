using Microsoft.Extensions.DependencyInjection;
using Orleans.Metadata;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>
/// Gives a grain class its grain type on silos that host leases. On other silos, which have the classes but not the services they
/// need, the class gets a type that no interface asks for, since Orleans places a grain on every silo that knows its type.
/// </summary>
/// <param name="type">The grain type, also the default one of the interfaces of the class.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class LeaseGrainTypeAttribute(string type) : Attribute, IGrainTypeProviderAttribute
{
    public GrainType GetGrainType(IServiceProvider services, Type grainClass) =>
        GrainType.Create(
            services.GetRequiredService<IServiceProviderIsService>().IsService(typeof(LeaseSilo)) ? type : $"{type}-without-leases");
}
