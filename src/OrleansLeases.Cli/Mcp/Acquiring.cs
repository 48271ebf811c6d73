using System.Globalization;
using ModelContextProtocol;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Mcp;

/// <summary>Acquires for a session: now, or by the queue.</summary>
internal sealed class Acquiring(AgentSession session)
{
    /// <summary>The longest wait of one call: clients give a call up after a minute, unless told otherwise.</summary>
    public const int MostSeconds = 600;

    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(5);

    // Two calls at once that ask for one name would find it held by their own session.
    private readonly SemaphoreSlim _one = session.AcquiresOneAtATime;

    /// <summary>Acquires a resource unless others hold it.</summary>
    /// <returns>The lease; null where others hold it.</returns>
    public async Task<AgentLease?> TryAsync(string resource, LeaseOptions options, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (session.TryGetHeld(resource, out var held)) return held;
            if (session.QueueOf(resource) is not null) return null;
            var lease = await session.Client.TryAcquireAsync(resource, options: options, cancellationToken: cancellationToken)
                ?? await TakeUpAsync(resource, cancellationToken);
            return lease is null ? null : await KeepAsync(lease);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Waits in the queue for a resource.</summary>
    /// <returns>The lease; null where the wait ran out, and the place in the queue is kept for a while.</returns>
    public async Task<AgentLease?> WaitAsync(
        string resource, LeaseOptions options, TimeSpan wait, IProgress<ProgressNotificationValue>? progress,
        CancellationToken cancellationToken)
    {
        if (session.QueueOf(resource) is null && await TryAsync(resource, options, cancellationToken) is { } free) return free;
        if (wait <= TimeSpan.Zero) return null;
        var queued = session.Enter(resource, options)
            ?? throw new LeaseRefusedException(new Refusal.LimitReached("queues", Advice.Patience, Advice.TooManyQueues));
        queued.KeepFor(Timeout.InfiniteTimeSpan);
        try
        {
            await WaitForAsync(queued.Grant, wait, progress, () => $"'{resource}' is still held by others", cancellationToken);
            if (!queued.Grant.IsCompleted) return null;
            if (queued.Take() is { } granted)
            {
                session.Forget(resource);
                return await KeepAsync(granted);
            }

            if (session.TryGetHeld(resource, out var held)) return held;
            session.Forget(resource);
            await queued.Grant;
            return null;
        }
        finally
        {
            queued.KeepFor(Advice.Patience);
        }
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

    // Another agent has handed it over to this one.
    private async Task<LeaseHandle?> TakeUpAsync(string resource, CancellationToken cancellationToken)
    {
        var look = await session.Service.GetAsync(new() { Resource = resource }, cancellationToken);
        if (!look.TryGetValue(out var info, out _) || info.Holders.FirstOrDefault(holder => holder.Owner == session.Owner) is not { } own)
            return null;
        var taken = await session.Client.TakeUpAsync(resource, session.Owner, own.Token, own.Mode, cancellationToken);
        return taken.TryGetValue(out var lease, out _) ? lease : null;
    }

    private async Task<AgentLease?> KeepAsync(LeaseHandle handle)
    {
        var lease = new AgentLease(handle);
        if (session.Keep(lease)) return lease;
        await handle.DisposeAsync();
        return null;
    }
}
