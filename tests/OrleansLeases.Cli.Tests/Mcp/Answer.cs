using System.Text.Json;
using ModelContextProtocol.Protocol;

namespace OrleansLeases.Cli.Tests.Mcp;

/// <summary>What a tool answered.</summary>
internal sealed record Answer(JsonElement Json, bool IsError)
{
    public string Outcome => Json.GetProperty("outcome").GetString()!;

    public long Token => Json.GetProperty("lease").GetProperty("token").GetInt64();

    public string Next => Json.GetProperty("next").GetString()!;

    public IReadOnlyList<string> Lost => NamesUnder("lost");

    public IReadOnlyList<string> AskedToHandOver => NamesUnder("asked_to_hand_over");

    public JsonElement this[string field] => Json.GetProperty(field);

    public static Answer Of(CallToolResult result)
    {
        var text = Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text;
        var json = JsonDocument.Parse(text).RootElement;
        // Some clients show their model the one, some the other.
        Assert.True(JsonElement.DeepEquals(json, result.StructuredContent!.Value));
        return new(json, result.IsError ?? false);
    }

    private List<string> NamesUnder(string field) => Json.TryGetProperty(field, out var leases)
        ? [.. leases.EnumerateArray().Select(lease => lease.GetProperty("resource").GetString()!)]
        : [];
}
