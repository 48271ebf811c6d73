namespace OrleansLeases.Core.Tests;

/// <summary>
/// Clients of a twin world, as careful as real ones: each counts its deadline from its own send time, on the axis of
/// true time. What they believe must never contradict.
/// </summary>
internal sealed class TwinClients(TwinStore store)
{
    private readonly List<Call> _calls = [];
    private readonly Dictionary<string, long> _tokenOf = [];

    public TimeSpan Now { get; set; }

    /// <summary>Who believes to hold, or has, by token.</summary>
    public Dictionary<long, Belief> Beliefs { get; } = [];

    /// <summary>What was sent so far under a request id, to be repeated.</summary>
    public List<LeaseCommand> Sent { get; } = [];

    /// <summary>How many answers granted a lease for the first time: a history without any shows nothing.</summary>
    public int Grants { get; private set; }

    public void Send(TwinHost host, LeaseCommand command, bool hangsUp = false)
    {
        GiveUp(command);
        if (command is (LeaseCommand.Acquire or LeaseCommand.Transfer or LeaseCommand.Break) && !Sent.Contains(command)) Sent.Add(command);
        var call = new Call(host, command, Now, store.Writes, hangsUp);
        _calls.Add(call);
        host.Run(keeper => call.Answer = keeper.Submit(command, call.Cancel.Token));
    }

    /// <summary>A client that waits in line goes away.</summary>
    public void Cancel(int which)
    {
        if (_calls.Count > 0) _calls[which % _calls.Count].Cancel.Cancel();
    }

    /// <summary>Nobody waits any more.</summary>
    public void CancelAll()
    {
        foreach (var call in _calls.ToArray()) call.Cancel.Cancel();
    }

    /// <summary>Nobody hears from this host's calls any more.</summary>
    public void LoseCalls(TwinHost host) => _calls.RemoveAll(call => call.Host == host);

    /// <summary>Hears every answer that is there.</summary>
    public void Listen()
    {
        foreach (var call in _calls.Where(call => call.Answer is { IsCompleted: true } && !call.Host.Frozen).ToArray())
        {
            _calls.Remove(call);
            if (call.Answer!.IsCanceled) continue;
            Hear(call, KeeperFixture.Now<object>(call.Answer));
        }
    }

    // Whoever sends a release or a transfer stops believing before it sends.
    private void GiveUp(LeaseCommand command)
    {
        switch (command)
        {
            case LeaseCommand.Release { Undelivered: false, Request: var release }:
                Stop(release.Token, release.Owner);
                break;
            case LeaseCommand.Transfer { Request: var transfer }:
                Stop(transfer.Token, transfer.Owner);
                break;
            case LeaseCommand.Break { Request: { Force: true, Token: var token } }:
                // From here on, only fencing protects.
                foreach (var belief in Beliefs.Values) belief.Fenced |= token is null || belief.Token == token;
                break;
        }
    }

    private void Stop(long token, string owner)
    {
        if (Beliefs.TryGetValue(token, out var belief) && belief.Owner == owner) belief.GivenUp = true;
    }

    private void Hear(Call call, object answer)
    {
        IsTrue(call, answer);
        switch (answer, call.Command)
        {
            case (LeaseGrant grant, LeaseCommand.Acquire { Request: var request }):
                IsStored(grant.Token, LeaseEventKind.Granted);
                Assert.Equal(
                    grant.Token,
                    _tokenOf.TryAdd($"acquire {request.RequestId}", grant.Token) ? grant.Token : _tokenOf[$"acquire {request.RequestId}"]);
                if (!grant.Replayed) Grants++;
                if (call.HangsUp)
                {
                    // The gateway finds its caller gone, and gives the grant back.
                    Send(call.Host, LeaseCommand.GiveBack(grant));
                    break;
                }

                Learn(call, grant.Owner, grant.Token, grant.Mode, request.Capacity, grant.Elapsed + grant.Remaining);
                break;
            case (LeaseGrant grant, LeaseCommand.Transfer { Request: var request }):
                IsStored(grant.Token, LeaseEventKind.Granted);
                Assert.Equal(
                    grant.Token,
                    _tokenOf.TryAdd($"transfer {request.RequestId}", grant.Token)
                        ? grant.Token
                        : _tokenOf[$"transfer {request.RequestId}"]);
                Learn(
                    call,
                    grant.Owner,
                    grant.Token,
                    grant.Mode,
                    Beliefs.GetValueOrDefault(request.Token)?.Capacity,
                    grant.Elapsed + grant.Remaining);
                break;
            case (LeaseRenewal renewal, LeaseCommand.Renew { Request: var request }):
                if (!Beliefs.TryGetValue(renewal.Token, out var belief)) break;
                WithinHorizon(call, renewal);
                Learn(call, request.Owner, renewal.Token, belief.Mode, belief.Capacity, renewal.Elapsed + renewal.Remaining);
                break;
            case (LeaseRelease { Replayed: false } release, LeaseCommand.Release { Undelivered: false }):
                IsStored(release.Token, LeaseEventKind.Released);
                break;
            case (LeaseBreak order, _):
                IsStored(order.Token, LeaseEventKind.Breaking);
                break;
            case (Refusal.NotHolder refusal, LeaseCommand.Renew { Request: var request }):
                // I4: who has not given up, and was not broken by force, is the holder until its deadline.
                if (Beliefs.TryGetValue(request.Token, out var lost) && lost.Owner == request.Owner)
                    Assert.False(
                        lost.HoldsAt(Now), $"Token {request.Token} ended ({refusal.Reason}) {lost.Deadline - Now} before its deadline.");
                break;
            case (Refusal.Unavailable or Refusal.OutcomeUnknown or Refusal.Held or Refusal.NotHolder or Refusal.Conflict
                or Refusal.InvalidRequest or LeaseRelease or LeaseReply.Unchanged, _):
                break;
            default:
                Assert.Fail($"{call.Command} was answered with {answer}.");
                break;
        }
    }

