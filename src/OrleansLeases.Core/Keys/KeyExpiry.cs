using System.Text.Json.Serialization;

namespace OrleansLeases.Core;

/// <summary>When the time of a key that has one of its own is over: never before that time has passed since the put.</summary>
internal sealed record KeyExpiry
{
    /// <summary>How long the key was to live when it was put: so long it lives at most, whatever a clock says after a load.</summary>
    [JsonPropertyName("d")]
    public required TimeSpan Length { get; init; }

    /// <summary>Wall: the end.</summary>
    [JsonPropertyName("e")]
    public required TimeSpan EndsWall { get; init; }

    /// <summary>The incarnation that stored it.</summary>
    [JsonPropertyName("by")]
    public required string By { get; init; }

    /// <summary>
    /// Monotonic: the end, by the incarnation that stored it. It is stored as well, for that incarnation alone: a wall clock that was set
    /// forward meanwhile would have the key live for longer with each load.
    /// </summary>
    [JsonPropertyName("m")]
    public TimeSpan Ends { get; init; }

    internal static KeyExpiry After(TimeSpan ttl, Instant now, LeaseRules rules) => new()
    {
        Length = LeaseMachine.CeilToMillisecond(ttl),
        EndsWall = LeaseMachine.CeilToMillisecond(now.Latest + ttl),
        By = rules.Incarnation,
        Ends = LeaseMachine.CeilToMillisecond(now.Monotonic + ttl),
    };

    internal KeyExpiry Resume(Instant now, LeaseRules rules)
    {
        if (By == rules.Incarnation) return this;
        // The clock of another host may be behind: by that one the key would be there still.
        return this with { Ends = now.Monotonic + Holder.Min(EndsWall - now.Earliest, Length) + rules.ClockSkew };
    }
}
