using OrleansLeases.Client;
using OrleansLeases.Cluster.Tests.Load;
using OrleansLeases.Testing.Linearizability;
using OrleansLeases.Testing.Load;
using OrleansLeases.Torture.Checking;
using OrleansLeases.Torture.Recipes;
using OrleansLeases.Torture.Rounds;
using OrleansLeases.Torture.Worlds;

namespace OrleansLeases.Torture.Load;

/// <summary>
/// Clients of every kind upon a world, who know nothing of what is done to it, and the checks of what they were told: those that quarrel
/// over exclusive and shared leases, those with handles, who puts and reads bound keys, who counts, who watches, and an auditor.
/// </summary>
internal sealed class LoadRun : IAsyncDisposable
{
    private const int Capacity = 2;
    private const string Prefix = "torture/";
    private static readonly TimeSpan ShortTtl = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongTtl = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HandleTtl = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    // What a busy machine may add to any bound: processes wait for the processor, clients for each other.
    private static readonly TimeSpan SchedulingSlack = TimeSpan.FromSeconds(10);

    // Beyond every deadline that a renewal without a response may have moved.
    private static readonly TimeSpan AnyGrace = TimeSpan.FromMinutes(10);

    private static readonly string[] ShortNames = Names("short", 4);
    private static readonly string[] LongNames = Names("long", 6);
    private static readonly string[] HandleNames = Names("handle", 3);
    private static readonly string[] SharedNames = Names("shared", 2);

