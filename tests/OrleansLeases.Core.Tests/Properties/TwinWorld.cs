using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>
/// Two activations of one resource on one store, with clocks of their own and clients. Each step of a history is one
/// thing that happens to one of them; nothing happens by itself.
/// </summary>
internal sealed class TwinWorld
{
    private static readonly TimeSpan[] Lengths =
        [TimeSpan.FromTicks(1_009_999), TimeSpan.FromMilliseconds(700), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10)];

    // Within half the allowed skew of true time, so that no two clocks differ by more than all of it.
    private static readonly TimeSpan[] Ahead = [TimeSpan.FromSeconds(-0.5), TimeSpan.Zero, TimeSpan.FromSeconds(0.5)];

    private readonly TwinStore _store = new();
    private readonly TwinClients _clients;
    private readonly TwinHost[] _hosts;
    private TimeSpan _slept;
    private bool _steppedFar;
    private int _requests;

    public TwinWorld(Step setting)
    {
        _clients = new TwinClients(_store);
        _hosts = [Host("a", setting.A), Host("b", setting.B)];

        TwinHost Host(string name, int choice) => new(
            name, _store.Calls, MachineFixture.NewRules(name) with { RenewalFactor = (choice % 4) + 1 }, Ahead[choice % Ahead.Length]);
    }

    /// <summary>How many leases were granted: a history without any shows nothing.</summary>
    public int Grants => _clients.Grants;

    public void Take(Step step)
    {
        var host = _hosts[step.A % 2];
        var calls = _store.Calls.Held.Where(call => !_hosts.Any(one => one.Frozen && one.Caller == call.Caller)).ToList();
        var call = calls.Count > 0 ? calls[step.B % calls.Count] : null;
        switch (step.Kind)
        {
            case <= 2:
                _clients.Send(host, NewAcquire(step), hangsUp: step.D % 5 == 0);
                break;
            case 3 when _clients.Sent.Count > 0:
                _clients.Send(host, _clients.Sent[^((step.B % Math.Min(3, _clients.Sent.Count)) + 1)], hangsUp: step.D % 5 == 0);
                break;
            case 4 or 5 or 6 or 7 when Holder(step, evenIfGivenUp: step.C % 8 == 1) is { } holder:
                _clients.Send(host, RenewalOf(holder, step.C % 4 == 0 ? Lengths[step.D % Lengths.Length] : null));
                break;
            case 8 or 9 when Holder(step) is { } holder:
                _clients.Send(host, EndOf(holder, step));
                break;
            case 10:
                _clients.Send(host, LeaseCommand.Tick.Instance);
                break;
            case 11:
                _clients.Cancel(step.B);
                break;
            case 12 or 13 or 14 or 15 when call is not null:
                _store.Answer(call);
                break;
            case 16 when call is not null:
                _store.Land(call);
                break;
            case 17 when call is not null && step.C % 2 == 0:
                _store.Fail(call, mayLandYet: step.D % 2 == 0);
                break;
            case 17 when call is not null:
                _store.Refuse(call);
                break;
            case 18:
                _store.LandStray(step.B);
                break;
            case 19:
                Disturb(host, step);
                break;
            case 20:
                AnswerAll();
                break;
            case 21:
                AnswerWhileFarAhead(host, step);
                break;
            case 22:
                KeepRenewing(host, step);
                break;
            default:
                Pass(step.C % 3 == 0 ? new TimeSpan(step.D * 100L) : Lengths[step.D % Lengths.Length]);
                break;
        }

        _clients.Listen();
    }

    private static LeaseCommand EndOf(TwinClients.Belief holder, Step step) => step.Kind switch
    {
        8 => LeaseCommand.Of(new ReleaseRequest { Resource = "r", Owner = holder.Owner, Token = holder.Token }),
        9 when step.C % 2 == 0 => LeaseCommand.Of(new TransferRequest
        {
            Resource = "r", Owner = holder.Owner, Token = holder.Token, NewOwner = $"o{step.D % 4}", RequestId = $"t{step.C % 5}",
        }),
        _ => LeaseCommand.Of(new BreakRequest
        {
            Resource = "r", Token = holder.Token, Grace = Lengths[step.D % Lengths.Length], Force = step.C % 3 == 0, Reason = "why",
            RequestId = $"b{step.D % 7}",
        }),
    };

    private void Disturb(TwinHost host, Step step)
    {
        switch (step.B % 6)
        {
            case 0:
                host.Freeze(asleep: false);
                break;
            case 1:
                // A horizon that was stored by a clock far ahead says nothing of the time that a sleeping host misses.
                host.Freeze(asleep: !_steppedFar);
                break;
            case 2:
                host.Thaw();
                break;
            case 3:
                host.StepWall(Ahead[step.C % Ahead.Length]);
                break;
            case 4:
                _store.Orphan(host.Caller);
                _clients.LoseCalls(host);
                host.Forget();
                break;
            default:
                _store.Orphan(host.Caller);
                _clients.LoseCalls(host);
                host.Crash();
                break;
        }
    }

    /// <summary>The wall clock steps far ahead, something is stored, and it steps back, then or later.</summary>
    private void AnswerWhileFarAhead(TwinHost host, Step step)
    {
        if (_hosts.Any(one => one.Asleep)) return;
        _steppedFar = true;
        host.StepFarAhead();
        _clients.Send(host, Holder(step) is { } holder ? (LeaseCommand)RenewalOf(holder, null) : NewAcquire(step));
        AnswerAll();
        if (step.C % 4 > 0) host.StepWall(Ahead[step.C % Ahead.Length]);
    }

    /// <summary>A while in which a holder renews, and the store answers.</summary>
    private void KeepRenewing(TwinHost host, Step step)
    {
        for (var i = 0; i < step.D % 8; i++)
        {
            if (Holder(step) is { } holder) _clients.Send(host, RenewalOf(holder, null));
            AnswerAll();
            Pass(Lengths[1 + (step.C % 2)]);
        }
    }

    private static LeaseCommand<LeaseRenewal> RenewalOf(TwinClients.Belief holder, TimeSpan? ttl) =>
        LeaseCommand.Of(new RenewRequest { Resource = "r", Owner = holder.Owner, Token = holder.Token, Ttl = ttl });

    private LeaseCommand<LeaseGrant> NewAcquire(Step step)
    {
        var request = MachineFixture.Ask($"o{step.B % 4}", id: $"q{_requests++}") with
        {
            Ttl = Lengths[step.C % Lengths.Length],
            Mode = step.C % 3 == 0 ? LeaseMode.Shared : LeaseMode.Exclusive,
            Capacity = step.C % 3 == 0 ? 2 : null,
            Wait = step.D % 3 == 0 ? Lengths[step.D % Lengths.Length] : TimeSpan.Zero,
        };
        return LeaseCommand.Of(request);
    }

    private TwinClients.Belief? Holder(Step step, bool evenIfGivenUp = false)
    {
        var known = _clients.Beliefs.Values.Where(belief => evenIfGivenUp || !belief.GivenUp).OrderByDescending(belief => belief.Token)
            .Take(3).ToList();
        return known.Count > 0 ? known[step.B % known.Count] : null;
    }

    private void Pass(TimeSpan time)
    {
        if (_hosts.Any(host => host.Asleep)) _slept += time;
        _clients.Now += time;
        foreach (var host in _hosts) host.Pass(time);
    }

    private void AnswerAll()
    {
        _clients.Listen();
        for (var i = 0; i < 100; i++)
        {
            if (_store.Calls.Held.FirstOrDefault(call => !_hosts.Any(one => one.Frozen && one.Caller == call.Caller)) is not { } call)
            {
                return;
            }

            _store.Answer(call);
            _clients.Listen();
        }

        Assert.Fail("The keepers never stop asking the store.");
    }

    // A horizon that was stored by a clock far ahead is waited for from when it is loaded: for its span, and no longer.
    private TimeSpan WaitOfWhoeverLoadsNow()
    {
        foreach (var host in _hosts)
        {
            host.StepWall(TimeSpan.Zero);
            host.Run(keeper => keeper.Submit(new LeaseCommand.Get(Fresh: true)));
        }

        AnswerAll();
        return _store.Committed.Holders.Select(holder => holder.HorizonLength).Append(Lengths[^1]).Max();
    }

    /// <summary>I5: once nobody renews any more, the resource is free within the grace of the last deadline.</summary>
    public void ComesToRest()
    {
        foreach (var host in _hosts) host.Thaw();
        AnswerAll();
        _clients.CancelAll();
        AnswerAll();
        var longest = Lengths[^1];
        if (_steppedFar) longest = WaitOfWhoeverLoadsNow();
        // The skew once for whoever moves an inherited horizon, once for whoever inherits that, and once for steps of a wall clock.
        var grace = _hosts.Max(host => host.Rules.Reserve(longest)) + (3 * _hosts[0].Rules.ClockSkew);
        Pass(longest + grace + _slept + TimeSpan.FromMilliseconds(2));
        AnswerAll();
        foreach (var host in _hosts)
        {
            for (var attempt = 0; ; attempt++)
            {
                Task? answer = null;
                host.Run(keeper => answer = keeper.Submit(LeaseCommand.Of(MachineFixture.Ask("last", id: $"last {host.Caller}"))));
                AnswerAll();
                var told = KeeperFixture.Now<object>(answer!);
                if (told is Refusal.Unavailable && attempt < 2) continue;
                var token = Assert.IsType<LeaseGrant>(told).Token;
                host.Run(keeper => keeper.Submit(LeaseCommand.Of(new ReleaseRequest { Resource = "r", Owner = "last", Token = token })));
                AnswerAll();
                break;
            }
        }
    }
}
