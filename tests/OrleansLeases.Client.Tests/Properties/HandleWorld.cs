using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Properties;

/// <summary>One client, its service and the network between them, each with a clock of its own.</summary>
internal sealed class HandleWorld
{
    public const int Kinds = 30;
    public const int KindsOfSeveralServers = 31;

    private const int Away = 30;
    private const int Sleep = 24;
    private const int ClockStep = 25;

    // What the client counts on: a clock slower than the service's by less than this.
    private const double Drift = 0.01;

    private static readonly string[] Resources = ["a", "b", "c"];
    private static readonly TimeSpan[] Ttls = [TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10)];
    private static readonly TimeSpan[] Lengths =
        [
        TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(70), TimeSpan.FromMilliseconds(150), TimeSpan.FromMilliseconds(400),
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3),
    ];

    // The client looks at its clock as often; what steps or sleeps in between is one reading's.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly ManualTimeProvider _here = new();
    private readonly ManualTimeProvider _there = new();
    private readonly EmbeddedLeases _service;
    private readonly Network[] _networks;
    private readonly Wires _wires;
    private readonly HttpLeaseService? _http;
    private readonly LeaseClient _client;
    private readonly List<Held> _held = [];
    private readonly List<Task<LeaseHandle?>> _acquires = [];
    private readonly bool _countsSleep;
    private int _requests;

    /// <param name="countsSleep">The client's monotonic time goes on while its machine sleeps.</param>
    /// <param name="servers">
    /// How many ways to the service there are. One is without HTTP; several fail over in times like those of the leases.
    /// </param>
    public HandleWorld(bool countsSleep, int servers = 1)
    {
        _countsSleep = countsSleep;

        // Nothing must wait for this thread, which waits for others.
        SynchronizationContext.SetSynchronizationContext(null);
        _service = EmbeddedLeases.InMemory(time: _there);
        _networks = [.. Enumerable.Range(0, servers).Select(_ => new Network(_service) { FateOf = _ => Fate.Waits })];
        _wires = new([.. _networks]);
        _http = servers == 1 ? null : _wires.Service(_here, TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(300));
        _client = new(
            (ILeaseService?)_http ?? _networks[0],
            new() { Owner = "ann", ClockDrift = Drift, ReleaseTimeout = TimeSpan.Zero },
            _here,
            clock: new(_here, countsSleep),
            Random.Shared);
    }

    public int SeenValid { get; private set; }

    public int SeenLost => _held.Count(held => held.Lease.Loss is not null);

    public void Take(Step step)
    {
        Act(step, Lengths[step.D % Lengths.Length]);
        Settle();
        Check(looked: false);

        // Steps and sleeps may come again before the machine gets to look.
        if (step.C % 4 == 0 && step.Kind is not (Sleep or ClockStep)) return;
        Pass(Look, Look, Look);
        Settle();
        Check(looked: true);
    }

    private void Act(Step step, TimeSpan length)
    {
        var (requests, answers) = (NetworkOf(step, network => network.Requests), NetworkOf(step, network => network.Answers));
        switch (step.Kind)
        {
            case < 3:
                _acquires.Add(
                    Task.Run(
                        () =>
                            _client.TryAcquireAsync(
                                Resources[step.A % Resources.Length], options: new() { Ttl = Ttls[step.B % Ttls.Length] }).AsTask()));
                break;
            case < 7:
                Wait(requests.CarryRequestAsync(step.A, again: step.B % 5 == 0));
                break;
            case < 11:
                answers.CarryAnswer(step.A);
                break;
            case 11:
                if (step.A % 3 == 0) answers.LoseAnswer(step.B);
                else requests.LoseRequest(step.B, silently: step.A % 3 == 1);
                break;
            case 12:
                foreach (var network in _networks) Wait(network.CarryAllAsync());
                break;
            case 13 or 14:
                while (requests.Requests > 0) Wait(requests.CarryRequestAsync());
                break;
            case 15 or 16:
                while (answers.Answers > 0) answers.CarryAnswer(step.A);
                break;
            case < 23:
                Pass(length, here: length, wall: length);
                break;
            case 23:
                // A clock that runs slow by what is allowed for.
                var slow = TimeSpan.FromTicks((long)Math.Ceiling(length.Ticks * (1 - Drift)));
                Pass(length, here: slow, wall: slow);
                break;
            case Sleep:
                // The machine sleeps.
                Pass(length, here: _countsSleep ? length : TimeSpan.Zero, wall: length);
                break;
            case ClockStep:
                _here.StepWall(step.A % 2 == 0 ? length : -length);
                break;
            case 26:
                // The wall clock stands still.
                Pass(length, here: length, wall: TimeSpan.Zero);
                break;
            case 27:
                _ =
                    _service.BreakAsync(new() { Resource = Resources[step.A % Resources.Length], Grace = length, Reason = "property" })
                        .AsTask().Result;
                break;
            case 28:
                var rival = new AcquireRequest
                {
                    Resource = Resources[step.A % Resources.Length], Owner = "bob", Ttl = Ttls[step.B % 2], RequestId = $"bob{_requests++}",
                };
                _ = _service.AcquireAsync(rival).AsTask().Result;
                break;
            case Away:
                _wires.Cut(step.A % _networks.Length, step.B % 3 == 0);
                break;
            default:
                if (_held.Count > 0) _ = _held[step.A % _held.Count].Lease.ReleaseAsync();
                break;
        }
    }

    /// <summary>With nothing heard any more, every lease comes to its end.</summary>
    public void Finish()
    {
        for (var i = 0; i < 10; i++) Pass(Lengths[^1], Lengths[^1], Lengths[^1]);
        Settle();
        Check(looked: true);
        Assert.All(_held, held => Assert.False(held.Lease.IsValid()));
    }

    private void Pass(TimeSpan there, TimeSpan here, TimeSpan wall)
    {
        _there.Advance(there);
        _here.Advance(here, wall);
    }

    private void Check(bool looked)
    {
        var inForce = Resources.SelectMany(resource => _service.GetAsync(new() { Resource = resource }).AsTask().Result.Value.Holders)
            .Select(holder => (holder.Owner, holder.Token)).ToHashSet();
        foreach (var held in _held)
        {
            var valid = held.Lease.IsValid();
            if (valid) SeenValid++;
            Assert.False(valid && !inForce.Contains(("ann", held.Lease.Token)), $"{held.Lease} is called valid and is not in force.");
            Assert.False(valid && held.WasInvalid, $"{held.Lease} is valid again.");
            held.WasInvalid |= !valid;
            if (held.Lease.Loss is not null) Assert.True(held.WasInvalid);
            if (held.Lost.IsCancellationRequested) Assert.NotNull(held.Lease.Loss);
            if (looked && !valid)
            {
                Assert.True(
                    held.Lost.IsCancellationRequested || held.Lease.NextChange.IsCompleted && held.Lease.Loss is null,
                    $"{held.Lease} ended without a word.");
            }
        }
    }

    /// <summary>Waits until the client has taken in all that has reached it.</summary>
    private void Settle()
    {
        Wait(Eventually.TrueAsync(() => _client.RenewalsUnderWay == OpenCalls("renew")));

        // There may be more of them: repeats that are to find out what to give back.
        Wait(Eventually.TrueAsync(
            () => _acquires.Count(acquire => !acquire.IsCompleted) <= OpenCalls("acquire") + _wires.Withheld + (_http?.Gathered ?? 0)));
        foreach (var acquire in _acquires.Where(acquire => acquire.IsCompleted).ToArray())
        {
            _acquires.Remove(acquire);
            if (acquire.IsCompletedSuccessfully && acquire.Result is { } lease) _held.Add(new(lease));
        }
    }

    /// <summary>One of the networks, and rather one where something waits.</summary>
    private Network NetworkOf(Step step, Func<Network, int> waiting)
    {
        var chosen = (step.A / 7) % _networks.Length;
        var order = Enumerable.Range(0, _networks.Length).Select(i => _networks[(chosen + i) % _networks.Length]).ToArray();
        return Array.Find(order, network => waiting(network) > 0) ?? order[0];
    }

    private int OpenCalls(string verb) => _networks.Sum(network => network.OpenCalls(verb));

    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    private sealed class Held(LeaseHandle lease)
    {
        public LeaseHandle Lease => lease;

        public CancellationToken Lost { get; } = lease.LostToken;

        public bool WasInvalid { get; set; }
    }
}
