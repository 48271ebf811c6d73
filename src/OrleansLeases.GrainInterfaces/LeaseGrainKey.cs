namespace OrleansLeases;

/// <summary>The key of a resource's grain: <c>r:</c> and the resource's name.</summary>
public static class LeaseGrainKey
{
    // The ADO.NET provider stores a key that reads as a GUID, a number or hex as that value, so that "cafe" and "CAFE"
    // would share one row. With this prefix no name reads as any of them.
    private const string Prefix = "r:";

    /// <summary>The key of a resource's grain.</summary>
    /// <param name="resource">The resource's name. The grain checks all but that there is one.</param>
    /// <returns>The key.</returns>
    /// <exception cref="ArgumentNullException">There is no name.</exception>
    public static string Of(string resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return Prefix + resource;
    }

    /// <summary>The resource of a grain's key.</summary>
    /// <param name="key">The key, as made by <see cref="Of"/>.</param>
    /// <returns>The resource's name.</returns>
    /// <exception cref="ArgumentNullException">There is no key.</exception>
    /// <exception cref="ArgumentException">The key does not start with <c>r:</c>; the message says how to get the grain.</exception>
    public static string ResourceOf(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (!key.StartsWith(Prefix, StringComparison.Ordinal))
        {
            throw new ArgumentException(
                $"The key '{key}' is not that of a lease grain: it must be '{Prefix}' and the resource's name. Get the grain with GetLease(resource).",
                nameof(key));
        }

        return key[Prefix.Length..];
    }
}
