using System.Collections.Immutable;
using OrleansLeases.Storage;

namespace OrleansLeases.Core;

/// <summary>
/// Owns one resource in one host: beside what every keeper does it claims the record with each load, moves the queue of waiters and
/// dispatches the clean-ups of ended leases. A call that waits in the queue keeps no other call waiting.
/// </summary>
/// <remarks>Two keepers of one resource may be alive at once: the compare-and-swap and the horizon keep them apart.</remarks>
internal sealed partial class LeaseKeeper : RecordKeeper<LeaseState>
{
    private ActivationId _self;

    /// <summary>Makes a keeper that knows nothing yet; its first call loads.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="host">What its host lends it.</param>
    /// <param name="store">Where the records are kept.</param>
    public LeaseKeeper(string resource, KeeperHost host, IRecordStore store)
        : base(resource, host, store, RecordKind.Lease)
    {
    }

    /// <summary>The resource.</summary>
    public string Resource => Name;

    /// <inheritdoc/>
    public override bool SomeoneWaits => _waiters.Count > 0;

    /// <summary>Takes a call in. The request has been checked and has its request id.</summary>
    /// <typeparam name="TReply">The response of the command.</typeparam>
    /// <param name="command">The command.</param>
    /// <param name="cancellationToken">Leaves the queue; heeded until the keeper takes up the call, and while an acquire waits.</param>
    /// <returns>The response; null where the keeper has retired and another must be made.</returns>
    public Task<LeaseResult<TReply>>? Submit<TReply>(LeaseCommand<TReply> command, CancellationToken cancellationToken = default)
        where TReply : class
    {
        var call = new LeaseCall<TReply>(this, command, _host.Clock.Read()) { Cancellation = cancellationToken };
        if (LeaseTracing.IsOn) call.Trace("leases.keeper", _host);
        return TryEnqueue(call, MaxCalls) ? call.Task : null;
    }

    /// <summary>
    /// Answers on the spot what needs neither the store nor the queue: a renewal within the stored horizon. It costs no task, and the
    /// calls of others wait for no longer than the machine takes.
    /// </summary>
    /// <param name="renewal">The renewal; one that is not answered may be submitted as if it had not been asked.</param>
    /// <param name="answer">The response, where there is one.</param>
    /// <returns>Whether it is answered.</returns>
    public bool TryAnswer(LeaseCommand<LeaseRenewal> renewal, out LeaseResult<LeaseRenewal> answer)
    {
        answer = default;
        lock (_gate)
        {
            if (_busy || _retired || _stopped is not null || _state is null || SomeoneWaits) return false;
            // Not before the lock: what is answered is true of the moment at which no other call is being processed.
            var now = _host.Clock.Read();
            var transition = Apply(_state, renewal, now);
            if (transition.Durable || transition.RequiresFreshRead) return false;
            // Nothing that watches show is new in it: whatever they do is durable. Nor does it call for an alarm, since one for an
            // earlier end is set, nor count as a use: what is held stays in memory.
            _state = transition.Next;
            CountRenewal(transition.Reply, stored: false);
            answer = transition.Reply.ToResult(new ResponseContext(this, _state, RequestId: null, now, now));
            return true;
        }
    }

