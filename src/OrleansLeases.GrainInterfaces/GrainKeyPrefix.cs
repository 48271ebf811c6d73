namespace OrleansLeases;

/// <summary>How names become grain keys: a prefix and the name.</summary>
/// <remarks>
/// The ADO.NET provider stores a key that reads as a GUID, a number or hex as that value, so that "cafe" and "CAFE" would
/// share one row. With a prefix no name reads as any of them.
/// </remarks>
/// <param name="prefix">The prefix.</param>
/// <param name="kind">The kind of grain, for people.</param>
/// <param name="howToGet">The call that makes the reference, for people.</param>
internal sealed class GrainKeyPrefix(string prefix, string kind, string howToGet)
{
    public string Of(string name) => prefix + name;

    public string NameOf(string key) => key.StartsWith(prefix, StringComparison.Ordinal)
        ? key[prefix.Length..]
        : throw new ArgumentException(
            $"The key '{key}' is not that of a {kind} grain: it must be '{prefix}' and the name. Get the grain with {howToGet}.",
            nameof(key));
}
