using System.Text.Json.Serialization;

namespace OrleansLeases.Core;

/// <summary>One change of a resource.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Token">The token of the grant.</param>
/// <param name="At">The wall time of the change.</param>
/// <param name="Owner">The owner of the grant.</param>
/// <param name="Reason">The reason of a break, or of a release by the service itself; null otherwise.</param>
/// <param name="Request">The request that made the change, where a request id names it.</param>
internal readonly record struct LogEntry(
    [property: JsonPropertyName("k"), JsonConverter(typeof(JsonNumberEnumConverter<LeaseEventKind>))] LeaseEventKind Kind,
    [property: JsonPropertyName("t")] long Token,
    [property: JsonPropertyName("a")] TimeSpan At,
    [property: JsonPropertyName("o")] string Owner,
    [property: JsonPropertyName("r")] string? Reason,
    [property: JsonPropertyName("q")] RequestFingerprint Request) : ILogEntry;
