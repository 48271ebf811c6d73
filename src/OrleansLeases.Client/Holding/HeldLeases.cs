using Microsoft.Extensions.Logging;
using OrleansLeases.Client.Telemetry;

namespace OrleansLeases.Client.Holding;

/// <summary>
/// The leases of one client: watches their deadlines, and renews them in batches. Deadlines are watched by an
/// <see cref="IAlarm"/> that waits for nothing else; calls and their answers come and go beside it. Thread-safe.
/// </summary>
internal sealed class HeldLeases
{
    // Timers and threads that wait stand still while the machine sleeps; after it wakes, the clock is looked at this soon.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(50);

    // Idle for this long, nothing is looked at any more. Taking one lease after the other then wakes nobody each time.
    private static readonly TimeSpan LongestIdle = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly DueQueue _queue = new();
    private readonly HolderClock _clock;
    private readonly RenewalCalls _calls;
    private readonly ILogger _logger;
    private readonly ClientMetrics _metrics;
    private readonly IAlarm _alarm;
    private TimeSpan _nextLook = TimeSpan.MaxValue;
    private TimeSpan _busyUntil;
    private TimeSpan _lookedAt;
    private int _asking;
    private int _inTrouble;
    private bool _toldOfRights;
    private bool _closed;
    private int _underWay;

    public HeldLeases(RenewalCalls calls, HolderClock clock, TimeProvider time, ILogger logger, ClientMetrics metrics)
    {
        _metrics = metrics;
        _calls = calls;
        _logger = logger;
        _clock = clock;
        _alarm = time == TimeProvider.System ? new ThreadAlarm(Look) : new TimerAlarm(time, Look);
    }

    /// <summary>How many batches of renewals are being sent, or their answers taken.</summary>
    public int UnderWay => Volatile.Read(ref _underWay);

    public TimeSpan Now => _clock.Now();

    public (int Held, int NotRenewed) Counts
    {
        get
        {
            lock (_gate) return (_queue.Count, _inTrouble);
        }
    }

    /// <summary>Samples the clock during an acquire, since its lease may count from before a sleep of the machine.</summary>
    public void StartAsking()
    {
        lock (_gate)
        {
            _asking++;
            LookAt_NeedsLock(_clock.Now() + LongestSleep);
        }
    }

    /// <summary>Ends <see cref="StartAsking"/>.</summary>
    public void EndAsking()
    {
        lock (_gate) _asking--;
    }

    /// <summary>Watches and renews a lease from now on; the answer is false once this is closed.</summary>
    public bool TryAdd(HeldLease lease)
    {
        lock (_gate)
        {
            if (_closed) return false;
            if (_queue.Count == 0) _lookedAt = _clock.Now();
            Schedule_NeedsLock(lease);
            _metrics.Held(1);
            return true;
        }
    }

    /// <summary>Ends a lease at its holder's word.</summary>
    /// <returns>Until when it was held; null where it was over already.</returns>
    public TimeSpan? End(HeldLease lease)
    {
        lock (_gate)
        {
            if (lease.IsOver) return null;
            var endsAt = lease.EndsAt;
            Forget_NeedsLock(lease);
            lease.End_NeedsLock();
            return endsAt;
        }
    }

    /// <summary>
    /// Whether somebody may have the lost token of a lease whose handle was collected. The token's source abandons the lease once
    /// nobody has.
    /// </summary>
    public bool LetGo(HeldLease lease)
    {
        lock (_gate) return lease.LetGo_NeedsLock();
    }

    /// <summary>
    /// Ends a lease that nobody has a handle or a token of any more: it is lost, and its signal runs, before it is given back.
    /// </summary>
    /// <param name="lease">The lease.</param>
    /// <param name="source">The source of its signal, if there was one: it can be reached no more from here.</param>
    /// <param name="giveBack">Gives it back, if it was held until then.</param>
    public void Abandon(HeldLease lease, LostSource? source, Action giveBack)
    {
        bool held;
        lock (_gate)
        {
            held = !lease.IsOver;
            if (held)
            {
                Forget_NeedsLock(lease);
                _metrics.Lost(NotHolderReason.Released);
                lease.Lose_NeedsLock(
                    new(
                        NotHolderReason.Released,
                        $"The lease on '{lease.Grant.Resource}' was given back, since its handle was collected; keep "
                            + $"it, and dispose of it."));
            }
        }

        if (lease.Loss is null) return;
        _alarm.Run(() =>
        {
            source?.Cancel();
            if (held) giveBack();
        });
        if (!held) return;
        var grant = lease.Grant;
        _alarm.Run(() => _logger.Collected(grant.Resource, grant.Owner, grant.Token, lease.TakenIn ?? "code that is not known"));
    }

