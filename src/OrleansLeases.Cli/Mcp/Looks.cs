using System.Text.Json.Nodes;

namespace OrleansLeases.Cli.Mcp;

/// <summary>Leases of others, as agents see them.</summary>
internal static class Looks
{
    private const int MostHolders = 20;

    /// <summary>What is known of a resource; null where it cannot be said now.</summary>
    public static async Task<LeaseInfo?> HoldersOfAsync(AgentSession session, string resource, CancellationToken cancellationToken)
    {
        var look = await session.Service.GetAsync(new() { Resource = resource }, cancellationToken);
        return look.TryGetValue(out var info, out _) ? info : null;
    }

    public static IEnumerable<(string, JsonNode?)> Fields(AgentSession session, LeaseInfo info)
    {
        yield return ("resource", info.Resource);
        yield return ("state", info.State.ToString().ToLowerInvariant());
        yield return ("holders", new JsonArray([.. info.Holders.Take(MostHolders).Select(holder => HolderOf(session, holder))]));
        if (info.Capacity is { } capacity) yield return ("capacity", capacity);
        if (info.AvailableIn is { } available) yield return ("available_in_seconds", Advice.Seconds(available));
        if (info.Waiters is { } waiters) yield return ("waiting", waiters);
        if (info.Queue is { } queue)
            yield return ("queue", new JsonArray([.. queue.Take(MostHolders).Select(waiter => (JsonNode)waiter.Owner)]));
        yield return ("last_token", info.LastToken);
    }

    public static JsonObject ObjectOf(AgentSession session, LeaseInfo info)
    {
        var shown = new JsonObject();
        foreach (var (name, value) in Fields(session, info)) shown[name] = value;
        return shown;
    }

    private static JsonObject HolderOf(AgentSession session, LeaseHolder holder)
    {
        var shown = new JsonObject
        {
            ["owner"] = holder.Owner,
            ["token"] = holder.Token,
            ["mode"] = holder.Mode == LeaseMode.Exclusive ? "exclusive" : "shared",
            ["seconds_left_unless_renewed"] = Advice.Seconds(holder.Remaining),
        };
        if (holder.Owner == session.Owner) shown["is_you"] = true;
        if (holder.Metadata.TryGetValue("purpose", out var purpose)) shown["purpose"] = purpose;
        return shown;
    }
}
