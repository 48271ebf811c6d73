namespace OrleansLeases;

/// <summary>The key of the grain of one of the service's keys: <c>k:</c> and that key's name.</summary>
public static class KeyGrainKey
{
    private static readonly GrainKeyPrefix Prefix = new("k:", "key", "GetKey(key)");

    /// <summary>The key of a key's grain.</summary>
    /// <param name="name">The key's name. Only null is refused here; the grain checks the rest.</param>
    /// <returns>The grain's key.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    public static string Of(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Prefix.Of(name);
    }

    /// <summary>The name of a key, out of its grain's key.</summary>
    /// <param name="key">The grain's key, as made by <see cref="Of"/>.</param>
    /// <returns>The key's name.</returns>
    /// <exception cref="ArgumentNullException">The key is null.</exception>
    /// <exception cref="ArgumentException">The key does not start with <c>k:</c>; the message says how to get the grain.</exception>
    public static string NameOf(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Prefix.NameOf(key);
    }
}
