using System.Globalization;
using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>
/// Keys bound to leases through crashes, lost answers, late writes and clean-ups in any order: no read shows a key of a
/// lease whose end was told, nothing bound is forgotten, and in the end nothing is left behind.
/// </summary>
public sealed class KeysAndLeases
{
    [Fact]
    public void Histories_WhenAnythingHappens_NeverShowAKeyOfAnEndedLease()
    {
        var (shown, writes, over, histories) = (0, 0, 0, 0);
        Runs.Check(1500, 160, kinds: 34, history =>
        {
            var story = new KeyStory();
            foreach (var step in history) story.Take(step);
            story.ComesToRest();
            shown += story.Shown;
            writes += story.BoundWrites;
            over += story.TimesOver;
            histories++;
        });
        Assert.True(
            shown > histories / 3 && writes > histories,
            $"{shown} bound keys shown after {writes} bound writes in {histories} histories show too little.");
        Assert.True(over > histories / 10, $"{over} reads after the time of a key in {histories} histories show too little.");
    }
}

/// <summary>Clients of a <see cref="KeyWorld"/> and what they were told. Each step of a history is one thing that happens.</summary>
internal sealed class KeyStory
{
    private static readonly string[] Resources = ["r0", "r1"];
    private static readonly string[] Keys = ["k0", "k1"];
    private static readonly string[] Counters = ["c0", "c1"];

    private readonly KeyWorld _world = new(new LeaseLimits { MaxKeys = 1 });
    private readonly List<KeyLease> _leases = [];
    private readonly HashSet<(string Resource, long Token)> _toldEnded = [];
    private readonly List<(Task Answer, Action<object> Hear)> _calls = [];
    private readonly Dictionary<string, (string Counter, long Delta, long? Sum)> _adds = [];
    private readonly Dictionary<string, TimeSpan> _goneBy = [];
    private int _numbers;

    /// <summary>How many reads showed a bound key.</summary>
    public int Shown { get; private set; }

    /// <summary>How many bound writes succeeded.</summary>
    public int BoundWrites { get; private set; }

    /// <summary>How many reads came after the time of the value that was put last.</summary>
    public int TimesOver { get; private set; }

    public void Take(Step step)
    {
        if (!Call(step)) Happen(step);
        // Every other call has the world to itself: else hardly any would ever come to its end.
        if (step.Kind <= 15 && step.D % 2 == 0) _world.Settle();
        Listen();
    }

    private bool Call(Step step)
    {
        var resource = Resources[step.A % Resources.Length];
        var key = Keys[step.B % Keys.Length];
        switch (step.Kind)
        {
            case 0 or 1:
                Acquire(resource, $"o{step.B % 3}", shared: step.C % 3 == 0);
                break;
            case 2 when Known(step) is { } lease:
                End(lease, LeaseCommand.Of(new ReleaseRequest { Resource = lease.Resource, Owner = lease.Owner, Token = lease.Token }));
                break;
            case 3 when step.D % 3 == 0 && Known(step) is { } lease:
                Transfer(lease, $"o{step.B % 3}");
                break;
            case 4 when step.D % 3 == 0 && Known(step) is { } lease:
                End(lease, LeaseCommand.Of(new BreakRequest
                {
                    Resource = lease.Resource, Token = lease.Token, Grace = TimeSpan.Zero, Force = true, Reason = "why",
                    RequestId = $"b{++_numbers}",
                }));
                break;
            case 5 or 6 or 7 or 8 when Known(step) is { } lease:
                Put(key, lease, step.D % 5 == 0 ? step.D % 3 : null);
                break;
            case 9:
                Put(
                    key, lease: null, step.D % 5 == 0 ? step.D % 3 : null,
                    ttl: step.C % 4 > 0 ? TimeSpan.FromMilliseconds(100 + (step.C % 900)) : null);
                break;
            case 10:
                Send(_world.Calls.DeleteAsync(key, null), _ => { });
                break;
            case 11:
                Add(Counters[step.B % Counters.Length], step.C % 7);
                break;
            case 12 or 13 or 14:
                Get(key);
                break;
            case 15:
                Look(resource);
                break;
            case 31 or 32 when Known(step) is { } lease:
                Race(key, lease, step);
                break;
            default:
                return false;
        }

        return true;
    }

