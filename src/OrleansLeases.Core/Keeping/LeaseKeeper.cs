using System.Collections.Immutable;
using System.Diagnostics;

namespace OrleansLeases.Core;

/// <summary>
/// Owns one resource in one host: load, claim, apply, save by compare-and-swap, reply, then move the line and hand out
/// what is to be cleaned up. A call that waits in line occupies no turn.
/// </summary>
/// <remarks>
/// It works on a candidate state and swaps it in only after the save. A save with an unknown outcome makes it forget
/// what it knew, and the next turn loads afresh under a new claim. Two keepers of one resource may be alive at once:
/// the compare-and-swap and the horizon keep them apart.
/// </remarks>
public sealed partial class LeaseKeeper : Keeper
{
    private LeaseState? _state;
    private Claim _self;

    /// <summary>Makes a keeper that knows nothing yet; its first turn loads.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="host">What its host lends it.</param>
    public LeaseKeeper(string resource, KeeperHost host)
        : base(resource, host)
    {
    }

    /// <summary>The resource.</summary>
    public string Resource => Name;

    /// <inheritdoc/>
    public override bool SomeoneWaits => _line.Count > 0;

    /// <summary>Takes a call in. The request has been checked and has its request id.</summary>
    /// <param name="command">What is asked.</param>
    /// <param name="cancellationToken">Leaves the line; heeded while an acquire waits there, and nowhere else.</param>
    /// <returns>The reply record or the <see cref="Refusal"/>; null where the keeper has retired and another must be made.</returns>
    public Task<object>? Submit(LeaseCommand command, CancellationToken cancellationToken = default) =>
        Enter(new LeaseTurn(command, _host.Clock.Read()) { Cancellation = cancellationToken }, MaxTurns);

    /// <summary>Asks for the state of the resource.</summary>
    /// <param name="fresh">Compare with the stored version first.</param>
    /// <returns>A <see cref="LeaseInfo"/> or a <see cref="Refusal"/>; null where the keeper has retired.</returns>
    public Task<object>? Get(bool fresh) => Enter(
        new LeaseTurn(LeaseCommand.Tick.Instance, _host.Clock.Read()) { Fresh = fresh, View = static (keeper, state, now) => keeper.InfoOf(state, now) },
        MaxTurns);

    /// <summary>Asks for the stored events.</summary>
    /// <returns>A <see cref="LeaseHistory"/> or a <see cref="Refusal"/>; null where the keeper has retired.</returns>
    public Task<object>? History() => Enter(
        new LeaseTurn(LeaseCommand.Tick.Instance, _host.Clock.Read()) { View = static (keeper, state, _) => LeaseViews.History(keeper.Resource, state) },
        MaxTurns);

    /// <summary>Starts a watch of the resource, which ends where this keeper does.</summary>
    /// <param name="since">The last change known; null to start with the state.</param>
    /// <returns>A <see cref="LeaseWatch"/> or a <see cref="Refusal"/>; null where the keeper has retired.</returns>
    public Task<object>? Watch(WatchPoint? since) => Enter(
        new LeaseTurn(LeaseCommand.Tick.Instance, _host.Clock.Read())
        {
            Fresh = !_host.Alone,
            View = (keeper, state, now) => keeper.WatchFrom(since, state, now),
        },
        MaxTurns);

