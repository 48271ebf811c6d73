using System.ComponentModel;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Mcp;

/// <summary>Acquire, wait, release, and hand over.</summary>
internal sealed class LeaseTools(AgentSession session, Acquiring acquiring)
{
    private const string Name = "What to lease: a path such as repo/main or docs/intro.md. All agents use the same name for the same "
        + "thing.";
    private const string Share = "True to hold it together with others who say so too: to read, not to write.";
    private const string Room = "With shared, how many may hold it at once; the same for all. Left out, any number.";
    private const string Why = "What you hold it for, in a few words; others see it.";
    private const string MaxHold = "Give it up after so many seconds, whatever happens: for work that may hang. Left out, until you "
        + "release it.";

    [McpServerTool(Name = "acquire", Title = "Acquire a lease", Destructive = false, Idempotent = true, OpenWorld = false)]
    [Description("Take the lease on a name if it is free, without waiting. Acquire before you change anything that other agents may "
        + "change. 'held': you have it, with its token; the same again while you hold it. 'busy': others have it; do not touch the "
        + "thing, do other work and try again, or call wait_for. It is renewed by itself until you release it or your session ends.")]
    public async Task<CallToolResult> AcquireAsync(
        [Description(Name)] string resource,
        [Description(Share)] bool shared = false,
        [Description(Room)] int? capacity = null,
        [Description(Why)] string? purpose = null,
        [Description(MaxHold)] int? max_hold_seconds = null,
        CancellationToken cancellationToken = default)
    {
        var options = OptionsOf(shared, capacity, purpose, max_hold_seconds);
        return await acquiring.TryAsync(resource, options, cancellationToken) is { } lease
            ? await acquiring.AnswerHeldAsync(lease, cancellationToken)
            : await BusyAsync(resource, cancellationToken);
    }

    [McpServerTool(Name = "wait_for", Title = "Wait for a lease", Destructive = false, Idempotent = true, OpenWorld = false)]
    [Description("Queue for the lease on a name, first come, first served, for at most max_wait_seconds. 'held': it is yours now. "
        + "'waiting': not yet; call again with the same arguments within a minute to keep your place in the queue. Wait only for what "
        + "you cannot do without, and not while you hold leases that others may wait for: release those first, or two agents wait for "
        + "each other for ever. Give up after some rounds by release, and say that it was busy.")]
    public async Task<CallToolResult> WaitForAsync(
        [Description(Name)] string resource,
        [Description("How long this call waits, 1 to 600 s. Clients give a call up after a minute unless they are told otherwise.")]
        int max_wait_seconds = 50,
        [Description(Share)] bool shared = false,
        [Description(Room)] int? capacity = null,
        [Description(Why)] string? purpose = null,
        [Description(MaxHold)] int? max_hold_seconds = null,
        IProgress<ProgressNotificationValue>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var wait = Bounds.Wait(max_wait_seconds);
        var options = OptionsOf(shared, capacity, purpose, max_hold_seconds);
        var (lease, hasLeft) = await acquiring.WaitAsync(resource, options, wait, progress, cancellationToken);
        if (lease is not null) return await acquiring.AnswerHeldAsync(lease, cancellationToken);
        if (hasLeft) return Reply.Of(session, "left-queue", Advice.LeftByAnother, ("resource", resource));
        return Reply.Of(
            session, "waiting", Advice.Waiting,
            await Looks.HoldersOfAsync(session, resource, cancellationToken) is { } info ? Looks.Fields(session, info) : []);
    }

    [McpServerTool(Name = "release", Title = "Release a lease", Destructive = false, Idempotent = true, OpenWorld = false)]
    [Description("Give a lease back as soon as the work on it is done or given up: the next agent in the queue has it at once. Also "
        + "leaves the queue for a name, and ends being told of its loss. Write nothing to the thing from this call on.")]
    public async Task<CallToolResult> ReleaseAsync([Description(Name)] string resource)
    {
        var (held, queued, lost) = session.Forget(resource);
        queued?.Leave();
        if (held is null)
        {
            return lost is not null ? Reply.Of(session, "was-lost", "You had lost it before. Begin again by acquiring it, if it is still "
                + "needed.")
                : queued is not null ? Reply.Of(session, "left-queue", "You wait for it no more.")
                : Reply.Of(session, "not-held", "You held nothing of this name; nothing was changed.");
        }

        var result = await held.Handle.ReleaseAsync();
        return result.Refusal switch
        {
            null => Reply.Of(session, "released", "It is free for others. Do not write to it any more.", ("token", held.Handle.Token)),
            Refusal.NotHolder => Reply.Wrong(session, "lost", result.Refusal.Detail, Advice.Lost),
            _ => Reply.Of(
                session, "released", "The service did not say so yet; it is tried again, and the lease ends by itself. Do not write to "
                    + "it any more.",
                ("token", held.Handle.Token)),
        };
    }