    private void Happen(Step step)
    {
        switch (step.Kind)
        {
            case 16 or 17 or 18 or 19 when _world.Store.Held.Count > 0:
                _world.Store.Held[step.B % _world.Store.Held.Count].Answer();
                break;
            case 20 when _world.Store.Held.Count > 0:
                _world.Store.Held[step.B % _world.Store.Held.Count].Land();
                break;
            case 21 when _world.Store.Held.Count > 0:
                _world.Store.Held[step.B % _world.Store.Held.Count].Fail(mayLandYet: step.C % 2 == 0);
                break;
            case 22:
                _world.Store.LandStray(step.B);
                break;
            case 23 or 24 or 25 when _world.Asks.Count > 0:
                _world.Asks[step.B % _world.Asks.Count].Start();
                break;
            case 26 or 27 or 28:
                var answered = _world.Asks.Where(ask => ask.IsAnswered).ToList();
                if (answered.Count > 0) answered[step.B % answered.Count].Deliver();
                break;
            case 29 when step.B % 3 == 0:
                _calls.Clear();
                _world.Crash();
                break;
            case 29:
                _world.Settle();
                break;
            case 30:
                // The store answers everybody for a while.
                _world.CleanOne(step.B);
                break;
            default:
                _world.Time.Advance(TimeSpan.FromMilliseconds(step.C % 8 == 0 ? 4_000 : step.C % 700));
                if (step.D % 2 == 0) _world.Sweep();
                break;
        }
    }

    /// <summary>
    /// Once everybody is heard and no lease is left: nothing bound is stored, no clean-up is left, and the sums are exact.
    /// </summary>
    public void ComesToRest()
    {
        Settle();
        // Whoever does not know what became of an addition repeats it.
        foreach (var (id, add) in _adds.Where(add => add.Value.Sum is null).ToList())
        {
            Add(add.Counter, add.Delta, id);
            Settle();
        }

        // Writes that nobody waits for may have landed behind the keepers' backs; a new host finds them.
        for (var stray = 0; stray < 100; stray++) _world.Store.LandStray(0);
        DieInTheMiddleOfPuts();
        EveryNameHasItsKey();
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        do
        {
            _world.Sweep();
            Settle();
        }
        while (_world.CleanOne());

        foreach (var (_, state) in _world.Store.Leases)
        {
            Assert.Empty(state.Holders);
            Assert.Null(state.Pending);
        }

        Assert.All(_world.Store.Keys, key => Assert.Null(key.State.Binding));
        Assert.All(_world.Store.Keys, key => Assert.Null(key.State.Expiry));
        foreach (var counter in Counters)
        {
            var sum = _adds.Values.Where(add => add.Counter == counter).Sum(add => add.Delta);
            if (_adds.Values.Any(add => add.Counter == counter))
            {
                Assert.Equal(sum.ToString(CultureInfo.InvariantCulture), _world.Store.Key(counter).Value);
            }
        }
    }

    private void DieInTheMiddleOfPuts()
    {
        foreach (var lease in _leases)
        {
            Put($"left {lease.Token}", lease, ifVersion: null);
            for (var steps = _numbers % 8; steps > 0; steps--) _world.GoOn();
        }

        _calls.Clear();
        _world.Crash();
    }

    /// <summary>What writes that came to nothing have left with a lease takes no room from others: each name is that of a key.</summary>
    private void EveryNameHasItsKey()
    {
        foreach (var (resource, state) in _world.Store.Leases)
        {
            foreach (var holder in state.Holders)
            {
                // As many names as a lease may have are only found out to be too many by one more.
                Put(
                    $"probe {holder.Token}", new KeyLease { Resource = resource, Owner = holder.Owner, Token = holder.Token },
                    ifVersion: null);
                Settle();
                var names = _world.Store.Lease(resource).Holders.FirstOrDefault(one => one.Token == holder.Token)?.Keys?.Keys ?? [];
                Assert.All(names, name =>
                {
                    var binding = _world.Store.Key(name).Binding;
                    Assert.Equal((resource, holder.Token), (binding?.Resource, binding?.Token));
                });
            }
        }
    }

    private void Settle()
    {
        _world.Settle();
        Listen();
    }

    private KeyLease? Known(Step step) => _leases.Count == 0 ? null : _leases[^((step.C % Math.Min(3, _leases.Count)) + 1)];

    private void Acquire(string resource, string owner, bool shared) => Send(
        _world.Lease(resource, LeaseCommand.Of(new AcquireRequest
        {
            Resource = resource, Owner = owner, Ttl = TimeSpan.FromSeconds(3), Mode = shared ? LeaseMode.Shared : LeaseMode.Exclusive,
            RequestId = $"q{++_numbers}",
        })),
        answer => Learn(resource, answer));

    private void Transfer(KeyLease lease, string to) => Send(
        _world.Lease(lease.Resource, LeaseCommand.Of(new TransferRequest
        {
            Resource = lease.Resource, Owner = lease.Owner, Token = lease.Token, NewOwner = to, RequestId = $"t{++_numbers}",
        })),
        answer =>
        {
            if (answer is LeaseGrant) TellEnded(lease);
            Learn(lease.Resource, answer);
            Refused(lease, answer);
        });

