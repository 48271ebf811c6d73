using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrleansLeases.Bench.Measuring;

// What a part of the run that is a process of its own has to say, a line of JSON each.
internal sealed record Finding(Row? Row = null, Verdict? Verdict = null, string? Note = null)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static Finding FromLine(string line) =>
        JsonSerializer.Deserialize<Finding>(line, Json) ?? throw new JsonException("A finding is null.");

    public string ToLine() => JsonSerializer.Serialize(this, Json);
}