    /// <summary>Ends all leases: each is lost, and its signal has run, before it is given back.</summary>
    /// <param name="giveBack">Gives one back; not one that is guarded, which is given back when its work has ended.</param>
    /// <returns>Completes when every signal has run.</returns>
    public Task LoseAllAsync(Action<HeldLease> giveBack)
    {
        List<Action> ends = [];
        List<Task> ended = [];
        lock (_gate)
        {
            while (_queue.TryPeek(out var lease))
            {
                List<Action>? signals = null;
                var detail = $"The lease on '{lease.Grant.Resource}' was given back, since its host has stopped.";
                Lose_NeedsLock(lease, new(NotHolderReason.Released, detail) { DecidedLocally = true }, ref signals);
                var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                ended.Add(end.Task);
                ends.Add(() =>
                {
                    foreach (var signal in signals ?? []) signal();
                    if (!lease.IsGuarded) giveBack(lease);
                    end.SetResult();
                });
            }
        }

        foreach (var end in ends) _alarm.Run(end);
        return Task.WhenAll(ended);
    }

    /// <summary>The source of a lease's signal, made where there is none; null where it is too late for that.</summary>
    public LostSource? SourceOf(HeldLease lease, LeaseClient client, ref LostSource? known)
    {
        lock (_gate) return known ??= lease.Loss is null ? lease.Keep_NeedsLock(new LostSource(client, lease)) : null;
    }

    /// <summary>Why a lease is lost whose time has run out, though nobody may have looked at it yet.</summary>
    public LeaseLoss LossAtTheEndOf(HeldLease lease)
    {
        lock (_gate) return lease.LossAtTheEnd(_clock.Sample() - _lookedAt);
    }

    public Task NextChangeOf(HeldLease lease)
    {
        lock (_gate) return lease.NextChange_NeedsLock();
    }

