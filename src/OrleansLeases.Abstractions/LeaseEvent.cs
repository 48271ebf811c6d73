using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>What happened to a lease. The numbers are stored and never change.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<LeaseEventKind>))]
public enum LeaseEventKind
{
    /// <summary>A new token was granted.</summary>
    Granted = 1,

    /// <summary>The holder released it.</summary>
    Released = 2,

    /// <summary>Its deadline passed.</summary>
    Expired = 3,

    /// <summary>The holder handed it to another owner, whose grant is the next event.</summary>
    Transferred = 4,

    /// <summary>A break was requested: renewals extend it no further than the notice.</summary>
    Breaking = 5,

    /// <summary>It ended by a break.</summary>
    Broken = 6,
}

/// <summary>One stored change of a resource, in its history or in a watch. Immutable.</summary>
public sealed record LeaseEvent
{
    /// <summary>The resource, in a watch; absent in a <see cref="LeaseHistory"/>, which names it once for all of its events.</summary>
    public string? Resource { get; init; }

    /// <summary>The change's number among those of its resource, from 1 without gaps.</summary>
    public required long Sequence { get; init; }

    /// <summary>What happened.</summary>
    public required LeaseEventKind Kind { get; init; }

    /// <summary>The owner of the lease.</summary>
    public required string Owner { get; init; }

    /// <summary>The token of the grant.</summary>
    public required long Token { get; init; }

    /// <summary>When, by the service's clock. For people.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The reason of a break, or of a release by the service itself; absent otherwise.</summary>
    public string? Reason { get; init; }
}
