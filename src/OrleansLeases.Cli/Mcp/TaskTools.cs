using System.ComponentModel;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using OrleansLeases.Client.Recipes;

namespace OrleansLeases.Cli.Mcp;

/// <summary>Tasks that one agent at a time does, and that are not done again: the recipe <see cref="TaskClaim"/>, over two calls.</summary>
internal sealed class TaskTools(AgentSession session, Acquiring acquiring)
{
    private const string Name = "The task's name, as a path: tasks/17. One name for one task, ever.";

    [McpServerTool(Name = "claim_task", Title = "Claim a task", Destructive = false, Idempotent = true, OpenWorld = false)]
    [Description("Claim a task that is to be done once. 'claimed': do it now, then call finish_task; release gives it back undone. "
        + "'done': it was done before; do not do it again; 'result' says what came of it. 'busy': another agent is at it; take another "
        + "task. What a dead agent has claimed is free again within about a minute, and may be half done: make each step such that doing "
        + "it twice does no harm.")]
    public async Task<CallToolResult> ClaimTaskAsync(
        [Description(Name)] string task,
        [Description("Wait so long for another agent to end, 0 to 600 s.")] int max_wait_seconds = 0,
        IProgress<ProgressNotificationValue>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var wait = Bounds.Seconds(nameof(max_wait_seconds), max_wait_seconds, least: 0, Acquiring.MostSeconds);
        if (await DoneAsync(task, cancellationToken) is { } done) return done;
        var options = session.OptionsOf(shared: false, capacity: null, purpose: "task", maxHold: null);
        var (lease, hasLeft) = await acquiring.WaitAsync(task, options, wait, progress, cancellationToken);
        if (lease is not null)
            return await acquiring.AnswerAsync(lease, () => ClaimAsync(lease, task, cancellationToken), cancellationToken);
        if (hasLeft) return Reply.Of(session, "left-queue", Advice.LeftByAnother, ("task", task));
        return Reply.Of(
            session, "busy", "Another agent is at it: do not do it. Take another task, or come back later.",
            await Looks.HoldersOfAsync(session, task, cancellationToken) is { } info ? Looks.Fields(session, info) : []);
    }

    [McpServerTool(Name = "finish_task", Title = "Mark a task as done", Destructive = true, Idempotent = true, OpenWorld = false)]
    [Description("Mark a task that you have claimed as done, for good, and release it. Call it only when all of the work is done. "
        + "'lost': your claim had ended; the mark was not written, and another agent may be at the task: leave it to that one.")]
    public async Task<CallToolResult> FinishTaskAsync(
        [Description(Name)] string task,
        [Description("What came of it, for those who ask for it later: text of at most 64 KiB.")] string? result = null,
        CancellationToken cancellationToken = default)
    {
        if (!session.TryGetHeld(task, out var lease) || lease.Claim is not { } claim)
        {
            return await DoneAsync(task, cancellationToken)
                ?? Reply.Wrong(session, "not-claimed", $"You have not claimed '{task}', or have lost it.", Advice.NotHeld);
        }

        var mark = result ?? $"done by {lease.Handle.Owner} with token {Advice.Number(lease.Handle.Token)}";
        if (!await SettledKey.SettleAsync(session.Client, lease.Handle, task, mark, claim))
            return Reply.Wrong(session, "lost", $"The claim of '{task}' is over; the mark was not written.", Advice.Lost);
        session.Forget(lease);
        await lease.Handle.DisposeAsync();
        return Reply.Of(
            session, "finished", "It is marked as done, and will not be given out again. Do no more to it; claim the next.",
            ("task", task), ("token", lease.Handle.Token));
    }

    private async Task<CallToolResult> ClaimAsync(AgentLease lease, string task, CancellationToken cancellationToken)
    {
        using (await Acquiring.EnterAsync(session.ClaimsOneAtATime, cancellationToken))
        {
            if (lease.Claim is not null) return Claimed(lease);
            // Another agent may have done it before this one had the lease.
            if (await SettledKey.ClaimAsync(session.Client, lease.Handle, task, ifVersion: 0) is { } claim)
            {
                return session.TryClaim(lease, claim)
                    ? Claimed(lease)
                    : Reply.Wrong(session, "not-claimed", $"'{task}' was released while it was being claimed.", Advice.NotHeld);
            }
        }

        session.Forget(lease);
        await lease.Handle.DisposeAsync();
        return await DoneAsync(task, cancellationToken)
            ?? Reply.Wrong(session, "conflict", $"The key '{task}' belongs to something else.", "Choose another name for the task.");
    }

    private async Task<CallToolResult?> DoneAsync(string task, CancellationToken cancellationToken) =>
        await SettledKey.ReadAsync(session.Client, task, cancellationToken) is { } mark
            ? Reply.Of(
                session, "done", "It was done before: do not do it again. Take another task.",
                ("task", task), ("result", mark.Value))
            : null;

    private CallToolResult Claimed(AgentLease lease) => Reply.Held(
        session, lease,
        $"Do the task now, alone. Pass the token {Advice.Number(lease.Handle.Token)} along with each write. Then call finish_task; "
            + "release gives it back undone. Stop at once if an answer lists it under 'lost'.",
        outcome: "claimed");
}
