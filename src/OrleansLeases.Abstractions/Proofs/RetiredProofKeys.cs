namespace OrleansLeases;

/// <summary>The keys of proofs that were retired before their time, and the one that signs in their place. Immutable.</summary>
public sealed record RetiredProofKeys
{
    /// <summary>The ids of the keys that prove nothing any more.</summary>
    public required IReadOnlyList<string> Retired { get; init; }

    /// <summary>The id of the key that signs from now on.</summary>
    public required string KeyId { get; init; }
}
