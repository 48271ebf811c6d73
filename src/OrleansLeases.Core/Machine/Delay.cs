using System.Text.Json.Serialization;

namespace OrleansLeases.Core;

/// <summary>The time after a lease's end in which only its owner may acquire.</summary>
internal sealed record Delay
{
    /// <summary>No owner's name: it binds everyone.</summary>
    internal const string Nobody = "";

    /// <summary>Whom it does not bind.</summary>
    [JsonPropertyName("o")]
    public required string Owner { get; init; }

    /// <summary>How long it lasts in all.</summary>
    [JsonPropertyName("d")]
    public required TimeSpan Length { get; init; }

    /// <summary>Wall: when it ends.</summary>
    [JsonPropertyName("e")]
    public required TimeSpan EndsWall { get; init; }

    /// <summary>Monotonic: when it ends.</summary>
    [JsonIgnore]
    public TimeSpan Ends { get; init; }

    internal static Delay Until(TimeSpan ends, string owner, TimeSpan length, Instant now) => new()
    {
        Owner = owner,
        Length = length,
        Ends = ends,
        EndsWall = LeaseMachine.CeilToMillisecond(now.Latest + (ends - now.Monotonic)),
    };

    internal Delay Resume(Instant now, LeaseRules rules) => this with
    {
        Ends = now.Monotonic + Holder.Min(EndsWall - now.Earliest + rules.ClockSkew, Length + rules.ClockSkew),
    };

    /// <summary>
    /// This and another one as one, which ends with neither of them: the one that lasts longer by this clock may be the shorter one by the
    /// clock of the next host. Decision delays-end-by-either-clock.
    /// </summary>
    internal Delay And(Delay other, string owner) => new()
    {
        Owner = owner,
        Length = Holder.Max(Length, other.Length),
        EndsWall = Holder.Max(EndsWall, other.EndsWall),
        Ends = Holder.Max(Ends, other.Ends),
    };
}

/// <summary>What keeps other owners out once a lease has ended.</summary>
/// <param name="Lock">The lock-delay of a lease that expired or was broken by force. A release by its owner ends it.</param>
/// <param name="Hold">The rest of the time that a lease was to be held at least. Only time ends it.</param>
internal readonly record struct Delays(Delay? Lock, Delay? Hold)
{
    /// <summary>Whether an owner has to wait. What is over is taken out of the record before.</summary>
    public bool Bind(string owner) => (Lock is not null && Lock.Owner != owner) || (Hold is not null && Hold.Owner != owner);

    /// <summary>Monotonic: until when an owner has to wait; zero where it has not.</summary>
    /// <param name="owner">The owner; null for one that none of them spares.</param>
    /// <returns>The end of the later one.</returns>
    public TimeSpan Until(string? owner) => Holder.Max(
        Lock is not null && Lock.Owner != owner ? Lock.Ends : TimeSpan.Zero,
        Hold is not null && Hold.Owner != owner ? Hold.Ends : TimeSpan.Zero);

    /// <summary>Those that are not over.</summary>
    public Delays At(Instant now) => new(
        Lock is { } delay && now.Monotonic < delay.Ends ? delay : null,
        Hold is { } hold && now.Monotonic < hold.Ends ? hold : null);
}
