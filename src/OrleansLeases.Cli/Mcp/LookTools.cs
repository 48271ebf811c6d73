using System.ComponentModel;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace OrleansLeases.Cli.Mcp;

/// <summary>Who holds what, and what this agent holds.</summary>
internal sealed class LookTools(AgentSession session)
{
    private const int PageSize = 50;
    private const int MostEvents = 10;

    [McpServerTool(Name = "my_leases", Title = "What I hold", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("What you hold with its tokens, what you wait for, what you have lost, and your owner name. Look here after an "
        + "interruption, after an answer that did not come, and before a step that cannot be undone.")]
    public CallToolResult MyLeases()
    {
        var (held, queued) = session.Look();
        return Reply.Of(
            session, "ok", held.Count == 0
                ? "You hold nothing: acquire a name before you change what it stands for."
                : "Go on with what is under 'held', and with nothing else. Release what you are done with.",
            ("you_are", session.Owner),
            ("held", new JsonArray([.. held.Select(Reply.LeaseOf)])),
            ("waiting_for", new JsonArray([.. queued.Select(name => (JsonNode)name)])));
    }

    [McpServerTool(Name = "who_holds", Title = "Who holds a lease", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("Who holds a name, with which token, for what purpose and for how long unless renewed, who waits in which order, and "
        + "how the last leases on it ended. That it is free now does not let you work on it: acquire it.")]
    public async Task<CallToolResult> WhoHoldsAsync(
        [Description("The name, such as repo/main.")] string resource, CancellationToken cancellationToken = default)
    {
        var look = await session.Service.GetAsync(new() { Resource = resource }, cancellationToken);
        if (!look.TryGetValue(out var info, out var refusal)) return Reply.Refused(session, refusal);
        var history = await session.Service.HistoryAsync(resource, cancellationToken);
        var events = history.TryGetValue(out var known, out _) ? known.Events.TakeLast(MostEvents) : [];
        return Reply.Of(
            session, "ok", info.State switch
            {
                LeaseStatus.Free => "It is free at this moment. Acquire it before you touch it.",
                _ when session.TryGetHeld(resource, out var own) => Advice.Held(own.Handle),
                _ when info.Holders.Any(holder => holder.Owner == session.Owner) => "It was handed over to you: call acquire to take it "
                    + "up.",
                _ => Advice.Busy,
            },
            [
                .. Looks.Fields(session, info),
                ("recent_events", new JsonArray([.. events.Select(ObjectOf)])),
            ]);
    }

    [McpServerTool(Name = "list_leases", Title = "List leases", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("What is held now by anyone, below a prefix: 50 names at a time. Use it to see who works on what before you choose your "
        + "work.")]
    public async Task<CallToolResult> ListLeasesAsync(
        [Description("Only names that start with this, such as tasks/. Left out, all.")] string? prefix = null,
        [Description("Go on where the list before ended: its 'after'.")] string? after = null,
        CancellationToken cancellationToken = default)
    {
        var page = await session.Service.ListAsync(new() { Prefix = prefix, After = after, PageSize = PageSize }, cancellationToken);
        if (!page.TryGetValue(out var leases, out var refusal)) return Reply.Refused(session, refusal);
        return Reply.Of(
            session, "ok", "Do not touch what others hold. Acquire a name before you change what it stands for.",
            ("leases", new JsonArray([.. leases.Leases.Select(lease => Looks.ObjectOf(session, lease))])),
            ("after", leases.Next));
    }

    // Names and reasons are others': within a sentence they could look like the rest of it.
    private static JsonObject ObjectOf(LeaseEvent change)
    {
        var shown = new JsonObject
        {
            ["at"] = change.At, ["event"] = change.Kind.ToString().ToLowerInvariant(), ["owner"] = change.Owner, ["token"] = change.Token,
        };
        if (change.Reason is { } reason) shown["reason"] = reason;
        return shown;
    }
}
