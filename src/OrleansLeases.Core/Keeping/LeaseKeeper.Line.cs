namespace OrleansLeases.Core;

public sealed partial class LeaseKeeper
{
    private static readonly object Waiting = new();
    private static readonly TimeSpan SparedWhileBusy = TimeSpan.FromSeconds(1);
    private static readonly List<Waiter> Nobody = [];
    private static readonly Refusal TakenOver =
        new Refusal.Unavailable(TimeSpan.Zero, "A newer call with the same requestId has taken over this one.");

    // Volatile: first come first, guarded by _gate, since clients leave at any time.
    private List<Waiter> _line = Nobody;

    private List<WaitingPlace> PlacesInLine()
    {
        if (_line.Count == 0) return [];
        lock (_gate)
        {
            return _line.ConvertAll(waiter => new WaitingPlace(waiter.Command.Request, waiter.Command.Stamp, waiter.Call is not null));
        }
    }

    /// <summary>Puts a call that found the resource held in line, or back into its place; the answer is a refusal where there is no room.</summary>
    private object? JoinLine(LeaseTurn turn, LeaseCommand.Acquire acquire, Now now)
    {
        if (turn.Received.Mono + acquire.Request.Wait <= now.Mono) return null;
        LeaseTurn? before;
        Waiter? waiter;
        lock (_gate)
        {
            if (_stopped is not null) return _stopped;
            waiter = _line.Find(place => place.Command.Stamp.Id == acquire.Stamp.Id);
            if (waiter is null)
            {
                if (_line.Count >= _host.Rules.Limits.MaxWaiters) return Refusals.TooManyWaiters(_host.Rules.Limits.MaxWaiters);
                if (_line == Nobody) _line = [];
                _line.Add(waiter = new Waiter(acquire));
            }

            // The newest call of a request id stands for it: an older one may be a connection that is half dead.
            before = waiter.Call;
            waiter.Registration.Unregister();
            waiter.Attend(turn, acquire.Request.Wait);
            SetAlarm_NeedsLock();
        }

        before?.TrySetResult(TakenOver);
        // Outside the lock: a token that is cancelled already calls back at once.
        waiter.Registration = turn.Cancellation.UnsafeRegister(static (state, _) => ((Action)state!)(), () => Leave(waiter, turn));
        return Waiting;
    }

    private void Leave(Waiter waiter, LeaseTurn turn)
    {
        var now = _host.Clock.Read();
        lock (_gate)
        {
            if (waiter.Call != turn) return;
            waiter.Leave(now.Mono);
            SetAlarm_NeedsLock();
        }

        turn.TrySetCanceled(turn.Cancellation);
        // Whoever stood behind may fit now.
        Enter(new LeaseTurn(LeaseCommand.Tick.Instance, now));
    }

    /// <summary>
    /// Takes the places that were served out of the line. A place may be without its call by now, or lost: saving its
    /// grant took a while.
    /// </summary>
    private List<(LeaseTurn Call, long Token)> LeaveLine(IReadOnlyList<ServedPlace> served, LeaseTurn turn, out List<ServedPlace> gone)
    {
        List<(LeaseTurn, long)> calls = [];
        gone = [];
        LeaseTurn? replaced = null;
        lock (_gate)
        {
            foreach (var (stamp, token) in served)
            {
                var waiter = _line.Find(place => place.Command.Stamp.Id == stamp.Id);
                if (waiter is not null)
                {
                    _line.Remove(waiter);
                    waiter.Registration.Unregister();
                }

                if (turn.Command is LeaseCommand.Acquire asking && asking.Stamp.Id == stamp.Id) replaced = waiter?.Call;
                else if (waiter?.Call is { } call) calls.Add((call, token));
                else gone.Add(new(stamp, token));
            }
        }

        // The newest call of a request id got the grant; were the older one told too, its broken connection could give the grant back.
        replaced?.TrySetResult(TakenOver);
        return calls;
    }

    private void TellServed(IReadOnlyList<ServedPlace> served, LeaseTurn turn)
    {
        var calls = LeaveLine(served, turn, out var gone);
        foreach (var (call, token) in calls)
        {
            var now = _host.Clock.Read();
            if (IsOver(token, now))
            {
                // It ended before it could be told; a turn of its own records that and says so.
                call.IsStored = true;
                lock (_gate) (_turns ??= new()).Enqueue(call);
            }
            else if (!call.TrySetResult(GrantOf(call, token, replayed: false, now)))
            {
                gone.Add(new(default, token));
            }
        }

        // Their clients left while the grants were being stored: the next in line may have them.
        foreach (var (_, token) in gone) GiveBack(HolderOf(token).Owner, token);
    }

    // Another activation may have served a request that waits here as well. Its id is applied once: the call leaves the
    // line and is answered as a repeat.
    private void AskAgainWhoWasServedElsewhere(LeaseState state)
    {
        if (!SomeoneWaits) return;
        List<Waiter> served;
        lock (_gate)
        {
            served = _line.FindAll(waiter => state.Knows(waiter.Command.Stamp.Id));
            foreach (var waiter in served)
            {
                waiter.Registration.Unregister();
                _line.Remove(waiter);
            }
        }

        foreach (var waiter in served)
        {
            if (waiter.Call is { } call) Enter(call);
        }
    }

    private void GiveBack(string owner, long token) => Enter(new LeaseTurn(LeaseCommand.GiveBack(Resource, owner, token), _host.Clock.Read()));

    private void SendAwayWhoWaitedOut(Now now, TimeSpan spared)
    {
        List<(LeaseTurn Call, Refusal Answer)> sent = [];
        lock (_gate)
        {
            foreach (var waiter in _line)
            {
                if (waiter.Call is not { } call || now.Mono < waiter.Until + spared) continue;
                sent.Add((call, RefusalFor(waiter, now)));
                waiter.Registration.Unregister();
                waiter.Leave(now.Mono);
            }

            _line.RemoveAll(waiter => waiter.Call is null && now.Mono >= waiter.Until);
        }

        foreach (var (call, answer) in sent) call.TrySetResult(answer);
        // Whoever stood behind those that left may fit now.
        if (sent.Count > 0 && SomeoneWaits) Enter(new LeaseTurn(LeaseCommand.Tick.Instance, now));
    }

    private TimeSpan? LineChanges_NeedsLock()
    {
        TimeSpan? changes = null;
        foreach (var waiter in _line)
        {
            if (changes is null || waiter.Until < changes) changes = waiter.Until;
        }

        return changes;
    }

    private Refusal RefusalFor(Waiter waiter, Now now) => _state is { } state
        ? Refusals.Held(waiter.Command.Request, state.Holders, state.Delay, now, _line.IndexOf(waiter) + 1, waits: true)
        : new Refusal.Unavailable(TimeSpan.Zero, "The store did not answer while this call waited in line; repeat it to keep the place.");

    private List<LeaseTurn> EveryoneLeaves_NeedsLock()
    {
        List<LeaseTurn> calls = [];
        foreach (var waiter in _line)
        {
            waiter.Registration.Unregister();
            if (waiter.Call is { } call) calls.Add(call);
        }

        _line = Nobody;
        return calls;
    }
}
