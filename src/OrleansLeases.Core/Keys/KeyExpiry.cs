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

    /// <summary>Monotonic: the end.</summary>
    [JsonIgnore]
    public TimeSpan Ends { get; init; }

    internal static KeyExpiry After(TimeSpan ttl, Instant now, LeaseRules rules) => new()
    {
        Length = LeaseMachine.CeilToMillisecond(ttl),
        EndsWall = LeaseMachine.CeilToMillisecond(now.Latest + ttl),
        By = rules.Incarnation,
        Ends = now.Monotonic + ttl,
    };

    internal KeyExpiry Resume(Instant now, LeaseRules rules)
    {
        // The clock of another host may be behind: by that one the key would be there still.
        var skew = By == rules.Incarnation ? TimeSpan.Zero : rules.ClockSkew;
        return this with { Ends = now.Monotonic + Holder.Min(EndsWall - now.Earliest, Length) + skew };
    }
}