    // I3, I7: a lease that a response says is in force was in force when the call was sent, though another twin may have ended it since;
    // an end that a response reports is stored. Only a renewal within the horizon is answered without a look at the store.
    private void IsTrue(Call call, object answer)
    {
        if (ToldInForce(answer) is { } token)
            Assert.True(store.WasInForceSince(call.Writes, token), $"{call.Command} was answered with {answer}, which had ended before.");
        if (ToldEnded(call, answer) is { } ended)
            Assert.True(store.HasEnded(ended), $"Token {ended} was told as ended ({answer}), which is not stored.");
        if (answer is Refusal.Held { SameOwner: true } && call.Command is LeaseCommand.Acquire { Request.Owner: var owner })
            Assert.True(store.WasHolderSince(call.Writes, owner), $"{owner} was told to hold what it did not.");
        if (answer is LeaseRenewal renewal)
            Assert.True(
                (renewal.Breaking?.EndsIn ?? renewal.Remaining) > TimeSpan.Zero, $"Token {renewal.Token} was renewed with nothing left.");
    }

    private static long? ToldInForce(object answer) => answer switch
    {
        LeaseGrant grant => grant.Token,
        LeaseBreak { EndsIn.Ticks: > 0 } order => order.Token,
        _ => null,
    };

    private static long? ToldEnded(Call call, object answer) => (answer, call.Command) switch
    {
        (LeaseBreak { EndsIn.Ticks: 0 } order, _) => order.Token,
        (LeaseRelease release, LeaseCommand.Release { Undelivered: false }) => release.Token,
        (Refusal.NotHolder { Reason: not NotHolderReason.NeverHeld }, LeaseCommand.Renew { Request: var request }) => request.Token,
        _ => null,
    };

    private void Learn(Call call, string owner, long token, LeaseMode mode, int? capacity, TimeSpan left)
    {
        if (!Beliefs.TryGetValue(token, out var belief)) Beliefs[token] = belief = new Belief(owner, token, mode, capacity);
        if (call.At + left > belief.Deadline) belief.Deadline = call.At + left;
        AreConsistent();
    }

    // I1, in true time.
    private void AreConsistent()
    {
        var holders = Beliefs.Values.Where(belief => belief.HoldsAt(Now)).ToList();
        if (holders.Count < 2) return;
        var all = string.Join("; ", holders);
        Assert.True(holders.TrueForAll(holder => holder.Mode == LeaseMode.Shared), $"Two believe to hold at {Now}: {all}.");
        Assert.True(holders.TrueForAll(holder => holder.Capacity == holders[0].Capacity), $"Capacities differ at {Now}: {all}.");
        Assert.True(holders.Count <= (holders[0].Capacity ?? int.MaxValue), $"Too many believe to hold at {Now}: {all}.");
    }

    // I3: what is told is stored, or its end is.
    private void IsStored(long token, LeaseEventKind kind) => Assert.True(
        store.Committed.Log.NewestFirst().Any(entry => entry.Token == token && entry.Kind == kind),
        $"Token {token} was told as {kind}, which is not stored.");

    private void WithinHorizon(Call call, LeaseRenewal renewal)
    {
        if (renewal.Remaining == TimeSpan.Zero || Beliefs[renewal.Token].Fenced) return;
        Assert.True(
            call.Host.Now.Latest + renewal.Remaining <= store.HorizonOf(renewal.Token) + call.Host.Rules.ClockSkew,
            $"Token {renewal.Token} was told more than its stored horizon.");
    }

    internal sealed class Belief(string owner, long token, LeaseMode mode, int? capacity)
    {
        public string Owner { get; } = owner;

        public long Token { get; } = token;

        public LeaseMode Mode { get; } = mode;

        public int? Capacity { get; } = capacity;

        public TimeSpan Deadline { get; set; }

        public bool GivenUp { get; set; }

        /// <summary>Broken by force: the resource must refuse it.</summary>
        public bool Fenced { get; set; }

        public bool HoldsAt(TimeSpan now) => !GivenUp && !Fenced && now < Deadline;

        public override string ToString() => $"{Owner} ({Mode} {Capacity}) token {Token} until {Deadline}";
    }

    private sealed class Call(TwinHost host, LeaseCommand command, TimeSpan at, long writes, bool hangsUp)
    {
        /// <summary>How many writes had landed when it was sent.</summary>
        public long Writes { get; } = writes;

        public TwinHost Host { get; } = host;

        public LeaseCommand Command { get; } = command;

        public TimeSpan At { get; } = at;

        public bool HangsUp { get; } = hangsUp;

        public CancellationTokenSource Cancel { get; } = new();

        public Task? Answer { get; set; }
    }
}
