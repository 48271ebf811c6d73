using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>
/// Two activations of one resource on one store, whose every call lands and is answered when the history says so. Nothing happens by
/// itself.
/// </summary>
internal sealed class DropWorld
{
    private static readonly TimeSpan Retain = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Idle = Retain + new LeaseRules { Incarnation = "" }.ClockSkew;

    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedStore _store = new() { Hold = true, CanAddOrLoad = true };
    private readonly Dictionary<ScriptedStore.StoreCall, Func<object>> _landed = [];
    private readonly List<ScriptedStore.SaveCall> _strays = [];
    private readonly List<(LeaseGrant Grant, string Owner)> _told = [];
    private readonly List<(Task<LeaseResult<LeaseGrant>> Answer, string Owner)> _asked = [];
    private readonly Host[] _hosts;
    private RecordFloor _highest;
    private int _epoch;
    private int _requests;

    public DropWorld() => _hosts = [new(this, "a"), new(this, "b")];

    public int Drops { get; private set; }

    /// <summary>How many first records were stored after a drop.</summary>
    public int Returns { get; private set; }

    public void Take(Step step)
    {
        var host = _hosts[step.A % 2];
        var call = _store.Held.Count > 0 ? _store.Held[step.B % _store.Held.Count] : null;
        switch (step.Kind)
        {
            case <= 2:
                Acquire(host);
                break;
            case 3 or 4 when _told.Count > 0:
                Release(host, _told[^((step.B % Math.Min(3, _told.Count)) + 1)]);
                break;
            case 5 or 6 or 7:
                _ = host.Keeper.SubmitDrop();
                break;
            case 8:
                host.Keeper.Submit(new LeaseCommand.Get(Fresh: step.C % 2 == 0));
                break;
            case 9 or 10 or 11 when call is not null:
                Answer(call);
                break;
            case 12 when call is not null:
                Land(call);
                break;
            case 13 when call is not null:
                Fail(call, mayLandYet: step.D % 2 == 0);
                break;
            case 14 when _strays.Count > 0:
                LandStray(step.B);
                break;
            case 15:
                host.Crash();
                break;
            case 16 when step.C % 4 == 0:
                BumpEpoch();
                break;
            case 17 or 18:
                _time.Advance(Idle);
                break;
            case 19 or 20 when _told.Count > 0:
                var (grant, owner) = _told[^1];
                host.Keeper.Submit(LeaseCommand.Of(
                    new RenewRequest { Resource = MachineFixture.Resource, Owner = owner, Token = grant.Token }));
                break;
            default:
                AnswerAll();
                break;
        }

        Listen();
    }

    /// <summary>Whatever has happened, in the end the record can be dropped, and the name granted.</summary>
    public void ComesToRest()
    {
        AnswerAll();
        _time.Advance(TimeSpan.FromHours(1));
        foreach (var host in _hosts) host.Keeper.Submit(new LeaseCommand.Get(Fresh: true));
        AnswerAll();
        _time.Advance(Idle);
        _ = _hosts[0].Keeper.SubmitDrop();
        AnswerAll();
        Assert.Equal(0, _store.Read(MachineFixture.Resource).Version);
        foreach (var host in _hosts)
        {
            Acquire(host);
            AnswerAll();
            var (grant, owner) = _told[^1];
            Assert.Equal($"o{_requests}", owner);
            Release(host, (grant, owner));
            AnswerAll();
        }
    }

    private void Acquire(Host host)
    {
        var owner = $"o{++_requests}";
        _asked.Add((host.Keeper.Submit(LeaseCommand.Of(MachineFixture.Ask(owner, id: $"q{_requests}")))!, owner));
    }

    private static void Release(Host host, (LeaseGrant Grant, string Owner) held) => host.Keeper.Submit(
        LeaseCommand.Of(new ReleaseRequest { Resource = MachineFixture.Resource, Owner = held.Owner, Token = held.Grant.Token }));

    private void Listen()
    {
        foreach (var call in _asked.Where(call => call.Answer.IsCompleted).ToArray())
        {
            _asked.Remove(call);
            if (KeeperFixture.Now<object>(call.Answer) is not LeaseGrant grant) continue;
            Assert.DoesNotContain(_told, told => told.Grant.Token == grant.Token);
            Assert.True(grant.Token <= _highest.Token, $"Token {grant.Token} was told, and is not stored.");
            _told.Add((grant, call.Owner));
        }
    }

