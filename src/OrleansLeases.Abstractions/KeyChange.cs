using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>One stored change of a key, in a watch. Immutable.</summary>
public sealed record KeyChange
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>The version of the key after the change: from 1, without gaps.</summary>
    public required long Version { get; init; }

    /// <summary>What happened.</summary>
    public required KeyEventKind Kind { get; init; }

    /// <summary>When, by the service's clock. For people.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>
    /// The value that was put. The service stores the newest value of a key only, so it is absent where the put is no longer the newest
    /// change when the watch has it, or its lease has ended: the event of a later change follows.
    /// </summary>
    public string? Value { get; init; }

    /// <summary>The lease that the key is bound to; absent where it is free-standing, and without <see cref="Value"/>.</summary>
    public KeyLease? Lease { get; init; }

    /// <summary>Why it was deleted: <c>expired</c> where its time was over; absent otherwise.</summary>
    public string? Reason { get; init; }
}

/// <summary>The current state of a key that exists or not. Immutable.</summary>
public sealed record KeyInfo
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>The number of its last change; 0 where it was never used.</summary>
    public required long Version { get; init; }

    /// <summary>Its value; absent where there is no such key.</summary>
    public string? Value { get; init; }

    /// <summary>The lease it is bound to; absent where it is free-standing.</summary>
    public KeyLease? Lease { get; init; }
}

/// <summary>What happened to a key. The numbers are stored and never change.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<KeyEventKind>))]
public enum KeyEventKind
{
    /// <summary>It was put or added to.</summary>
    KeyPut = 1,

    /// <summary>It was deleted, its time is over, or its lease has ended.</summary>
    KeyDeleted = 2,
}
