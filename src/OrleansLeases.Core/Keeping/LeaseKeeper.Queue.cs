using System.Diagnostics;

namespace OrleansLeases.Core;

internal sealed partial class LeaseKeeper
{
    // How a place in the queue ended.
    private const string Granted = "granted";
    private const string Abandoned = "abandoned";
    private const string Stopped = "stopped";

    // Of a queue: more than a person reads, and a small response whatever the service's bound is.
    private const int MostShown = 100;

    private static readonly TimeSpan SparedWhileBusy = TimeSpan.FromSeconds(1);
    private static readonly List<Waiter> NoWaiters = [];
    private static readonly Refusal TakenOver =
        new Refusal.Unavailable(TimeSpan.Zero, "A newer call with the same requestId has taken over this one.");

    // Volatile: first come first, guarded by _gate, since clients leave at any time.
    private List<Waiter> _waiters = NoWaiters;

    private QueuedRequest[] QueuedRequests()
    {
        if (_waiters.Count == 0) return [];
        lock (_gate)
        {
            return
            [
                .. from waiter in _waiters
                   select new QueuedRequest(waiter.Command.Request, waiter.Command.Fingerprint, Present: waiter.Call is not null),
            ];
        }
    }

    private LeaseWaiter[]? ShowQueue(Instant now, out int waiters)
    {
        waiters = 0;
        if (!SomeoneWaits) return null;
        lock (_gate)
        {
            waiters = _waiters.Count;
            return waiters == 0 ? null : [.. _waiters.Take(MostShown).Select(waiter => waiter.Show(now))];
        }
    }

    /// <summary>Queues a call that found the resource held, or returns it to its position; refuses it where the queue is full.</summary>
    /// <returns>False where its wait is over by now.</returns>
    internal bool TryWait(LeaseCall<LeaseGrant> call, LeaseCommand.Acquire acquire, Instant now)
    {
        if (call.Received.Monotonic + acquire.Request.Wait <= now.Monotonic) return false;
        LeaseCall<LeaseGrant>? before;
        Waiter? waiter;
        lock (_gate)
        {
            waiter = _waiters.Find(queued => queued.Command.Fingerprint.Id == acquire.Fingerprint.Id);
            var full = waiter is null && _waiters.Count >= _host.Rules.Limits.MaxWaiters;
            if ((_stopped ?? (full ? Refusals.TooManyWaiters(_host.Rules.Limits.MaxWaiters) : null)) is { } refusal)
            {
                call.Refuse(refusal);
                return true;
            }

            if (waiter is null)
            {
                if (_waiters == NoWaiters) _waiters = [];
                _waiters.Add(waiter = new Waiter(acquire) { Since = now.Monotonic });
                if (call.Span is { } span) waiter.Span = LeaseTracing.StartDetached("leases.queue", span.Context);
                CountWaiters_NeedsLock();
            }

            // The newest call of a request id stands for it: an older one may be a connection that is half dead.
            // Decision newest-call-of-a-request-id.
            before = waiter.Call;
            waiter.Registration.Unregister();
            waiter.Attend(call, acquire.Request.Wait);
            SetAlarm_NeedsLock();
        }

        before?.Refuse(TakenOver);
        // Outside the lock: a token that is cancelled already calls back at once.
        waiter.Registration = call.Cancellation.UnsafeRegister(static (state, _) => ((Action)state!)(), () => Leave(waiter, call));
        return true;
    }

    private void Leave(Waiter waiter, LeaseCall<LeaseGrant> call)
    {
        var now = _host.Clock.Read();
        lock (_gate)
        {
            if (waiter.Call != call) return;
            waiter.Leave(now.Monotonic);
            SetAlarm_NeedsLock();
        }

        call.TrySetCanceled(call.Cancellation);
        // The next waiters may be granted now.
        Tick(fresh: false, now);
    }

    /// <summary>
    /// Removes the waiters whose requests were granted from the queue. A waiter may have lost its call, or left the queue, while its
    /// grant was saved.
    /// </summary>
    /// <param name="granted">The requests.</param>
    /// <param name="command">What had them granted.</param>
    /// <param name="cause">Its span, if it has one.</param>
    /// <param name="gone">Those whose call is no longer there.</param>
    internal List<(LeaseCall<LeaseGrant> Call, long Token)> Dequeue(
        IReadOnlyList<GrantedRequest> granted, LeaseCommand command, Activity? cause, out List<GrantedRequest> gone)
    {
        List<(LeaseCall<LeaseGrant>, long)> calls = [];
        gone = [];
        LeaseCall<LeaseGrant>? replaced = null;
        var now = _host.Clock.Read();
        lock (_gate)
        {
            foreach (var (fingerprint, token) in granted)
            {
                var waiter = _waiters.Find(queued => queued.Command.Fingerprint.Id == fingerprint.Id);
                if (waiter is not null)
                {
                    _waiters.Remove(waiter);
                    waiter.Registration.Unregister();
                    if (cause is not null) waiter.Span?.AddLink(new ActivityLink(cause.Context));
                    CountWait(waiter, Granted, now);
                }

                if (command is LeaseCommand.Acquire asking && asking.Fingerprint.Id == fingerprint.Id) replaced = waiter?.Call;
                else if (waiter?.Call is { } call) calls.Add((call, token));
                else gone.Add(new(fingerprint, token));
            }

            CountWaiters_NeedsLock();
        }

        // The newest call of a request id gets the grant; if the older one got it too, its broken connection could give the grant back.
        replaced?.Refuse(TakenOver);
        return calls;
    }