    [McpServerTool(Name = "hand_over", Title = "Hand a lease over to another agent", Destructive = false, OpenWorld = false)]
    [Description("Give a lease that you hold to another agent, ahead of the queue: it has it at once, under a new and higher token. That "
        + "agent then calls acquire for it, so agree with it first: one that never does keeps all others out until the lease runs out. "
        + "Keys that were bound to your lease are deleted. Write nothing to the thing from this call on.")]
    public async Task<CallToolResult> HandOverAsync(
        [Description(Name)] string resource,
        [Description("The other agent's owner name, as its my_leases says it, or who_holds.")] string to,
        CancellationToken cancellationToken = default)
    {
        if (!session.TryGetHeld(resource, out var held))
            return Reply.Wrong(session, "not-held", $"You hold no lease on '{resource}'.", Advice.NotHeld);
        var result = await session.Service.TransferAsync(
            new() { Resource = resource, Owner = held.Handle.Owner, Token = held.Handle.Token, NewOwner = to },
            cancellationToken);
        if (!result.TryGetValue(out var grant, out var refusal)) return Reply.Refused(session, refusal);
        session.Forget(held);
        await held.Handle.DisposeAsync();
        return Reply.Of(
            session, "handed-over", $"'{to}' holds it now, under the token {Advice.Number(grant.Token)}. Have it call acquire. Do not "
                + "write to it any more.",
            ("to", (JsonNode)to), ("new_token", grant.Token));
    }

    [McpServerTool(Name = "ask_to_hand_over", Title = "Ask the holder to finish", Destructive = true, OpenWorld = false)]
    [Description("Give the holder of a lease notice: it is told by its next call, may go on for within_seconds at most, and cannot renew "
        + "beyond. Use it only for what cannot wait. Then call wait_for: the lease goes to the first in the queue, when the holder "
        + "releases it or the time is over.")]
    public async Task<CallToolResult> AskToHandOverAsync(
        [Description(Name)] string resource,
        [Description("How long the holder may go on, 0 to 86400 s.")] int within_seconds,
        [Description("Why, for the holder and for the history.")] string reason,
        CancellationToken cancellationToken = default)
    {
        var request = new BreakRequest
        {
            Resource = resource, Grace = Bounds.Seconds(nameof(within_seconds), within_seconds, least: 0, most: 86_400), Reason = reason,
        };
        var result = await session.Service.BreakAsync(request, cancellationToken);
        return result.TryGetValue(out var told, out var refusal)
            ? Reply.Of(
                session, "asked", "The holder was told. Call wait_for to be next; do not touch the thing before you hold it.",
                ("ends_within_seconds", Advice.Seconds(told.EndsIn)), ("token", told.Token))
            : Reply.Refused(session, refusal);
    }

    private async Task<CallToolResult> BusyAsync(string resource, CancellationToken cancellationToken)
    {
        if (session.IsQueued(resource))
            return Reply.Of(session, "waiting", Advice.Waiting);
        return Reply.Of(
            session, "busy", Advice.Busy,
            await Looks.HoldersOfAsync(session, resource, cancellationToken) is { } info ? Looks.Fields(session, info) : []);
    }

    private LeaseOptions OptionsOf(bool shared, int? capacity, string? purpose, int? maxHold)
    {
        if (capacity is not null && !shared) throw new ArgumentException("capacity goes with shared; leave it out, or set shared to true.");
        return session.OptionsOf(
            shared, capacity, purpose,
            maxHold is null ? null : Bounds.Seconds("max_hold_seconds", maxHold.Value, least: 1, most: 86_400));
    }
}