    /// <inheritdoc/>
    public override Task Wake()
    {
        var now = _host.Clock.Read();
        // A call's wait is over when it is over, though the store hangs and the keeper with it. The keeper may be storing the
        // caller's own grant, so the caller gets a moment more.
        if (SomeoneWaits) RefuseExpiredWaits(now, _busy ? SparedWhileBusy : TimeSpan.Zero);
        bool rechecks;
        lock (_gate)
        {
            if (_retired || _stopped is not null) return Task.CompletedTask;
            rechecks = MustRecheck_NeedsLock(now);
            if (_busy || (!rechecks && _state is not null && WakeAt_NeedsLock is var due && (due is null || due > now.Monotonic)))
            {
                SetAlarm_NeedsLock();
                return Task.CompletedTask;
            }
        }

        return Tick(rechecks, now) is { } tick ? tick : Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override void Stop(Refusal.Unavailable? answer = null)
    {
        List<LeaseCall<LeaseGrant>> waiting;
        bool busy;
        lock (_gate)
        {
            _stopped ??= answer ?? ShuttingDown;
            busy = _busy;
            waiting = DequeueAll_NeedsLock();
        }

        CountHolders();
        EndWatches();

        // The call under way may be storing a grant for one of them.
        foreach (var call in waiting) call.Refuse(busy ? call.UnknownOutcome : _stopped);
    }

    private protected override bool IsNeeded => _state is { Holders.IsEmpty: false };

    private protected override TimeSpan IdleSince_NeedsLock =>
        _state is null ? _lastUsed : Holder.Max(_state.Delays.Until(owner: null), _lastUsed);

    private protected override TimeSpan? WakeAt_NeedsLock
    {
        get
        {
            var queue = NextQueueChange_NeedsLock();
            if (_busy) return queue + SparedWhileBusy;
            if (_state is null) return queue is null ? null : _retryAt;
            var wake = LeaseMachine.NextWake(_state, someoneWaits: queue is not null);
            if (queue < wake || wake is null) wake = queue;
            // After the store refused, ask again, but not at once.
            return wake < _retryAt ? _retryAt : wake;
        }
    }

    private protected override void AfterCall()
    {
        if (SomeoneWaits) RefuseExpiredWaits(_host.Clock.Read(), TimeSpan.Zero);
    }

    private protected override void Adopt(LeaseState stored)
    {
        _state = stored.Resume(_host.Clock.Read(), _host.Rules);
        _self = _host.NextActivation();
        CountHolders();
        NotifyWatchers(_state);
        DispatchCleanUps(before: null);
        ResubmitGrantedElsewhere(_state);
    }

    private protected override LeaseState None(RecordFloor floor) => LeaseState.Above(floor);

    private protected override void Begin() => _self = _host.NextActivation();

    private protected override bool MayDrop(LeaseState state, Instant now) =>
        _host.Rules.IdleBeforeDrop(Name) is { } idle && state.IsIdle(now, idle) && !SomeoneWaits && !IsWatched;

    private protected override void Advance(LeaseState next)
    {
        var before = _state ?? LeaseState.Unused;
        base.Advance(next);
        _host.Metrics?.Advanced(before, next, _host.Clock);
        LogChanges(before, next);
        CountHolders();
        DispatchCleanUps(before.Pending);
    }

    internal Instant ReadClock() => _host.Clock.Read();

    internal Transition<TReply> Apply<TReply>(LeaseState state, LeaseCommand<TReply> command, Instant now)
        where TReply : class => LeaseMachine.Apply(state, QueuedRequests(), command, now, _self, _host.Rules);

    internal LeaseInfo InfoOf(LeaseState state, Instant now)
    {
        var queue = ShowQueue(now, out var waiters);
        return LeaseViews.Info(Name, state, now, waiters, queue);
    }

    internal LeaseWatch WatchFrom(WatchPoint? since, LeaseState state, Instant now) =>
        new RecordWatch(
            GetBroadcaster(state), Name, state, new WatchEvent.LeaseSnapshot(InfoOf(state, now)), since, _host.Rules.TokenFloor).Start();

    private Task<LeaseResult<LeaseReply.Unchanged>>? Tick(bool fresh, Instant now)
    {
        var call = new LeaseCall<LeaseReply.Unchanged>(this, fresh ? new LeaseCommand.Tick(fresh) : LeaseCommand.Tick.Instance, now);
        return TryEnqueue(call) ? call.Task : null;
    }

    /// <summary>
    /// Gives the cleaner the clean-ups that are on record now and were not before. A load dispatches all of them again: the
    /// host that had them may be gone.
    /// </summary>
    private void DispatchCleanUps(ImmutableList<PendingCleanUp>? before)
    {
        if (_host.Cleaner is not { } cleaner || _state?.Pending is not { } pending || pending == before) return;
        foreach (var ended in pending)
        {
            if (before?.Exists(known => known.Token == ended.Token) != true) cleaner.CleanUp(Name, ended);
        }
    }
}
