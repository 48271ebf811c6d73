using System.Diagnostics;

namespace OrleansLeases.Core;

/// <summary>
/// Owns one resource in one host: load, claim, apply, save by compare-and-swap, reply, then move the line. Safe for
/// concurrent use: it takes one turn at a time in the order of arrival, and a call that waits in line occupies none.
/// </summary>
/// <remarks>
/// It works on a candidate state and swaps it in only after the save. A save with an unknown outcome makes it forget
/// what it knew, and the next turn loads afresh under a new claim. Two keepers of one resource may be alive at once:
/// the compare-and-swap and the horizon keep them apart.
/// </remarks>
public sealed partial class LeaseKeeper
{
    // While a store hangs, calls and their repeats gather here.
    private const int MaxTurns = 10_000;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FarthestAlarm = TimeSpan.FromMinutes(5);
    private static readonly Refusal TooManyCalls =
        new Refusal.LimitReached("calls", RetryAfter, $"{MaxTurns} calls wait for the store to answer for this resource; ask again later.");

    private static readonly Refusal.Unavailable ShuttingDown = new(RetryAfter, "The service is shutting down.");

    private readonly KeeperHost _host;
    private readonly Lock _gate = new();
    private Queue<Turn>? _turns;
    private LeaseState? _state;
    private Claim _self;
    private TimeSpan _alarmAt = TimeSpan.MaxValue;
    private TimeSpan _lastUsed;
    private bool _busy;
    private bool _retired;
    private Refusal? _stopped;
    private TimeSpan _retryAt;

    /// <summary>Makes a keeper that knows nothing yet; its first turn loads.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="host">What its host lends it.</param>
    public LeaseKeeper(string resource, KeeperHost host)
    {
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentNullException.ThrowIfNull(host);
        Resource = resource;
        _host = host;
    }

    /// <summary>The resource.</summary>
    public string Resource { get; }

    /// <summary>Whether a call is waiting in line, so that waking the keeper late would be felt.</summary>
    public bool SomeoneWaits => _line.Count > 0;

    /// <summary>Takes a call in. The request has been checked and has its request id.</summary>
    /// <param name="command">What is asked.</param>
    /// <param name="cancellationToken">Leaves the line; heeded while an acquire waits there, and nowhere else.</param>
    /// <returns>The reply record or the <see cref="Refusal"/>; null where the keeper has retired and another must be made.</returns>
    public Task<object>? Submit(LeaseCommand command, CancellationToken cancellationToken = default) =>
        Enter(new Turn(command, _host.Clock.Read()) { Cancellation = cancellationToken }, MaxTurns);

    /// <summary>Asks for the state of the resource.</summary>
    /// <param name="fresh">Compare with the stored version first.</param>
    /// <returns>A <see cref="LeaseInfo"/> or a <see cref="Refusal"/>; null where the keeper has retired.</returns>
    public Task<object>? Get(bool fresh) => Enter(
        new Turn(LeaseCommand.Tick.Instance, _host.Clock.Read()) { Fresh = fresh, View = static (keeper, state, now) => keeper.InfoOf(state, now) },
        MaxTurns);

    /// <summary>Asks for the stored events.</summary>
    /// <returns>A <see cref="LeaseHistory"/> or a <see cref="Refusal"/>; null where the keeper has retired.</returns>
    public Task<object>? History() => Enter(
        new Turn(LeaseCommand.Tick.Instance, _host.Clock.Read()) { View = static (keeper, state, _) => LeaseViews.History(keeper.Resource, state) },
        MaxTurns);

    /// <summary>Tells the keeper that an alarm it set has come. It may leave memory then: if nothing is held, delayed or waited for and nobody has asked for a while.</summary>
    /// <param name="at">The moment it was set for.</param>
    /// <returns>Whether it has retired; its host must then forget it, and otherwise <see cref="Wake"/> it soon.</returns>
    public bool Ring(TimeSpan at)
    {
        var now = _host.Clock.Read();
        lock (_gate)
        {
            if (at == _alarmAt) _alarmAt = TimeSpan.MaxValue;
            if (_retired) return true;
            if (_host.IdleAfter is not { } idle || _busy || _stopped is not null || _line.Count > 0) return false;
            if (_state is { Holders.IsEmpty: false } || now.Mono < IdleSince_NeedsLock + idle) return false;
            // A later alarm may still know this keeper; it should not keep the record in memory as well.
            _state = null;
            return _retired = true;
        }
    }

    /// <summary>Looks at what time has changed.</summary>
    /// <returns>The turn it took, if it had to take one; a host may limit how many run at once.</returns>
    public Task Wake()
    {
        var now = _host.Clock.Read();
        // A call's wait is over when it is over, though the store hangs and a turn with it. That turn may be storing the
        // caller's own grant, so it gets a moment more.
        if (SomeoneWaits) SendAwayWhoWaitedOut(now, _busy ? SparedWhileBusy : TimeSpan.Zero);
        lock (_gate)
        {
            if (_retired || _stopped is not null) return Task.CompletedTask;
            if (_busy || (_state is not null && WakeAt_NeedsLock() is var due && (due is null || due > now.Mono)))
            {
                SetAlarm_NeedsLock();
                return Task.CompletedTask;
            }
        }

        return Enter(new Turn(LeaseCommand.Tick.Instance, now)) ?? Task.CompletedTask;
    }