    private void End(KeyLease lease, LeaseCommand command) => Send(_world.Lease(lease.Resource, command), answer =>
    {
        if (answer is LeaseRelease or LeaseBreak { EndsIn.Ticks: 0 }) TellEnded(lease);
        Refused(lease, answer);
    });

    private void Put(string key, KeyLease? lease, long? ifVersion, TimeSpan? ttl = null)
    {
        // I6: whoever begins to write after the end was told to anyone is refused.
        var over = lease is not null && _toldEnded.Contains((lease.Resource, lease.Token));
        var value = lease is null ? $"free {++_numbers}" : $"{lease.Resource} {lease.Token} {++_numbers}";
        var put = new PutKeyRequest { Value = value, Lease = lease, Ttl = ttl, IfVersion = ifVersion, RequestId = $"p{++_numbers}" };
        Send(_world.Calls.PutAsync(key, put), answer =>
        {
            // It was written before this was heard.
            if (answer is KeyPut && ttl is { } time) _goneBy[value] = _world.Time.Elapsed + time;
            if (answer is KeyPut && lease is not null) BoundWrites++;
            Assert.False(
                answer is KeyPut && over, $"'{key}' was bound to token {lease?.Token} of '{lease?.Resource}' after its end was told.");
            if (lease is not null) Refused(lease, answer);
        });
    }

    /// <summary>Writes that meet at a key: of those that are conditional on its version, all but the first come to nothing.</summary>
    private void Race(string key, KeyLease lease, Step step)
    {
        var version = _world.Store.Key(key) is { Value: not null } there ? there.Revision : 0;
        Put(key, lease, version);
        Put(key, step.D % 2 == 0 ? null : _leases[step.B % _leases.Count], version);
        if (step.D % 3 == 0) Put(key, lease, ifVersion: null);
    }

    private void Add(string counter, long delta, string? id = null)
    {
        id ??= $"a{++_numbers}";
        _adds.TryAdd(id, (counter, delta, null));
        Send(_world.Calls.AddAsync(counter, new AddToCounterRequest { Delta = delta, RequestId = id }), answer =>
        {
            if (answer is not CounterValue sum) return;
            // I7: however often it is asked for, it was made once.
            Assert.Equal(_adds[id].Sum ?? sum.Value, sum.Value);
            _adds[id] = (counter, delta, sum.Value);
        });
    }

    private void Get(string key)
    {
        var (over, now) = (_toldEnded.ToHashSet(), _world.Time.Elapsed);
        if (_world.Store.Key(key).Value is { } stored && _goneBy.TryGetValue(stored, out var until) && now >= until) TimesOver++;
        Send(_world.Calls.GetAsync(key), answer =>
        {
            if (answer is KeyValue { Value: var value } && _goneBy.TryGetValue(value, out var end))
                Assert.True(now < end, $"'{key}' showed '{value}' {now - end} after its time.");
            if (answer is not KeyValue { Lease: { } lease } found) return;
            Shown++;
            Assert.DoesNotContain((lease.Resource, lease.Token), over);
            Assert.StartsWith($"{lease.Resource} {lease.Token} ", found.Value, StringComparison.Ordinal);
        });
    }

    private void Look(string resource)
    {
        // What was granted by now, and is not shown, has ended.
        var granted = _leases.Where(lease => lease.Resource == resource).ToList();
        Send(_world.Look(resource), answer =>
        {
            if (answer is not LeaseInfo info) return;
            foreach (var lease in granted.Where(lease => info.Holders.All(holder => holder.Token != lease.Token))) TellEnded(lease);
        });
    }

    private void Learn(string resource, object answer)
    {
        if (answer is LeaseGrant grant) _leases.Add(new KeyLease { Resource = resource, Owner = grant.Owner, Token = grant.Token });
    }

    private void Refused(KeyLease lease, object answer)
    {
        if (answer is Refusal.NotHolder) TellEnded(lease);
    }

    private void TellEnded(KeyLease lease) => _toldEnded.Add((lease.Resource, lease.Token));

    private void Send(Task answer, Action<object> hear) => _calls.Add((answer, _ => hear(KeyAnswers.Now<object>(answer))));

    private void Send<T>(Task<LeaseResult<T>> answer, Action<object> hear)
        where T : class =>
        _calls.Add(
            (answer,
                _ => hear(
                    KeyAnswers.Result(answer) is var result && result.TryGetValue(out var value, out var refusal) ? value : refusal!)));

    private void Listen()
    {
        foreach (var call in _calls.Where(call => call.Answer.IsCompleted).ToArray())
        {
            _calls.Remove(call);
            call.Hear(call);
        }
    }
}