    private readonly CancellationTokenSource _stop = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) });
    private readonly World _world;
    private readonly Ledger _ledger = new();
    private readonly Ledger _shared = new();
    private readonly RecordingLeases[] _gateways;
    private readonly Audit _audit;
    private readonly FencedTable? _table;
    private readonly BoundKeys _keys;
    private readonly Counting _counting;
    private Workers _workers = null!;
    private Watchers _watchers = null!;
    private Task _clients = Task.CompletedTask;

    private LoadRun(World world)
    {
        _world = world;
        // Each client prefers another server, and goes on at the next.
        _gateways = [.. Enumerable.Range(0, world.Addresses.Count).Select(first => new RecordingLeases(
            new HttpLeaseService(_http, [.. world.Addresses.Skip(first), .. world.Addresses.Take(first)])
            {
                CallTimeout = TimeSpan.FromSeconds(8), ServerTimeout = TimeSpan.FromSeconds(2),
            }, _ledger))];
        _table = world.Database is { } database ? new(database) : null;
        _keys = new BoundKeys(_ledger, Prefix.TrimEnd('/'));
        _counting = new Counting(_ledger, ["counter/0", "counter/1"]);
        _audit = new Audit(
            _ledger,
            [
                .. ShortNames.Concat(LongNames).Select(name => new Book(name, ownersAskOnce: true)),
                .. HandleNames.Select(name => new Book(name, ownersAskOnce: false)),
            ]);
    }

    /// <summary>How many keys readers were shown.</summary>
    public int KeysShown => _keys.Shown;

    /// <summary>What holders were told up to now.</summary>
    public int Grants => _ledger.Tenures.Count + _shared.Tenures.Count + _workers.Tenures;

    /// <summary>What of it breaks: clients in processes of their own.</summary>
    public IReadOnlyList<Target> Targets => _workers.Targets;

    /// <summary>How often a lease that had to be held was looked for, and was.</summary>
    public int FoundHeld => _audit.Running;

    /// <summary>How many calls were made up to now.</summary>
    public long Calls => _gateways.Sum(gateway => gateway.Count);

    /// <summary>How many writes the fence has refused.</summary>
    public long StaleWritesRefused => (_table?.Refused ?? 0) + _workers.Refused;

    /// <summary>The calls of each exclusive lease, for a reader.</summary>
    public ILookup<string, RecordedCall> History => _gateways.SelectMany(gateway => gateway.Calls).ToLookup(call => call.Resource);

    /// <param name="world">The world, whole.</param>
    /// <param name="seed">Seeds what its clients choose.</param>
    public static async Task<LoadRun> StartAsync(World world, int seed)
    {
        var load = new LoadRun(world);
        if (load._table is not null) await load._table.CreateAsync();
        load._workers = new Workers(world, count: 3);
        load._watchers = await Watchers.StartAsync([load._gateways[0]], ShortNames, Prefix);
        load._clients = Task.WhenAll(load.Clients(seed).Select(Task.Run));
        return load;
    }

    public static Task ForAsync(TimeSpan time) => time > TimeSpan.Zero ? Task.Delay(time, TimeProvider.System) : Task.CompletedTask;

    /// <summary>Ends the load on a world that is whole again.</summary>
    /// <returns>What must never be, of all that was seen.</returns>
    public async Task<IReadOnlyList<Violation>> EndAsync()
    {
        var whole = _ledger.Now;
        await _stop.CancelAsync();
        await _clients.WaitAsync(WaitTimeout);
        List<Violation> found = [.. (await _audit.CompareAsync(_gateways[0])).Select(fault => new Violation(Violation.GrantLost, fault))];
        await Task.WhenAll(ShortNames.Concat(LongNames).Concat(HandleNames).Select(name => FollowAsync(name, whole, found)));
        await _watchers.AssertNothingIsMissingAsync(_gateways[0]);
        found.AddRange(_watchers.Faults.Select(fault => new Violation(Violation.Watch, fault)));
        found.AddRange(_ledger.FindFaults().Select(Violation.OfLedger));
        found.AddRange(await _workers.FindFaultsAsync(WorkerProgram.Ttl + (await _gateways[0].InfoAsync()).Value.Grace + SchedulingSlack));
        found.AddRange(Sharing.FindFaults(_shared.Tenures, Capacity).Select(Violation.OfLedger));
        found.AddRange((await _keys.FindFaultsAsync(_ledger)).Select(fault => new Violation(Violation.Key, fault)));
        found.AddRange((await _counting.FindFaultsAsync(_gateways[0])).Select(fault => new Violation(Violation.Counter, fault)));
        if (_table is not null)
            found.AddRange((await _table.FindFaultsAsync()).Select(fault => new Violation(Violation.StaleWrite, fault)));
        found.AddRange(HistoriesWithoutOrder());
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAny(_clients, ForAsync(WaitTimeout));
        await _watchers.DisposeAsync();
        await _workers.DisposeAsync();
        _http.Dispose();
        _stop.Dispose();
    }

    private static string[] Names(string kind, int count) =>
        [.. Enumerable.Range(0, count).Select(number => FormattableString.Invariant($"{Prefix}{kind}/{number}"))];

    private RecordingLeases Gateway(int number) => _gateways[number % _gateways.Length];

    private IEnumerable<Func<Task>> Clients(int seed)
    {
        var first = seed % 10_000 * 100;
        for (var i = 0; i < 12; i++)
        {
            var number = first + i;
            var contender = new Contender(number, _ledger, Gateway)
            {
                Pause = TimeSpan.FromMilliseconds(100), LongestWait = TimeSpan.FromSeconds(1), Transfers = true, Repeats = true,
                Work = WorkAsync,
            };
            var (names, ttl) = i % 2 == 0 ? (ShortNames, ShortTtl) : (LongNames, LongTtl);
            yield return () => contender.RunAsync(names, ttl, _stop.Token);
        }

        for (var i = 20; i < 24; i++)
        {
            var number = first + i;
            var sharer = new Contender(number, _shared, Gateway)
            {
                Pause = TimeSpan.FromMilliseconds(100), LongestWait = TimeSpan.FromSeconds(1), Capacity = Capacity,
                Work = (_, random) => WaitedAsync(random.Next(300)),
            };
            yield return () => sharer.RunAsync(SharedNames, ShortTtl, _stop.Token);
            var holders = new Holders(Gateway(number), _ledger, WriteAsync);
            yield return () => holders.RunAsync(number, HandleNames, HandleTtl, new Random(number), _stop.Token);
            yield return () => _counting.RunAsync(Gateway(number), number, _stop.Token);
        }

        yield return () => ReadKeysAsync(new Random(seed));
        yield return AuditAsync;
    }

    private static async Task<bool> WaitedAsync(int milliseconds)
    {
        await ForAsync(TimeSpan.FromMilliseconds(milliseconds));
        return true;
    }

    private async Task<bool> WriteAsync(Ledger.Tenure tenure, Random random)
    {
        if (_table is not null) await _table.WriteAsync(tenure);
        return true;
    }

    private async Task<bool> WorkAsync(Ledger.Tenure tenure, Random random)
    {
        _keys.Put(tenure, Gateway(random.Next(_gateways.Length)));
        await WriteAsync(tenure, random);
        if (random.Next(8) > 0) return await WaitedAsync(random.Next(100));
        // It stalls, and goes on to write as if its lease were not over.
        await ForAsync(tenure.Until + ShortTtl - _ledger.Now);
        _keys.Put(tenure, Gateway(random.Next(_gateways.Length)));
        await WriteAsync(tenure, random);
        return false;
    }

    private async Task ReadKeysAsync(Random random)
    {
        while (!_stop.IsCancellationRequested)
        {
            await _keys.ReadAsync(ShortNames[random.Next(ShortNames.Length)], Gateway(random.Next(_gateways.Length)));
            await WaitedAsync(100);
        }
    }

    // A resource's history is read before it forgets what was told.
    private async Task AuditAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await _audit.CompareAsync(_gateways[^1]);
            await WaitedAsync(3000);
        }
    }

    /// <summary>Whatever was left behind is granted to the next within the grace that is published, under a greater token.</summary>
    private async Task FollowAsync(string name, TimeSpan whole, List<Violation> found)
    {
        var grace = (await _gateways[0].InfoAsync()).Value.Grace;
        var due = _ledger.Tenures.Where(tenure => tenure.Resource == name).Select(tenure => tenure.Until).Append(whole).Max()
            + grace + SchedulingSlack;
        var request = new AcquireRequest
        {
            Resource = name, Owner = "heir", Ttl = LongTtl, Wait = TimeSpan.FromSeconds(1), RequestId = "heir",
        };
        while (true)
        {
            var sent = _ledger.Now;
            if ((await _gateways[0].AcquireAsync(request)).TryGetValue(out var grant, out var refusal))
            {
                _ledger.Begin(grant, sent);
                return;
            }

            if (_ledger.Now < due)
            {
                await WaitedAsync(100);
                continue;
            }

            lock (found) found.Add(new(Violation.Standstill, $"'{name}' was due at {due}, and who asked was told {refusal}."));
            return;
        }
    }

    private IEnumerable<Violation> HistoriesWithoutOrder()
    {
        foreach (var calls in History.Where(calls => !SharedNames.Contains(calls.Key)))
        {
            string? fault;
            try
            {
                fault = LeaseHistoryChecker.FindFault(Histories.Of(calls, _world.IsOneServer), AnyGrace);
            }
            catch (InvalidOperationException tooLong)
            {
                _world.Counts.Add("histories undecided");
                Console.Error.WriteLine($"The history of '{calls.Key}' is not decided: {tooLong.Message}");
                continue;
            }

            _world.Counts.Add("histories");
            if (fault is not null) yield return new(Violation.NoOrder, $"'{calls.Key}':{Environment.NewLine}{fault}");
        }
    }
}