    private void AnswerAll()
    {
        for (var i = 0; _store.Held.Count > 0; i++)
        {
            Assert.True(i < 1_000, "The keepers never stop asking the store.");
            Answer(_store.Held[0]);
        }

        Listen();
    }

    private void Land(ScriptedStore.StoreCall call)
    {
        if (_landed.ContainsKey(call)) return;
        if (call is ScriptedStore.SaveCall save)
        {
            var outcome = Write(save);
            _landed[call] = () => outcome;
        }
        else
        {
            var state = ((ScriptedStore.LoadCall)call).Read();
            _landed[call] = () => state;
        }
    }

    private void Answer(ScriptedStore.StoreCall call)
    {
        Land(call);
        if (call is ScriptedStore.SaveCall save) save.Complete(_ => (SaveOutcome)_landed[call]());
        else ((ScriptedStore.LoadCall)call).Complete(_ => (LeaseState)_landed[call]());
    }

    private void Fail(ScriptedStore.StoreCall call, bool mayLandYet)
    {
        if (call is ScriptedStore.SaveCall save)
        {
            if (mayLandYet && !_landed.ContainsKey(call)) _strays.Add(save);
            save.Complete(_ => throw new IOException("no answer"));
        }
        else
        {
            ((ScriptedStore.LoadCall)call).Complete(_ => throw new IOException("no answer"));
        }
    }

    private void LandStray(int which)
    {
        var stray = _strays[which % _strays.Count];
        _strays.Remove(stray);
        Write(stray);
    }

    // What was under way carries the old epoch, and loses.
    private void BumpEpoch()
    {
        _epoch++;
        foreach (var host in _hosts) host.Crash();
        _strays.Clear();
    }

    private SaveOutcome Write(ScriptedStore.SaveCall save)
    {
        var before = _store.Read(MachineFixture.Resource);
        var outcome = save.Write();
        if (outcome != SaveOutcome.Saved) return outcome;
        if (save.Drops)
        {
            Assert.True(before.Holders.IsEmpty, "A record was dropped that somebody holds.");
            Drops++;
            return outcome;
        }

        if (before.Version == 0 && _highest != default) Returns++;
        var after = save.Next;
        var (token, number) = (_highest.Token, before.Version == 0 ? _highest.Sequence : before.Log.Last);
        Assert.True(after.Version > Math.Max(before.Version, before.Version == 0 ? number : 0), $"Version {after.Version} after {number}.");
        foreach (var (next, entry) in after.Log.After(before.Version == 0 ? 0 : before.Log.Last))
        {
            Assert.True(next > number, $"Event {next} after {number}.");
            number = next;
            if (entry.Kind != LeaseEventKind.Granted) continue;
            Assert.True(entry.Token > token, $"Token {entry.Token} was granted after {token}.");
            token = entry.Token;
        }

        _highest = new RecordFloor(token, Math.Max(after.Version, number)).RaisedTo(_highest);
        return outcome;
    }

    private sealed class Host(DropWorld world, string name) : IKeeperAlarm
    {
        private int _runs;
        private LeaseKeeper? _keeper;

        public LeaseKeeper Keeper => _keeper ??= New();

        public void Set(Keeper keeper, TimeSpan at)
        {
        }

        /// <summary>Nobody hears the answers under way, and writes may land yet.</summary>
        public void Crash()
        {
            foreach (var call in world._store.Held.Where(call => call.Caller.StartsWith(name, StringComparison.Ordinal)).ToArray())
            {
                world._store.Held.Remove(call);
                if (call is ScriptedStore.SaveCall save && !world._landed.ContainsKey(call)) world._strays.Add(save);
            }

            _keeper = null;
        }

        private LeaseKeeper New()
        {
            var rules = MachineFixture.NewRules($"{name}{++_runs}") with
            {
                // Every renewal is stored: it makes a version, and no event.
                RenewalFactor = 1,
                Retention = new(Retain, new Dictionary<string, TimeSpan>()),
                TokenFloor = LeaseRules.TokenFloorOfEpoch(world._epoch),
            };
            return new(
                MachineFixture.Resource, new KeeperHost(new LeaseClock(world._time), rules, this), world._store.For(rules.Incarnation));
        }
    }
}