    /// <summary>Answers whoever waits with <c>unavailable</c>, and takes no more calls. A turn under way finishes.</summary>
    /// <param name="answer">What they are told; that the service is shutting down where left out. Of several stops the first one's answer stands.</param>
    public void Stop(Refusal.Unavailable? answer = null)
    {
        List<Turn> waiting;
        bool busy;
        lock (_gate)
        {
            _stopped ??= answer ?? ShuttingDown;
            busy = _busy;
            waiting = EveryoneLeaves_NeedsLock();
        }

        // The turn under way may be storing a grant for one of them.
        foreach (var call in waiting) call.TrySetResult(busy ? UnknownOutcomeOf(call) : _stopped);
    }

    /// <summary>Takes a turn in. The keeper's own are never refused: a grant would not be given back, or a call not answered.</summary>
    private Task<object>? Enter(Turn turn, int bound = int.MaxValue)
    {
        lock (_gate)
        {
            if (_retired) return null;
            if (_stopped is not null)
            {
                turn.TrySetResult(_stopped);
                return turn.Task;
            }

            _lastUsed = turn.Received.Mono;
            if (_busy)
            {
                if (_turns?.Count >= bound) return Task.FromResult<object>(TooManyCalls);
                (_turns ??= new()).Enqueue(turn);
                return turn.Task;
            }

            _busy = true;
            // The turn may hang in the store; those in line are sent away on time all the same.
            if (SomeoneWaits) SetAlarm_NeedsLock();
        }

        _ = TakeTurnsAsync(turn);
        return turn.Task;
    }

    // The flag _busy is the turn: whoever set it owns _state until the queue is empty.
    private async Task TakeTurnsAsync(Turn? turn)
    {
        while (turn is not null)
        {
            try
            {
                await TakeAsync(turn);
            }
            catch (Exception error)
            {
                // A defect must not leave callers waiting, nor a state that may be ahead of the store.
                _state = null;
                _retryAt = _host.Clock.Read().Mono + RetryAfter;
                turn.TrySetException(error);
            }

            if (SomeoneWaits) SendAwayWhoWaitedOut(_host.Clock.Read(), TimeSpan.Zero);
            lock (_gate)
            {
                if (_turns is null || !_turns.TryDequeue(out turn))
                {
                    turn = null;
                    _turns = null;
                    _busy = false;
                    SetAlarm_NeedsLock();
                }
            }
        }
    }

    private async ValueTask TakeAsync(Turn turn)
    {
        // Nothing has happened for it yet, and nobody would hear of its grant.
        if (turn.Cancellation.IsCancellationRequested && turn.TrySetCanceled(turn.Cancellation)) return;
        var isFresh = false;
        for (var attempt = 0; ;)
        {
            if (_state is null || (turn.Fresh && !isFresh))
            {
                if (await LoadAsync() is { } refusal)
                {
                    turn.TrySetResult(refusal);
                    return;
                }

                isFresh = true;
            }

            var state = _state!;
            var now = _host.Clock.Read();
            var transition = LeaseMachine.Apply(state, PlacesInLine(), turn.Command, now, _self, _host.Rules);
            if (transition.CheckFirst && !isFresh)
            {
                if (await LoadAsync() is { } refusal)
                {
                    turn.TrySetResult(refusal);
                    return;
                }

                isFresh = true;
                continue;
            }

            _retryAt = now.Mono + RetryAfter;
            var outcome = transition.Durable ? await SaveAsync(state, transition.Next, IsBackground(turn)) : SaveOutcome.Saved;
            switch (outcome)
            {
                case SaveOutcome.Saved:
                    _state = transition.Next;
                    _retryAt = TimeSpan.Zero;
                    if (Deliver(turn, transition)) return;
                    // The save took longer than the lease lasts: what is true now is that it has ended, and that is
                    // stored before it is told.
                    attempt = 0;
                    continue;
                case SaveOutcome.Conflict when attempt == 0:
                    // A lost compare-and-swap was not written: look again, once.
                    _state = null;
                    attempt++;
                    continue;
                case SaveOutcome.Conflict:
                    _state = null;
                    turn.TrySetResult(new Refusal.Unavailable(TimeSpan.Zero, $"'{Resource}' is being changed by another activation; repeat the call."));
                    return;
                case SaveOutcome.NotSaved:
                    turn.TrySetResult(new Refusal.Unavailable(RetryAfter, "The store refused the change, so nothing was changed; it may be full or shutting down."));
                    return;
                default:
                    _state = null;
                    turn.TrySetResult(UnknownOutcomeOf(turn));
                    foreach (var (call, _) in LeaveLine(transition.Served, turn, out _)) call.TrySetResult(UnknownOutcomeOf(call));
                    return;
            }
        }
    }

