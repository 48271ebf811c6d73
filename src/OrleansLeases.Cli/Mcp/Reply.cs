using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Mcp;

/// <summary>Answers of tools: JSON that begins with what came of the call, and ends with what the agent has to know besides.</summary>
internal static class Reply
{
    /// <summary>Answers a call.</summary>
    /// <param name="session">The session, whose losses and notices go along.</param>
    /// <param name="outcome">What came of the call, in a word.</param>
    /// <param name="next">What to do now.</param>
    /// <param name="fields">What else there is to say.</param>
    public static CallToolResult Of(
        AgentSession session, string outcome, string next, params IEnumerable<(string Name, JsonNode? Value)> fields) =>
        Write(session, isError: false, outcome, next, fields);

    /// <summary>Answers with the lease on a resource.</summary>
    public static CallToolResult Held(AgentSession session, LeaseHandle lease, string? next = null, string outcome = "held") =>
        Of(session, outcome, next ?? Advice.Held(lease), ("lease", LeaseOf(lease)));

    /// <summary>Answers with a refusal, as an error.</summary>
    public static CallToolResult Refused(AgentSession session, Refusal refusal) => Write(
        session, isError: true, CodeOf(refusal), Advice.For(refusal), [("detail", refusal.Detail)]);

    /// <summary>Answers that something cannot be done so, as an error.</summary>
    public static CallToolResult Wrong(AgentSession session, string outcome, string detail, string next) =>
        Write(session, isError: true, outcome, next, [("detail", detail)]);

    public static JsonObject LeaseOf(LeaseHandle lease) => new()
    {
        ["resource"] = lease.Resource,
        ["token"] = lease.Token,
        ["mode"] = lease.Mode == LeaseMode.Exclusive ? "exclusive" : "shared",
        ["owner"] = lease.Owner,
        ["seconds_left_unless_renewed"] = Advice.Seconds(lease.Remaining),
    };

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
            Content = [new TextContentBlock { Text = answer.ToJsonString(Readable) }],
            StructuredContent = JsonSerializer.SerializeToElement(answer, McpJson.Default.JsonObject),
        };
    }

    // An agent that has lost a lease learns it by whatever it calls next, and again until it says that it has heard.
    private static void AddNews(AgentSession session, JsonObject answer)
    {
        var (held, _, lost) = session.Look();
        if (lost.Count > 0)
        {
            answer["lost"] = new JsonArray([.. lost.Select(lease => new JsonObject
            {
                ["resource"] = lease.Resource, ["token"] = lease.Token, ["reason"] = lease.Loss.Detail, ["next"] = Advice.Lost,
            })]);
        }

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

    private static string CodeOf(Refusal refusal) => refusal switch
    {
        Refusal.OutcomeUnknown => "unknown",
        Refusal.Held => "busy",
        _ => JsonNamingPolicy.KebabCaseLower.ConvertName(refusal.Code.ToString()),
    };

    private static readonly JsonSerializerOptions Readable = new(McpJson.Default.Options)
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
