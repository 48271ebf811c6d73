using OrleansLeases.Storage;

namespace OrleansLeases.Core;

/// <summary>
/// Owns one record in one host. Safe for concurrent use: it processes one call at a time in the order of arrival, sets
/// the alarms that wake it, and retires when it has had no call for a while.
/// </summary>
internal abstract class Keeper
{
    // While a store hangs, calls and their repeats gather here.
    private protected const int MaxCalls = 20_000;
    internal static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private protected static readonly Refusal.Unavailable ShuttingDown = new(RetryAfter, "The service is shutting down.");
    // So long may a watch at this keeper miss what another keeper of the record has stored.
    private static readonly TimeSpan RecheckEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FarthestAlarm = TimeSpan.FromMinutes(5);
    private static readonly Refusal TooManyCalls =
        new Refusal.LimitReached("calls", RetryAfter, $"{MaxCalls} calls wait for the store to answer for this name; ask again later.");

    private protected readonly KeeperHost _host;
    private protected readonly Lock _gate = new();
    private protected Queue<IPendingCall>? _calls;
    private protected TimeSpan _lastUsed;
    private protected TimeSpan _retryAt;
    private protected bool _busy;
    private protected bool _retired;
    private protected Refusal? _stopped;
    private TimeSpan _alarmAt = TimeSpan.MaxValue;
    private long _lastCall;
    private long _comparedFor;
    private RecordBroadcaster? _broadcaster;
    private TimeSpan _lastReadAt;
    private bool _watched;
    private long _lastNotified = -1;
    private bool _notifiesAll;