    /// <summary>Renews no more. The leases still held are watched until they run out.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
        }

        _alarm.Wake();
    }

    private TimeSpan Look()
    {
        List<Action>? signals = null;
        List<HeldLease[]>? batches = null;
        TimeSpan wait;
        lock (_gate)
        {
            _nextLook = TimeSpan.Zero;
            var now = _clock.Sample();
            while (_queue.TryPeek(out var lease) && lease.DueAt <= now)
            {
                if (lease.EndsAt <= now) Lose_NeedsLock(lease, lease.LossAtTheEnd(now - _lookedAt), ref signals);
                else if (_closed) RenewNoMore_NeedsLock(lease);
                else (batches ??= []).Add(TakeBatch_NeedsLock(lease, now));
            }

            _lookedAt = now;
            if (_asking > 0 || _queue.Count > 0) _busyUntil = now + LongestIdle;
            wait = _queue.TryPeek(out var next)
                ? Min(next.DueAt - now, LongestSleep)
                : now < _busyUntil ? LongestSleep : Timeout.InfiniteTimeSpan;
            _nextLook = wait < TimeSpan.Zero ? TimeSpan.MaxValue : now + wait;
            if (_closed && _queue.Count == 0) _alarm.Dispose();
        }

        foreach (var signal in signals ?? []) _alarm.Run(signal);
        foreach (var batch in batches ?? []) Send(batch);
        return wait;
    }

    /// <summary>The lease that is due, and those that are due soon and may go along.</summary>
    private HeldLease[] TakeBatch_NeedsLock(HeldLease first, TimeSpan now)
    {
        List<HeldLease> batch = [];
        for (var lease = first; lease is not null; lease = NextToGoAlong())
        {
            lease.Sent_NeedsLock(now);
            Schedule_NeedsLock(lease);
            batch.Add(lease);
        }

        return [.. batch];

        HeldLease? NextToGoAlong() =>
            batch.Count < _calls.MaxBatch && _queue.TryPeek(out var lease) && lease.EndsAt > now && lease.RenewAt <= now + lease.Leeway
                ? lease
                : null;
    }

    // Off this thread, which has deadlines to watch.
    private void Send(HeldLease[] batch)
    {
        Interlocked.Increment(ref _underWay);
        _ = Background.Run(async () =>
        {
            try
            {
                await RenewAsync(batch).ConfigureAwait(false);
            }
            finally
            {
                Interlocked.Decrement(ref _underWay);
            }
        });
    }

    private async Task RenewAsync(HeldLease[] batch)
    {
        var sentAt = _clock.Sample();
        var answer = await _calls.RenewAsync(batch).ConfigureAwait(false);
        if (answer.Refusal is Refusal.InvalidRequest && batch.Length > 1)
        {
            // The service takes less at once: fewer leases, or fewer bytes.
            Send(batch[..(batch.Length / 2)]);
            Send(batch[(batch.Length / 2)..]);
            return;
        }

        Take(batch, sentAt, answer);
    }

    private void Take(HeldLease[] batch, TimeSpan sentAt, LeaseResult<RenewBatchReply> answer)
    {
        List<Action>? signals = null;
        lock (_gate)
        {
            var now = _clock.Sample();
            for (var i = 0; i < batch.Length; i++)
                Take_NeedsLock(
                    batch[i], sentAt, answer.TryGetValue(out var reply, out var refusal) ? reply.Results[i] : refusal, now, ref signals);
        }

        foreach (var signal in signals ?? []) _alarm.Run(signal);
    }

    private void Take_NeedsLock(HeldLease lease, TimeSpan sentAt, LeaseResult<LeaseRenewal> result, TimeSpan now, ref List<Action>? signals)
    {
        if (lease.IsOver) return;
        if (result.Refusal is Refusal.NotHolder over)
        {
            Lose_NeedsLock(lease, new(over.Reason, over.Detail), ref signals);
            return;
        }

        if (lease.EndsAt <= now)
        {
            // Someone may have seen that it had run out: it does not come back to life. Decision lost-stays-lost.
            Lose_NeedsLock(lease, lease.LossAtTheEnd(now - _lookedAt), ref signals);
            return;
        }

        var wasInTrouble = lease.Trouble is not null;
        var left = lease.EndsAt - now;
        if (result.TryGetValue(out var renewal, out var trouble))
        {
            lease.Renewed_NeedsLock(sentAt, renewal, now);
            _metrics.Renewed(left);
        }
        else
        {
            lease.NotRenewed_NeedsLock(sentAt, trouble, now);
        }

        Schedule_NeedsLock(lease);
        if (lease.Trouble is { } begun)
        {
            var isFirst = !wasInTrouble && _inTrouble++ == 0;
            if (isFirst) _toldOfRights = false;
            // What a person has to mend is told also where it comes in the course of another trouble.
            var isNews = isFirst || (begun.IsForLackOfRights() && !_toldOfRights);
            _toldOfRights |= begun.IsForLackOfRights();
            if (isNews) (signals ??= []).Add(() => _logger.NotRenewed(lease.Grant.Resource, lease.Grant.Owner, begun.Told()));
        }
        else if (wasInTrouble && --_inTrouble == 0)
        {
            (signals ??= []).Add(_logger.RenewedAgain);
        }
    }

    private void Lose_NeedsLock(HeldLease lease, LeaseLoss loss, ref List<Action>? signals)
    {
        Forget_NeedsLock(lease);
        _metrics.Lost(loss.Reason);
        signals ??= [];
        if (lease.Lose_NeedsLock(loss) is { } signal) signals.Add(signal);
        // A logger may take its time as well.
        if (_logger.IsEnabled(LogLevel.Warning))
            signals.Add(() => _logger.Lost(lease.Grant.Resource, lease.Grant.Owner, lease.Grant.Token, loss.Reason, loss.Detail));
    }

    private void RenewNoMore_NeedsLock(HeldLease lease)
    {
        lease.RenewNoMore_NeedsLock();
        Schedule_NeedsLock(lease);
    }

    private void Schedule_NeedsLock(HeldLease lease)
    {
        _queue.Set(lease, Min(lease.RenewAt, lease.EndsAt));
        LookAt_NeedsLock(lease.DueAt);
    }

    private void LookAt_NeedsLock(TimeSpan at)
    {
        if (at >= _nextLook) return;
        _nextLook = at;
        _alarm.Wake();
    }

    private void Forget_NeedsLock(HeldLease lease)
    {
        _queue.Remove(lease);
        _metrics.Held(-1);
        if (lease.Trouble is not null) _inTrouble--;
        if (_closed && _queue.Count == 0) _alarm.Wake();
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
