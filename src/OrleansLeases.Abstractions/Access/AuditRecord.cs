namespace OrleansLeases;

/// <summary>
/// One change that somebody asked for, or one call that was refused for lack of rights. It has neither credentials nor the values of
/// keys. Renewals that succeed are left out: each only goes on with a grant that has its record. Immutable.
/// </summary>
public sealed record AuditRecord
{
    /// <summary>When the outcome was known, by the service's clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Who asked; absent where the call was refused because that is not known.</summary>
    public string? Principal { get; init; }

    /// <summary>From which network address; absent where the service does not know it.</summary>
    public string? Address { get; init; }

    /// <summary>What was asked for, such as <c>acquire</c> or <c>put-key</c>.</summary>
    public required string Verb { get; init; }

    /// <summary>The resource or key, or the id of an API key; absent for what concerns none.</summary>
    public string? Name { get; init; }

    /// <summary>The owner of the lease that it is about, or whom a new API key was made for; absent where it is about neither.</summary>
    public string? Owner { get; init; }

    /// <summary>The token of that lease, where it is known.</summary>
    public long? Token { get; init; }

    /// <summary><c>ok</c>, or the refusal as on the wire, such as <c>forbidden</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>The request id, where the verb takes one.</summary>
    public string? RequestId { get; init; }

    /// <summary>
    /// How many refusals of the same principal before this one have no record of their own, since they came too fast; absent where none.
    /// </summary>
    public long? Omitted { get; init; }
}