    private protected Keeper(string name, KeeperHost host)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(host);
        (Name, _host) = (name, host);
    }

    /// <summary>The name of the record.</summary>
    public string Name { get; }

    internal bool IsSingleWriter => _host.IsSingleWriter;

    /// <summary>Whether a call is waiting for something that time brings, so that waking the keeper late would be felt.</summary>
    public virtual bool SomeoneWaits => false;

    /// <summary>Whether somebody watches the record here.</summary>
    public bool IsWatched => Volatile.Read(ref _broadcaster) is { IsRead: true };

    /// <summary>
    /// The host's alarm, which this keeper set, has come. The keeper may leave memory then: if it has nothing to do, and has had no
    /// call for a while.
    /// </summary>
    /// <param name="at">The moment it was set for.</param>
    /// <returns>Whether it has retired; its host must then forget it, and otherwise <see cref="Wake"/> it soon.</returns>
    public bool OnAlarm(TimeSpan at)
    {
        var now = _host.Clock.Read();
        lock (_gate)
        {
            if (at == _alarmAt) _alarmAt = TimeSpan.MaxValue;
            if (_retired) return true;
            if (_host.IdleAfter is not { } idle || _busy || _stopped is not null || SomeoneWaits) return false;
            // A watch is a use.
            if (IsWatched) _lastUsed = now.Monotonic;
            // What time has changed is looked at first.
            if (IsNeeded || now.Monotonic < IdleSince_NeedsLock + idle || WakeAt_NeedsLock <= now.Monotonic) return false;
            // A later alarm may still know this keeper; it should not keep the record in memory as well.
            DropState();
            // A watch that was started may yet be read.
            EndWatches();
            _retired = true;
            OnRetired_NeedsLock();
            return true;
        }
    }

    /// <summary>
    /// Drops the record, if it may be dropped. Nobody asks for it; and where nothing else is in memory, the keeper may leave it at once.
    /// </summary>
    /// <returns>Whether it was dropped; null where the keeper has retired and another must be made.</returns>
    public abstract Task<LeaseResult<Dropped>>? SubmitDrop();

    /// <summary>Looks at what time has changed.</summary>
    /// <returns>Completes when the keeper has looked; a host may limit how many keepers do at once.</returns>
    public abstract Task Wake();

    /// <summary>Responds <c>unavailable</c> to every waiter, and takes no more calls. A call under way finishes.</summary>
    /// <param name="answer">
    /// What the waiters get; that the service is shutting down where left out. Of several stops the first one's answer stands.
    /// </param>
    public virtual void Stop(Refusal.Unavailable? answer = null)
    {
        lock (_gate) _stopped ??= answer ?? ShuttingDown;
        EndWatches();
    }

    private protected virtual void OnRetired_NeedsLock()
    {
    }

    /// <summary>Whether it knows the record: what it knows is stored.</summary>
    private protected abstract bool KnowsState { get; }

    /// <summary>Forgets the record: the next call loads it afresh.</summary>
    private protected abstract void DropState();

    /// <summary>Whether the record must stay in memory, however long ago the last call was.</summary>
    private protected virtual bool IsNeeded => false;

    private protected virtual TimeSpan IdleSince_NeedsLock => _lastUsed;

    /// <summary>When the record changes by itself; while a call is under way, when a waiter must get its response all the same.</summary>
    private protected virtual TimeSpan? WakeAt_NeedsLock => null;

    /// <summary>
    /// Loads the record. One load satisfies every consistent read that was queued before it started.
    /// </summary>
    private protected async ValueTask<TAnswer> AskStoreAsync<TAsk, TAnswer>(Func<TAsk, ValueTask<TAnswer>> asking, TAsk ask)
    {
        var arrived = Volatile.Read(ref _lastCall);
        _lastReadAt = _host.Clock.Read().Monotonic;
        var answer = await asking(ask);
        _comparedFor = arrived;
        return answer;
    }

    /// <summary>Whether the record was compared with the store since the call arrived.</summary>
    private protected bool IsCompared(IPendingCall call) => call.Number <= _comparedFor;

    private protected virtual void AfterCall()
    {
    }

    /// <summary>
    /// Shows a stored record to its watchers, whichever keeper stored it. Before the first load no watcher could have missed a change.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="mayBePast">
    /// Whether what is new in it may have been true long ago only: the watches start over then, as a read would.
    /// </param>
    private protected void NotifyWatchers(IHistory record, bool mayBePast = false)
    {
        if (_notifiesAll && record.Last == _lastNotified) return;
        if (_lastNotified >= 0 && record.Last > _lastNotified)
        {
            if (mayBePast) RestartWatches();
            else _host.Prefixes?.Publish(Name, record, _lastNotified);
        }

        (_lastNotified, _notifiesAll) = (record.Last, true);
        _broadcaster?.Publish(record);
    }

    /// <summary>
    /// The record was dropped, and its events with it. A watch of it that comes late finds that; a watch of its prefix has missed nothing.
    /// </summary>
    private protected void ForgetEvents(IHistory none)
    {
        _lastNotified = none.Last;
        _broadcaster?.Publish(none);
    }

    /// <summary>Finds or makes what shows a stored record to its watchers; called while the keeper processes a call.</summary>
    private protected RecordBroadcaster GetBroadcaster(IHistory record)
    {
        lock (_gate)
        {
            _broadcaster ??= new(record, CompareFromNowOn);
            if (_stopped is not null) _broadcaster.End();
            _watched = true;
            return _broadcaster;
        }
    }

    /// <summary>
    /// Whether to compare the record with the store, since it is watched and was not compared for a while: a keeper that does
    /// not know that another one writes as well would show its watchers nothing, for ever.
    /// </summary>
    private protected bool MustRecheck_NeedsLock(Instant now)
    {
        if (RecheckAt_NeedsLock is not { } at || at > now.Monotonic) return false;
        return _watched = IsWatched;
    }

    // A watch that was started may begin to be read at any time later, on a busy machine or over a slow network.
    private void CompareFromNowOn()
    {
        lock (_gate)
        {
            _watched = true;
            SetAlarm_NeedsLock();
        }
    }

    private TimeSpan? RecheckAt_NeedsLock => _watched && !_host.IsSingleWriter && !_busy ? _lastReadAt + RecheckEvery : null;

    private protected void EndWatches() => Volatile.Read(ref _broadcaster)?.End();

    // What was stored meanwhile, if anything, is known with the next load. A watch of this record asks for that at once,
    // and goes on by the number of its last event; one of a prefix has no number.
    private void NotifyOfLoss()
    {
        if (!_notifiesAll || KnowsState) return;
        _notifiesAll = false;
        RestartWatches();
    }

    private protected void RestartWatches()
    {
        _host.Prefixes?.Lose(Name);
        RestartOwnWatches();
    }

    /// <summary>Watches of this record begin again by the last event that they know; those of its prefix have missed nothing.</summary>
    private protected void RestartOwnWatches()
    {
        EndWatches();
        lock (_gate) _broadcaster = null;
    }

    /// <summary>
    /// Queues a call. The keeper's own calls are never refused: a grant would not be given back, or a caller not answered.
    /// </summary>
    /// <returns>False where the keeper has retired and another must be made.</returns>
    private protected bool TryEnqueue(IPendingCall call, int bound = int.MaxValue)
    {
        lock (_gate)
        {
            if (_retired) return false;
            if ((_stopped ?? (_busy && _calls?.Count >= bound ? TooManyCalls : null)) is { } refusal)
            {
                call.Refuse(refusal);
                return true;
            }

            call.Number = ++_lastCall;
            if (call.IsUse) _lastUsed = call.Received.Monotonic;
            if (_busy)
            {
                (_calls ??= new()).Enqueue(call);
                return true;
            }

            _busy = true;
            // The call may hang in the store; the keeper sends those who wait away on time all the same.
            if (SomeoneWaits) SetAlarm_NeedsLock();
        }

        // The calls that queue behind it are others': what it awaits does not go on in the context of the first caller.
        _ = Background.SuppressFlow(static start => start.Keeper.Start(start.Call), (Keeper: this, Call: call));
        return true;
    }

    private Task Start(IPendingCall call) => _host.Background is { } background
        ? Background.StartOnDefaultScheduler(
            static start => start.Keeper.ProcessAllAsync(start.Call), (Keeper: this, Call: call), background)
        : ProcessAllAsync(call);

    // The flag _busy is ownership: the caller that set it owns the record until no call is queued.
    private async Task ProcessAllAsync(IPendingCall? call)
    {
        while (call is not null)
        {
            try
            {
                await call.ProcessAsync();
            }
            catch (Exception error)
            {
                // A defect must not leave callers waiting, nor a state that may be ahead of the store.
                DropState();
                _retryAt = _host.Clock.Read().Monotonic + RetryAfter;
                call.Fault(error);
            }

            NotifyOfLoss();
            AfterCall();
            lock (_gate)
            {
                if (_calls is null || !_calls.TryDequeue(out call))
                {
                    call = null;
                    _calls = null;
                    _busy = false;
                    SetAlarm_NeedsLock();
                }
            }
        }
    }

    private protected void SetAlarm_NeedsLock()
    {
        if (_stopped is not null || _retired) return;
        var wake = WakeAt_NeedsLock ?? (!_busy && _host.IdleAfter is { } idle ? IdleSince_NeedsLock + idle : null);
        if (RecheckAt_NeedsLock is { } look && !(wake < look)) wake = look;
        if (wake is not { } at || at >= _alarmAt) return;
        // Not further than a while ahead: an alarm cannot be taken back, and keeps its keeper in memory until it rings.
        at = Holder.Min(at, _host.Clock.Read().Monotonic + FarthestAlarm);
        if (at >= _alarmAt) return;
        _alarmAt = at;
        _host.Alarm.Set(this, at);
    }

    internal static Refusal UnknownOutcome(string? requestId) => new Refusal.OutcomeUnknown(requestId, requestId is null
        ? "The store did not say whether the change happened; repeat the call."
        : "The store did not say whether the change happened; repeat the call with the same requestId.");

    private protected static Refusal NotSaved() =>
        new Refusal.Unavailable(
            RetryAfter, "The store did not take the change, so nothing was changed; it may be full, out of connections or away.");

    private protected Refusal ChangedByOthers() =>
        new Refusal.Unavailable(TimeSpan.Zero, $"'{Name}' is being changed by another activation; repeat the call.");

    private protected Refusal NotRead(Exception error)
    {
        _retryAt = _host.Clock.Read().Monotonic + RetryAfter;
        var what = $"The record of '{Name}' could not be read";
        var why = error is StoreUnreadableException or InvalidDataException ? $": {error.Message}"
            : _host.Failed?.Invoke(what, error) is { } failure ? $"; the log says why, under {failure}."
            : ".";
        return new Refusal.Unavailable(RetryAfter, what + why);
    }
}