    /// <inheritdoc/>
    public override Task Wake()
    {
        var now = _host.Clock.Read();
        // A call's wait is over when it is over, though the store hangs and a turn with it. That turn may be storing the
        // caller's own grant, so it gets a moment more.
        if (SomeoneWaits) SendAwayWhoWaitedOut(now, _busy ? SparedWhileBusy : TimeSpan.Zero);
        bool looks;
        lock (_gate)
        {
            if (_retired || _stopped is not null) return Task.CompletedTask;
            looks = MustLook_NeedsLock(now);
            if (_busy || (!looks && _state is not null && WakeAt_NeedsLock is var due && (due is null || due > now.Mono)))
            {
                SetAlarm_NeedsLock();
                return Task.CompletedTask;
            }
        }

        return Enter(new LeaseTurn(LeaseCommand.Tick.Instance, now) { Fresh = looks }) ?? Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override void Stop(Refusal.Unavailable? answer = null)
    {
        List<LeaseTurn> waiting;
        bool busy;
        lock (_gate)
        {
            _stopped ??= answer ?? ShuttingDown;
            busy = _busy;
            waiting = EveryoneLeaves_NeedsLock();
        }

        EndWatches();

        // The turn under way may be storing a grant for one of them.
        foreach (var call in waiting) call.TrySetResult(busy ? UnknownOutcomeOf(call) : _stopped);
    }

    private protected override void DropState() => _state = null;

    private protected override bool KnowsState => _state is not null;

    private protected override bool IsNeeded => _state is { Holders.IsEmpty: false };

    private protected override TimeSpan IdleSince_NeedsLock => _state?.Delay is { } delay && delay.Ends > _lastUsed ? delay.Ends : _lastUsed;

    private protected override TimeSpan? WakeAt_NeedsLock
    {
        get
        {
            var line = LineChanges_NeedsLock();
            if (_busy) return line + SparedWhileBusy;
            if (_state is null) return line is null ? null : _retryAt;
            var wake = LeaseMachine.NextWake(_state, line is not null);
            if (line < wake || wake is null) wake = line;
            // After the store refused, ask again, but not at once.
            return wake < _retryAt ? _retryAt : wake;
        }
    }

    private protected override void AfterTurn()
    {
        if (SomeoneWaits) SendAwayWhoWaitedOut(_host.Clock.Read(), TimeSpan.Zero);
    }

    private protected override async ValueTask TakeAsync(Turn queued)
    {
        var turn = (LeaseTurn)queued;
        // Nothing has happened for it yet, and nobody would hear of its grant.
        if (turn.Cancellation.IsCancellationRequested && turn.TrySetCanceled(turn.Cancellation)) return;
        var isFresh = IsCompared(turn);
        for (var attempt = 0; ;)
        {
            if (_state is null || (turn.Fresh && !isFresh))
            {
                if (await LoadAsync() is { } refusal)
                {
                    Fail(turn, refusal);
                    return;
                }

                isFresh = true;
            }

            var state = _state!;
            var now = _host.Clock.Read();
            var transition = LeaseMachine.Apply(state, PlacesInLine(), turn.Command, now, _self, _host.Rules);
            if (transition.CheckFirst && !isFresh && !_host.Alone)
            {
                if (await LoadAsync() is { } refusal)
                {
                    Fail(turn, refusal);
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
                    Tell(_state);
                    _retryAt = TimeSpan.Zero;
                    HandOut(state.Pending);
                    if (Deliver(turn, transition)) return;
                    // The save took longer than a lease lasts that the answer rests on: what is true now is that it has
                    // ended, and that is stored before it is told. What was changed by then stays, whatever becomes of that.
                    turn.IsStored |= transition.Durable;
                    attempt = 0;
                    continue;
                case SaveOutcome.Conflict when attempt == 0:
                    // A lost compare-and-swap was not written: look again, once.
                    _state = null;
                    attempt++;
                    continue;
                case SaveOutcome.Conflict:
                    _state = null;
                    Fail(turn, ChangedByOthers());
                    return;
                case SaveOutcome.NotSaved:
                    Fail(turn, NotSaved());
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
            var stored = await ReadStoreAsync(_host.Store.LoadAsync);
            if (_state is not null && stored.Version == _state.Version) return null;
            _state = stored.Resume(_host.Clock.Read(), _host.Rules);
            _self = _host.NextClaim();
            Tell(_state);
            HandOut(before: null);
            AskAgainWhoWasServedElsewhere(_state);
            return null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return NotRead(error);
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

    private bool IsBackground(LeaseTurn turn) => (!turn.IsUse || (turn.Command is LeaseCommand.Tick && turn.View is null)) && _line.Count == 0;

    /// <summary>
    /// Hands out the clean-ups that are on record now and were not before. A load hands out all of them again: whoever
    /// had them may be gone.
    /// </summary>
    private void HandOut(ImmutableList<PendingCleanUp>? before)
    {
        if (_host.Cleaner is not { } cleaner || _state?.Pending is not { } pending || pending == before) return;
        foreach (var ended in pending)
        {
            if (before?.Exists(known => known.Token == ended.Token) != true) cleaner.CleanUp(Resource, ended);
        }
    }

    /// <summary>Answers the turn and whoever was served with it; false where time has ended since what the answer rests on.</summary>
    private bool Deliver(LeaseTurn turn, Transition transition)
    {
        if (transition.Served.Count > 0) TellServed(transition.Served, turn);
        var now = _host.Clock.Read();
        if (IsOvertaken(turn, transition, now)) return false;
        object answer = transition.Reply switch
        {
            LeaseReply.Granted granted => GrantOf(turn, granted.Token, granted.Replayed, now),
            LeaseReply.Renewed renewed => LeaseViews.Renewal(Resource, HolderOf(renewed.Token), turn.Received, now),
            LeaseReply.Released released => new LeaseRelease { Resource = Resource, Token = released.Token, Replayed = released.Replayed },
            LeaseReply.Breaking breaking => LeaseViews.Break(Resource, breaking.Token, breaking.Ends, now),
            LeaseReply.Refused { Refusal: Refusal.Held } refused when turn.Command is LeaseCommand.Acquire acquire && acquire.Request.Wait > TimeSpan.Zero =>
                JoinLine(turn, acquire, now) ?? refused.Refusal,
            LeaseReply.Refused refused => refused.Refusal,
            LeaseReply.Noted or LeaseReply.Tokens or LeaseReply.Keys => transition.Reply,
            _ => turn.View?.Invoke(this, _state!, now) ?? LeaseReply.Seen.Instance,
        };
        if (!ReferenceEquals(answer, Waiting)) turn.TrySetResult(answer);
        return true;
    }

    /// <summary>Whether time has run out since, while the record was being stored, for a lease that an answer is about.</summary>
    private bool IsOvertaken(LeaseTurn turn, Transition transition, Now now) => transition.Reply switch
    {
        LeaseReply.Granted granted => IsOver(granted.Token, now),
        LeaseReply.Renewed renewed => IsOver(renewed.Token, now) || (transition.Durable && IsSpent(HolderOf(renewed.Token), now)),
        LeaseReply.Breaking breaking => IsOver(breaking.Token, now),
        LeaseReply.Tokens or LeaseReply.Refused { Refusal: Refusal.Held } => IsAnyOver(now),
        _ => turn.View is not null && IsAnyOver(now),
    };

    /// <summary>Whether a lease's time has run out since the record was made, so that its end is not stored yet.</summary>
    private bool IsOver(long token, Now now)
    {
        foreach (var holder in _state!.Holders)
        {
            if (holder.Token == token) return now.Mono >= holder.EndsAt;
        }

        return false;
    }

    private bool IsAnyOver(Now now)
    {
        foreach (var holder in _state!.Holders)
        {
            if (now.Mono >= holder.EndsAt) return true;
        }

        return false;
    }

    // Nothing is left of what the renewal stored, while the place is kept for what others may have told: it is renewed again. A
    // save each time, and no longer than the place is kept.
    private static bool IsSpent(Holder holder, Now now) => holder.Breaking is null && holder.Remaining(now) == TimeSpan.Zero;

    private LeaseGrant GrantOf(LeaseTurn turn, long token, bool replayed, Now now) =>
        LeaseViews.Grant(Resource, HolderOf(token), turn.RequestId!, replayed, turn.Received, now);

    private Holder HolderOf(long token)
    {
        foreach (var holder in _state!.Holders)
        {
            if (holder.Token == token) return holder;
        }

        throw new UnreachableException($"Token {token} was answered for, but nobody holds it.");
    }

    private LeaseInfo InfoOf(LeaseState state, Now now) => LeaseViews.Info(Resource, state, now, _line.Count);

    private LeaseWatch WatchFrom(WatchPoint? since, LeaseState state, Now now) =>
        new RecordWatch(PutUp(state), Resource, state, new WatchEvent.LeaseSnapshot(InfoOf(state, now)), since, _host.Rules.TokenFloor).Start();

    /// <summary>Answers a turn that came to nothing; unless something of it is stored, of which the answer would not be true.</summary>
    private static void Fail(LeaseTurn turn, Refusal refusal) => turn.TrySetResult(turn.IsStored ? UnknownOutcomeOf(turn) : refusal);

    private static Refusal UnknownOutcomeOf(LeaseTurn turn) => turn.Command is LeaseCommand.Tick or LeaseCommand.WhoHolds
        ? new Refusal.Unavailable(RetryAfter, "The store did not answer.")
        : UnknownOutcome(turn.RequestId);
}
