using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>One host of a twin world: a keeper with a clock of its own, which may be wrong, frozen, asleep or crash.</summary>
internal sealed class TwinHost : IKeeperAlarm
{
    private readonly string _name;
    private readonly ScriptedStore _store;
    private readonly ManualTimeProvider _time;
    private readonly List<Action> _inbox = [];
    private readonly List<TimeSpan> _alarms = [];
    private int _runs;
    private KeeperHost _host;
    private LeaseKeeper _keeper;
    private TimeSpan _ahead;
    private TimeSpan _fairlyAhead;

    public TwinHost(string name, ScriptedStore store, LeaseRules rules, TimeSpan ahead)
    {
        (_name, _store, Rules, _ahead, _fairlyAhead) = (name, store, rules, ahead, ahead);
        _time = new ManualTimeProvider(ManualTimeProvider.DefaultStart + ahead);
        (_host, _keeper) = Start();
    }

    public LeaseRules Rules { get; private set; }

    public Instant Now => _host.Clock.Read();

    /// <summary>None of its code runs; what reaches it waits.</summary>
    public bool Frozen { get; private set; }

    /// <summary>Frozen, and its monotonic clock with it.</summary>
    public bool Asleep { get; private set; }

    /// <summary>How its calls to the store are known.</summary>
    public string Caller => Rules.Incarnation;

    public void Set(Keeper keeper, TimeSpan at)
    {
        if (keeper == _keeper) _alarms.Add(at);
    }

    /// <summary>Runs now, or once it thaws.</summary>
    public void Run(Action<LeaseKeeper> code)
    {
        if (Frozen) _inbox.Add(() => code(_keeper));
        else code(_keeper);
    }

    public void Pass(TimeSpan time)
    {
        if (Asleep) _time.Suspend(time);
        else _time.Advance(time);
        Ring();
    }

    public void Freeze(bool asleep) => (Frozen, Asleep) = (true, asleep);

    public void Thaw()
    {
        (Frozen, Asleep) = (false, false);
        var inbox = _inbox.ToArray();
        _inbox.Clear();
        foreach (var code in inbox) code();
        Ring();
    }

    /// <summary>Steps the wall clock to be ahead of true time by this much, within the skew.</summary>
    public void StepWall(TimeSpan ahead) => StepTo(_fairlyAhead = ahead);

    /// <summary>
    /// Steps the wall clock far ahead, until it is set again or the process starts anew: no process starts with such a clock.
    /// </summary>
    public void StepFarAhead() => StepTo(TimeSpan.FromHours(1));

    /// <summary>The keeper's memory is gone; the process lives.</summary>
    public void Forget()
    {
        Clear();
        _keeper = new LeaseKeeper(MachineFixture.Resource, _host, _store.For(Rules.Incarnation));
    }

    /// <summary>The process is gone and another takes its place: what was under way is never answered.</summary>
    public void Crash()
    {
        Clear();
        StepTo(_fairlyAhead);
        (_host, _keeper) = Start();
        (Frozen, Asleep) = (false, false);
    }

    private void StepTo(TimeSpan ahead)
    {
        _time.StepWall(ahead - _ahead);
        _ahead = ahead;
    }

    private void Clear()
    {
        _alarms.Clear();
        _inbox.Clear();
    }

    private (KeeperHost Host, LeaseKeeper Keeper) Start()
    {
        Rules = Rules with { Incarnation = $"{_name}{++_runs}" };
        var host = new KeeperHost(new LeaseClock(_time), Rules, this);
        return (host, new LeaseKeeper(MachineFixture.Resource, host, _store.For(Rules.Incarnation)));
    }

    private void Ring()
    {
        if (Frozen) return;
        var mono = Now.Monotonic;
        foreach (var at in _alarms.Where(at => at <= mono).Order().ToArray())
        {
            _alarms.Remove(at);
            if (!_keeper.OnAlarm(at)) _ = _keeper.Wake();
        }
    }
}
