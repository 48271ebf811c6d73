namespace OrleansLeases;

/// <summary>
/// What the service has signed of a grant: this token of this resource was granted to this owner. It says nothing of now: the lease may
/// have ended since, and a fence finds out by the token. Immutable.
/// </summary>
/// <param name="Resource">The resource.</param>
/// <param name="Owner">The owner that it was granted to.</param>
/// <param name="Token">The fencing token of the grant.</param>
/// <param name="Service">The service that granted it: <see cref="ServiceInfo.Service"/>.</param>
/// <param name="IssuedAt">When it was signed, by the clock of the server, in whole seconds.</param>
public sealed record LeaseProof(string Resource, string Owner, long Token, string Service, DateTimeOffset IssuedAt)
{
    /// <summary>The header by which a request carries a proof.</summary>
    public const string Header = "Lease-Proof";

    /// <summary>The path of the keys that check proofs, below the address of a server.</summary>
    internal const string KeysPath = ".well-known/jwks.json";

    /// <summary>What a proof says that it is, so that nothing else which was signed by the same key passes for one.</summary>
    internal const string Type = "lease-proof+jwt";

    /// <summary>The one algorithm. What a proof says of it chooses nothing.</summary>
    internal const string Algorithm = "ES256";
}
