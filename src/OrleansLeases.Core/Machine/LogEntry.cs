using System.Text.Json.Serialization;

namespace OrleansLeases.Core;

/// <summary>One change of a resource.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Token">To which grant.</param>
/// <param name="At">Wall: when.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="Reason">Why, where someone said.</param>
/// <param name="Request">The request that made the change, where a request id names it.</param>
internal readonly record struct LogEntry(
    [property: JsonPropertyName("k"), JsonConverter(typeof(JsonNumberEnumConverter<LeaseEventKind>))] LeaseEventKind Kind,
    [property: JsonPropertyName("t")] long Token,
    [property: JsonPropertyName("a")] TimeSpan At,
    [property: JsonPropertyName("o")] string Owner,
    [property: JsonPropertyName("r")] string? Reason,
    [property: JsonPropertyName("q")] RequestFingerprint Request) : ILogEntry
{
    /// <summary>Whether the grant ended by this change.</summary>
    [JsonIgnore]
    public bool IsEnd => Kind is LeaseEventKind.Released or LeaseEventKind.Expired or LeaseEventKind.Transferred or LeaseEventKind.Broken;
}
