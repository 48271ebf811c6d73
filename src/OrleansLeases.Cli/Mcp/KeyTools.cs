using System.ComponentModel;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace OrleansLeases.Cli.Mcp;

/// <summary>Small values, bound to leases or not.</summary>
internal sealed class KeyTools(AgentSession session)
{
    [McpServerTool(Name = "put_key", Title = "Write a value", Destructive = true, Idempotent = true, OpenWorld = false)]
    [Description("Write a small value that all agents can read: what you work on, a result, an address. With bound_to it belongs to a "
        + "lease that you hold: written only while you hold it, and gone by itself when that ends, so nobody takes a dead agent's word "
        + "for true. Without, it stays.")]
    public async Task<CallToolResult> PutKeyAsync(
        [Description("The key: a path such as status/repo-main.")] string key,
        [Description("The value: text of at most 64 KiB.")] string value,
        [Description("The name of a lease that you hold, to bind it to.")] string? bound_to = null,
        [Description("Write only over this version, as get_key told it; 0 only where there is none. Left out, over whatever is there.")]
        long? only_if_version = null,
        [Description("Without bound_to, how many seconds it stays, 1 to 86400. Left out, until it is overwritten.")]
        int? stays_seconds = null,
        CancellationToken cancellationToken = default)
    {
        if (stays_seconds is not null && bound_to is not null)
            throw new ArgumentException("stays_seconds goes without bound_to: what is bound stays as long as its lease.");
        AgentLease? lease = null;
        if (bound_to is not null && !session.TryGetHeld(bound_to, out lease))
            return Reply.Wrong(session, "not-held", $"You hold no lease on '{bound_to}'.", Advice.NotHeld);
        var request = new PutKeyRequest
        {
            Value = value,
            Lease = lease is null
                ? null
                : new() { Resource = lease.Handle.Resource, Owner = lease.Handle.Owner, Token = lease.Handle.Token },
            Ttl = stays_seconds is { } seconds ? Bounds.Seconds(nameof(stays_seconds), seconds, least: 1, most: 86_400) : null,
            IfVersion = only_if_version,
        };
        var result = await session.Service.PutKeyAsync(key, request, cancellationToken);
        if (!result.TryGetValue(out var put, out var refusal)) return Reply.Refused(session, refusal);
        return Reply.Of(
            session, "written", lease is null
                ? stays_seconds is null ? "It stays until someone overwrites it." : "It is gone by itself after that time."
                : $"It is there for as long as you hold '{bound_to}', under the token {Advice.Number(lease.Handle.Token)}.",
            ("key", key), ("version", put.Version), ("token", lease?.Handle.Token));
    }

    [McpServerTool(Name = "get_key", Title = "Read a value", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("Read a value that an agent has written. 'bound_to' says by whose lease it stands, with its token: it is true while "
        + "that agent holds it. 'absent': it was never written, or the lease that it was bound to has ended.")]
    public async Task<CallToolResult> GetKeyAsync(
        [Description("The key: a path such as status/repo-main.")] string key, CancellationToken cancellationToken = default)
    {
        var result = await session.Service.GetKeyAsync(key, cancellationToken);
        if (!result.TryGetValue(out var read, out var refusal))
        {
            return refusal is Refusal.NotFound
                ? Reply.Of(session, "absent", "Nobody has written it, or who did holds its lease no more.", ("key", key))
                : Reply.Refused(session, refusal);
        }

        return Reply.Of(
            session, "ok", read.Lease is null
                ? "To change it, pass 'version' to put_key as only_if_version, so as to overwrite nobody's."
                : "It stands for as long as that lease is held, and is another agent's unless you hold it.",
            ("key", key), ("value", read.Value), ("version", read.Version), ("bound_to", read.Lease?.Resource),
            ("owner", read.Lease?.Owner), ("token", read.Lease?.Token));
    }
}