    internal void RespondToGranted(IReadOnlyList<GrantedRequest> granted, LeaseCommand command, Activity? cause)
    {
        var state = _state!;
        var calls = Dequeue(granted, command, cause, out var gone);
        foreach (var (call, token) in calls)
        {
            var now = _host.Clock.Read();
            if (state.IsOver(token, now))
            {
                // The lease ended before the caller could have it; the call is processed once more, which records that and says so.
                call.IsStored = true;
                lock (_gate) (_calls ??= new()).Enqueue(call);
            }
            else if (!call.TryRespond(new LeaseReply.Granted(token, Replayed: false), state, now))
            {
                gone.Add(new(default, token));
            }
        }

        // Their clients left while the grants were being stored: the next waiters may have the resource.
        foreach (var (_, token) in gone) GiveBack(state.HolderOf(token).Owner, token);
    }

    // Another activation may have granted a request that waits here as well. Its id is applied once: the call leaves the
    // queue and gets the response of a repeat.
    private void ResubmitGrantedElsewhere(LeaseState state)
    {
        if (!SomeoneWaits) return;
        List<Waiter> granted;
        var now = _host.Clock.Read();
        lock (_gate)
        {
            granted = _waiters.FindAll(waiter => state.Knows(waiter.Command.Fingerprint.Id));
            foreach (var waiter in granted)
            {
                waiter.Registration.Unregister();
                _waiters.Remove(waiter);
                CountWait(waiter, Granted, now);
            }

            CountWaiters_NeedsLock();
        }

        foreach (var waiter in granted)
        {
            if (waiter.Call is { } call) TryEnqueue(call);
        }
    }

    private void GiveBack(string owner, long token) =>
        TryEnqueue(new LeaseCall<LeaseRelease>(this, LeaseCommand.GiveBack(Name, owner, token), _host.Clock.Read()));

    private void RefuseExpiredWaits(Instant now, TimeSpan spared)
    {
        List<(LeaseCall<LeaseGrant> Call, Refusal Answer)> sent = [];
        lock (_gate)
        {
            foreach (var waiter in _waiters)
            {
                if (waiter.Call is not { } call || now.Monotonic < waiter.Until + spared) continue;
                sent.Add((call, RefusalFor(waiter, now)));
                waiter.Registration.Unregister();
                waiter.Leave(now.Monotonic);
            }

            _waiters.RemoveAll(waiter => IsLost(waiter, now));
            CountWaiters_NeedsLock();
        }

        foreach (var (call, answer) in sent) call.Refuse(answer);
        // The next waiters may be granted now.
        if (sent.Count > 0 && SomeoneWaits) Tick(fresh: false, now);
    }

    private bool IsLost(Waiter waiter, Instant now)
    {
        if (waiter.Call is not null || now.Monotonic < waiter.Until) return false;
        CountWait(waiter, Abandoned, now);
        return true;
    }

    private TimeSpan? NextQueueChange_NeedsLock()
    {
        TimeSpan? changes = null;
        foreach (var waiter in _waiters) changes = LeaseMachine.Earlier(changes, waiter.Until);

        return changes;
    }

    private Refusal RefusalFor(Waiter waiter, Instant now) => _state is { } state
        ? Refusals.Held(waiter.Command.Request, state.Holders, state.Delays, now, _waiters.IndexOf(waiter) + 1, waits: true)
        : new Refusal.Unavailable(
            TimeSpan.Zero, "The store did not answer while this call waited in the queue; repeat it to keep the place.");

    private List<LeaseCall<LeaseGrant>> DequeueAll_NeedsLock()
    {
        List<LeaseCall<LeaseGrant>> calls = [];
        var now = _host.Clock.Read();
        foreach (var waiter in _waiters)
        {
            waiter.Registration.Unregister();
            CountWait(waiter, Stopped, now);
            if (waiter.Call is { } call) calls.Add(call);
        }

        _waiters = NoWaiters;
        CountWaiters_NeedsLock();
        return calls;
    }
}
