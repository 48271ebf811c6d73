namespace OrleansLeases;

/// <summary>Who calls: a principal, with the rights of the credential it came with. Thread-safe.</summary>
/// <param name="principal">The name of the principal.</param>
/// <param name="rights">
/// Its rights now, asked for by every call and by every event of a watch: what has changed holds from then on. It must be quick, and
/// returns <see cref="AccessRights.None"/> once the credential is no longer valid.
/// </param>
public sealed class LeaseCaller(string principal, Func<AccessRights> rights)
{
    /// <summary>The name of the principal. Request ids belong to it.</summary>
    public string Principal { get; } = principal;

    /// <summary>What it may do now.</summary>
    public AccessRights Rights => rights();

    /// <summary>The network address that it calls from, for the audit; null where it is not known.</summary>
    public string? Address { get; init; }

    /// <summary>
    /// Receives what it changes and what it is refused for lack of rights, before the response leaves; null for no audit. It must be
    /// thread-safe and quick, and must not throw.
    /// </summary>
    public Action<AuditRecord>? Audit { get; init; }

    /// <summary>
    /// Whether request ids belong to the principal. Not where everybody is the same one: there a repeat is recognized by servers with and
    /// without an audit alike.
    /// </summary>
    internal bool HasOwnRequestIds { get; init; } = true;

    /// <summary>What the gateway has made of it, so that it is made once for all calls of a caller that comes again. Immutable.</summary>
    internal object? Scope { get; set; }

    /// <summary>The same caller, with an address and an audit.</summary>
    internal LeaseCaller Followed(string? address, Action<AuditRecord>? audit) => new(Principal, rights)
    {
        Address = address, Audit = audit, HasOwnRequestIds = HasOwnRequestIds,
    };
}
