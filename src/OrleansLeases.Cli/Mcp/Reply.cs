using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Mcp;

/// <summary>Answers of tools: JSON that begins with what came of the call, and ends with what the agent has to know besides.</summary>
internal static class Reply
{
    private const int MostInFull = 20;

    /// <summary>Answers a call.</summary>
    /// <param name="session">The session, whose losses and notices go along.</param>
    /// <param name="outcome">What came of the call, in a word.</param>
    /// <param name="next">What to do now.</param>
    /// <param name="fields">What else there is to say.</param>
    public static CallToolResult Of(
        AgentSession session, string outcome, string next, params IEnumerable<(string Name, JsonNode? Value)> fields) =>
        Write(session, isError: false, outcome, next, fields);

    /// <summary>Answers with the lease on a resource.</summary>
    public static CallToolResult Held(AgentSession session, AgentLease lease, string? next = null, string outcome = "held")
    {
        next ??= Advice.Held(lease.Handle);
        return Of(session, outcome, lease.Before is null ? next : $"{Advice.HeldAnew} {next}", ("lease", LeaseOf(lease)));
    }

    /// <summary>Answers with a refusal, as an error.</summary>
    public static CallToolResult Refused(AgentSession session, Refusal refusal) => Write(
        session, isError: true, CodeOf(refusal), Advice.For(refusal), [("detail", refusal.Detail)]);

    /// <summary>Answers that something cannot be done so, as an error.</summary>
    public static CallToolResult Wrong(AgentSession session, string outcome, string detail, string next) =>
        Write(session, isError: true, outcome, next, [("detail", detail)]);

    public static JsonObject LeaseOf(AgentLease lease)
    {
        var handle = lease.Handle;
        var shown = new JsonObject
        {
            ["resource"] = handle.Resource,
            ["token"] = handle.Token,
            ["mode"] = handle.Mode == LeaseMode.Exclusive ? "exclusive" : "shared",
            ["owner"] = handle.Owner,
            ["seconds_left_unless_renewed"] = Advice.Seconds(handle.Remaining),
        };
        if (lease.Before is { } lost) shown["lost_before"] = new JsonObject { ["token"] = lost.Token, ["reason"] = lost.Loss.Detail };
        return shown;
    }

    private static CallToolResult Write(
        AgentSession session, bool isError, string outcome, string next, IEnumerable<(string Name, JsonNode? Value)> fields)
    {
        var answer = new JsonObject { ["outcome"] = outcome };
        foreach (var (name, value) in fields)
            if (value is not null) answer[name] = value;
        answer["next"] = next;
        AddNews(session, answer);
        return new()
        {
            IsError = isError,
            Content = [new TextContentBlock { Text = Write(answer) }],
            StructuredContent = JsonSerializer.SerializeToElement(answer, McpJson.Default.JsonObject),
        };
    }

    // An agent that has lost a lease learns it by whatever it calls next, and again until it says that it has heard.
    private static void AddNews(AgentSession session, JsonObject answer)
    {
        var (held, lost) = session.News();
        if (lost.Count > 0) answer["lost"] = new JsonArray([.. lost.Select((lease, i) => ObjectOf(lease, isShort: i >= MostInFull))]);
        var asked = held.Where(lease => lease.Handle.Breaking is not null).ToList();
        if (asked.Count == 0) return;
        answer["asked_to_hand_over"] = new JsonArray([.. asked.Select(lease => new JsonObject
        {
            ["resource"] = lease.Handle.Resource,
            ["within_seconds"] = (long)lease.Handle.Remaining.TotalSeconds,
            ["reason"] = lease.Handle.Breaking!.Reason,
            ["next"] = Advice.AskedToHandOver,
        })]);
    }

    // All are named, however many; what to do is the same for each.
    private static JsonObject ObjectOf(LostLease lost, bool isShort = false)
    {
        var shown = new JsonObject { ["resource"] = lost.Resource, ["token"] = lost.Token };
        if (isShort) return shown;
        shown["reason"] = lost.Loss.Detail;
        shown["next"] = Advice.Lost;
        return shown;
    }

    private static string CodeOf(Refusal refusal) => refusal switch
    {
        Refusal.OutcomeUnknown => "unknown",
        Refusal.Held => "busy",
        _ => JsonNamingPolicy.KebabCaseLower.ConvertName(refusal.Code.ToString()),
    };

    // What would not show as itself is an escape: a person who looks on must see all that the model reads, and names and values are
    // others'.
    private static string Write(JsonObject answer)
    {
        var json = answer.ToJsonString(Readable);
        if (VisibleText.IsShown(json)) return json;
        var shown = new StringBuilder();
        VisibleText.Visit(json, (part, isShown) =>
        {
            if (isShown) shown.Append(part);
            else foreach (var half in part) shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)half:X4}");
        });
        return shown.ToString();
    }

    private static readonly JsonSerializerOptions Readable = new(McpJson.Default.Options)
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
