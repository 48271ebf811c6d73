using System.Globalization;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Mcp;

/// <summary>Acquires for a session: now, or by the queue.</summary>
internal sealed class Acquiring(AgentSession session)
{
    /// <summary>The longest wait of one call: clients give a call up after a minute, unless told otherwise.</summary>
    public const int MostSeconds = 600;

    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(5);

    /// <summary>Acquires a resource unless others hold it.</summary>
    /// <returns>The lease, for <see cref="AnswerAsync"/>; null where others hold it.</returns>
    public async Task<AgentLease?> TryAsync(string resource, LeaseOptions options, CancellationToken cancellationToken)
    {
        using var alone = await EnterAsync(session.AcquiresOneAtATime, cancellationToken);
        if (session.ToAnswerWith(resource) is { } held) return held;
        return session.IsQueued(resource) ? null : await TryAloneAsync(resource, options, cancellationToken);
    }

    /// <summary>Waits in the queue for a resource.</summary>
    /// <returns>
    /// The lease, for <see cref="AnswerAsync"/>; null where the wait ran out, and the place in the queue is kept for a while, or where
    /// another call has given up the place.
    /// </returns>
    public async Task<(AgentLease? Lease, bool HasLeft)> WaitAsync(
        string resource, LeaseOptions options, TimeSpan wait, IProgress<ProgressNotificationValue>? progress,
        CancellationToken cancellationToken)
    {
        QueuedAcquire? queued;
        using (await EnterAsync(session.AcquiresOneAtATime, cancellationToken))
        {
            if (session.ToAnswerWith(resource) is { } held) return (held, false);
            queued = session.JoinQueue(resource, options);
            if (queued is null)
            {
                if (await TryAloneAsync(resource, options, cancellationToken) is { } free) return (free, false);
                if (wait <= TimeSpan.Zero) return default;
                queued = session.Enter(resource, options);
            }
        }

        try
        {
            await WaitForAsync(queued.Grant, wait, progress, () => $"'{resource}' is still held by others", cancellationToken);
            // Whichever of the calls that wait is first has taken it.
            if (session.ToAnswerWith(resource) is { } granted) return (granted, false);
            if (!queued.Grant.IsCompleted && !queued.IsOver) return default;
            session.Forget(queued);
            if (queued.Grant.IsFaulted) await queued.Grant;
            return (null, HasLeft: true);
        }
        finally
        {
            queued.StopWaiting();
        }
    }

    /// <summary>
    /// Answers a call with a lease that it has asked for. Where nobody hears the answer, or it says something else than that the agent
    /// holds the lease, that is released, unless the agent knows of it by another answer.
    /// </summary>
    public async Task<CallToolResult> AnswerAsync(
        AgentLease lease, Func<Task<CallToolResult>> answer, CancellationToken cancellationToken)
    {
        var isTold = false;
        try
        {
            var told = await answer();
            cancellationToken.ThrowIfCancellationRequested();
            isTold = true;
            return told;
        }
        finally
        {
            if (!session.Answered(lease, isTold)) await lease.Handle.DisposeAsync();
        }
    }

    /// <summary>Answers a call with a lease: that the agent holds it.</summary>
    public Task<CallToolResult> AnswerHeldAsync(AgentLease lease, CancellationToken cancellationToken) =>
        AnswerAsync(lease, () => Task.FromResult(Reply.Held(session, lease)), cancellationToken);

    /// <summary>Waits until no other call is where one is at a time.</summary>
    /// <returns>What to dispose of to let the next one in.</returns>
    public static async Task<IDisposable> EnterAsync(SemaphoreSlim oneAtATime, CancellationToken cancellationToken)
    {
        await oneAtATime.WaitAsync(cancellationToken);
        return new Turn(oneAtATime);
    }

    /// <summary>Waits for something, and says at times that it still does.</summary>
    public async Task WaitForAsync(
        Task done, TimeSpan wait, IProgress<ProgressNotificationValue>? progress, Func<string> message, CancellationToken cancellationToken)
    {
        var started = session.Time.GetTimestamp();
        while (!done.IsCompleted && session.Time.GetElapsedTime(started) is var passed && passed < wait)
        {
            if (passed > TimeSpan.Zero)
            {
                progress?.Report(new()
                {
                    Progress = (float)passed.TotalSeconds, Total = (float)wait.TotalSeconds,
                    Message = string.Create(CultureInfo.InvariantCulture, $"{message()}, after {passed.TotalSeconds:0} s"),
                });
            }

            var left = wait - passed;
            await Task.WhenAny(done, Task.Delay(left < ProgressEvery ? left : ProgressEvery, session.Time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task<AgentLease?> TryAloneAsync(string resource, LeaseOptions options, CancellationToken cancellationToken)
    {
        session.CheckRoomFor(resource);
        var handle = await session.Client.TryAcquireAsync(resource, options: options, cancellationToken: cancellationToken)
            ?? await TakeUpAsync(resource, cancellationToken);
        if (handle is null) return null;
        if (session.Keep(handle) is { } lease) return lease;
        await handle.DisposeAsync();
        throw new OperationCanceledException("The session is over.");
    }

    // Another agent has handed it over to this one.
    private async Task<LeaseHandle?> TakeUpAsync(string resource, CancellationToken cancellationToken)
    {
        var look = await session.Service.GetAsync(new() { Resource = resource }, cancellationToken);
        if (!look.TryGetValue(out var info, out _) || info.Holders.FirstOrDefault(holder => holder.Owner == session.Owner) is not { } own)
            return null;
        var taken = await session.Client.TakeUpAsync(resource, session.Owner, own.Token, own.Mode, cancellationToken);
        return taken.TryGetValue(out var lease, out _) ? lease : null;
    }

    private sealed class Turn(SemaphoreSlim oneAtATime) : IDisposable
    {
        public void Dispose() => oneAtATime.Release();
    }
}
