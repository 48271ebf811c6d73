namespace OrleansLeases;

/// <summary>Finds lease grains and key grains.</summary>
public static class LeaseGrainFactoryExtensions
{
    /// <summary>The grain of a resource's leases.</summary>
    /// <param name="grains">A silo's or a client's grain factory.</param>
    /// <param name="resource">The resource's name. Only null is refused here; the grain checks the rest.</param>
    /// <returns>A reference; nothing is called yet.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static ILeaseGrain GetLease(this IGrainFactory grains, string resource)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<ILeaseGrain>(LeaseGrainKey.Of(resource));
    }

    /// <summary>The grain of a key, or of a counter: they are the same.</summary>
    /// <param name="grains">A silo's or a client's grain factory.</param>
    /// <param name="key">The key's name. Only null is refused here; the grain checks the rest.</param>
    /// <returns>A reference; nothing is called yet.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IKeyGrain GetKey(this IGrainFactory grains, string key)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IKeyGrain>(KeyGrainKey.Of(key));
    }
}
