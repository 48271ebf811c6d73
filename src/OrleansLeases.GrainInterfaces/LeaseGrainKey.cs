namespace OrleansLeases;

/// <summary>The key of a resource's grain: <c>r:</c> and the resource's name.</summary>
public static class LeaseGrainKey
{
    private static readonly GrainKeyPrefix Prefix = new("r:", "lease", "GetLease(resource)");

    /// <summary>The key of a resource's grain.</summary>
    /// <param name="resource">The resource's name. Only null is refused here; the grain checks the rest.</param>
    /// <returns>The key.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    public static string Of(string resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return Prefix.Of(resource);
    }

    /// <summary>The resource of a grain's key.</summary>
    /// <param name="key">The key, as made by <see cref="Of"/>.</param>
    /// <returns>The resource's name.</returns>
    /// <exception cref="ArgumentNullException">The key is null.</exception>
    /// <exception cref="ArgumentException">The key does not start with <c>r:</c>; the message says how to get the grain.</exception>
    public static string ResourceOf(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Prefix.NameOf(key);
    }
}