    /// <summary>Reads the stored record. Where this keeper knows that version already, it knows it better: deadlines are not stored.</summary>
    private async ValueTask<Refusal?> LoadAsync()
    {
        try
        {
            var stored = await _host.Store.LoadAsync(Resource);
            if (_state is not null && stored.Version == _state.Version) return null;
            _state = stored.Resume(_host.Clock.Read(), _host.Rules);
            _self = _host.NextClaim();
            AskAgainWhoWasServedElsewhere(_state);
            return null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            _retryAt = _host.Clock.Read().Mono + RetryAfter;
            return new Refusal.Unavailable(RetryAfter, $"The record of '{Resource}' could not be read: {error.Message}");
        }
    }

    private async ValueTask<SaveOutcome> SaveAsync(LeaseState state, LeaseState next, bool background)
    {
        try
        {
            return await _host.Store.SaveAsync(Resource, state, next, background);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return SaveOutcome.Unknown;
        }
    }

    private bool IsBackground(Turn turn) => turn.Command is LeaseCommand.Tick && turn.View is null && _line.Count == 0;

    /// <summary>Answers the turn and whoever was served with it; false where the turn's grant ended before it could be told.</summary>
    private bool Deliver(Turn turn, Transition transition)
    {
        if (transition.Served.Count > 0) TellServed(transition.Served, turn);
        var now = _host.Clock.Read();
        object? answer = transition.Reply switch
        {
            LeaseReply.Granted granted => GrantOf(turn, granted.Token, granted.Replayed, now),
            LeaseReply.Renewed renewed => LeaseViews.Renewal(Resource, HolderOf(renewed.Token), turn.Received, now),
            LeaseReply.Released released => new LeaseRelease { Resource = Resource, Token = released.Token, Replayed = released.Replayed },
            LeaseReply.Breaking breaking => LeaseViews.Break(Resource, breaking.Token, breaking.Ends, now),
            LeaseReply.Refused { Refusal: Refusal.Held } refused when turn.Command is LeaseCommand.Acquire acquire && acquire.Request.Wait > TimeSpan.Zero =>
                JoinLine(turn, acquire, now) ?? refused.Refusal,
            LeaseReply.Refused refused => refused.Refusal,
            _ => turn.View?.Invoke(this, _state!, now) ?? LeaseReply.Seen.Instance,
        };
        if (answer is null) return false;
        if (!ReferenceEquals(answer, Waiting)) turn.TrySetResult(answer);
        return true;
    }

    private LeaseGrant? GrantOf(Turn turn, long token, bool replayed, Now now)
    {
        var holder = HolderOf(token);
        return now.Mono < holder.EndsAt ? LeaseViews.Grant(Resource, holder, turn.RequestId!, replayed, turn.Received, now) : null;
    }

    private Holder HolderOf(long token)
    {
        foreach (var holder in _state!.Holders)
        {
            if (holder.Token == token) return holder;
        }

        throw new UnreachableException($"Token {token} was answered for, but nobody holds it.");
    }

    private LeaseInfo InfoOf(LeaseState state, Now now) => LeaseViews.Info(Resource, state, now, _line.Count);

    private static Refusal UnknownOutcomeOf(Turn turn) => turn.Command is LeaseCommand.Tick
        ? new Refusal.Unavailable(RetryAfter, "The store did not answer.")
        : new Refusal.OutcomeUnknown(turn.RequestId, turn.RequestId is null
            ? "The store did not say whether the change happened; repeat the call."
            : "The store did not say whether the change happened; repeat the call with the same requestId.");

        private TimeSpan IdleSince_NeedsLock => _state?.Delay is { } delay && delay.Ends > _lastUsed ? delay.Ends : _lastUsed;

    private void SetAlarm_NeedsLock()
    {
        if (_stopped is not null || _retired) return;
        var wake = _busy ? LineChanges_NeedsLock() + SparedWhileBusy : WakeAt_NeedsLock() ?? (_host.IdleAfter is { } idle ? IdleSince_NeedsLock + idle : null);
        if (wake is not { } at) return;
        // Not further than a while ahead: an alarm cannot be taken back, and keeps its keeper in memory until it rings.
        var farthest = _host.Clock.Read().Mono + FarthestAlarm;
        if (at > farthest) at = farthest;
        if (at >= _alarmAt) return;
        _alarmAt = at;
        _host.Alarm.Set(this, at);
    }

    private TimeSpan? WakeAt_NeedsLock()
    {
        var line = LineChanges_NeedsLock();
        if (_state is null) return line is null ? null : _retryAt;
        var wake = LeaseMachine.NextWake(_state, line is not null);
        if (line < wake || wake is null) wake = line;
        // After the store refused, ask again, but not at once.
        return wake < _retryAt ? _retryAt : wake;
    }
}
