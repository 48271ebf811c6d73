using System.Collections.Concurrent;
using OrleansLeases.Cluster.Tests.Processes;
using OrleansLeases.Testing.Load;

namespace OrleansLeases.Cluster.Tests.Load;

/// <summary>Contenders that ask through all gateways of a cluster while silos come and go, and the checks at the end.</summary>
internal sealed class LoadRun : IAsyncDisposable
{
    public static readonly TimeSpan Ttl = TimeSpan.FromSeconds(1);

    // What a busy machine may add to any bound: processes wait for the processor, clients for each other.
    public static readonly TimeSpan SchedulingSlack = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PastItsDeadline = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _stop = new();
    private readonly LeaseCluster _cluster;
    private readonly string _name;
    private readonly string[] _resources;
    private readonly TimeSpan _grace;
    private readonly Task _contenders;
    private readonly Task _bystanders;
    private readonly Task _supervisor;

    private int _abandoned;
    private int _forgotten;

    private LoadRun(LeaseCluster cluster, string name, TimeSpan grace, Watchers watchers)
    {
        Watchers = watchers;
        _name = name;
        _resources = ResourcesOf(name);
        _cluster = cluster;
        _grace = grace;
        Table = new GuardedTable(cluster.Database, name);
        Keys = new BoundKeys(Ledger, name);
        _contenders = Task.WhenAll(Enumerable.Range(0, 12).Select(number => Task.Run(() =>
            new Contender(number, Ledger, Server) { LongestWait = TimeSpan.FromSeconds(3), Transfers = true, Work = WorkAsync }.RunAsync(
                _resources, Ttl, _stop.Token))));
        _bystanders = Task.WhenAll(Enumerable.Range(0, 3).Select(number => Task.Run(() => ReadAsync(number))));
        _supervisor = Task.Run(SuperviseAsync);
    }

    public Ledger Ledger { get; } = new();

    public GuardedTable Table { get; }

    public BoundKeys Keys { get; }

    public Watchers Watchers { get; }

    /// <summary>The silos that ended without being told to, and were started again as a supervisor would.</summary>
    public ConcurrentQueue<string> Ended { get; } = new();

    /// <param name="cluster">The cluster, whole.</param>
    /// <param name="name">A name of its own: what this load uses begins with it.</param>
    public static async Task<LoadRun> StartAsync(LeaseCluster cluster, string name)
    {
        await new GuardedTable(cluster.Database, name).CreateAsync(ResourcesOf(name));
        // What is published covers the reserve of the longest lease, which is its ttl; that of these is less.
        var grace = (await cluster.Silos[0].Leases.InfoAsync()).Value.Grace - LeaseCluster.LongestTtl + Ttl;
        var gateways = cluster.Silos.Select(silo => silo.Leases);
        return new(cluster, name, grace, await Watchers.StartAsync(gateways, ResourcesOf(name), $"{name}/"));
    }

    public static Task ForAsync(TimeSpan time) => time > TimeSpan.Zero ? Task.Delay(time, TimeProvider.System) : Task.CompletedTask;

    /// <summary>Goes on until everything was granted some times more than now.</summary>
    public async Task ProceedAsync(int grants = 2)
    {
        var before = _resources.ToDictionary(resource => resource, Count);
        await Eventually.TrueAsync(
            () => _resources.All(resource => Count(resource) >= before[resource] + grants), () => "The load stands still.");

        int Count(string resource) => Ledger.Tenures.Count(tenure => tenure.Resource == resource);
    }

    /// <summary>Takes leases, renews them once, so that their horizons lie ahead, and walks away.</summary>
    public async Task<IReadOnlyList<Ledger.Tenure>> AbandonAsync(int count)
    {
        var names = $"{_name}/abandoned/{_abandoned++}";
        return await Task.WhenAll(Enumerable.Range(0, count).Select(async number =>
        {
            var request = new AcquireRequest { Resource = $"{names}/{number}", Owner = "lost", Ttl = Ttl, RequestId = "lost" };
            var tenure = await AcquireAsync(request, _cluster.Silos, number);
            var sent = Ledger.Now;
            if ((await Server(number).RenewAsync(
                new RenewRequest { Resource = tenure.Resource, Owner = tenure.Owner, Token = tenure.Token })).TryGetValue(
                    out var renewal, out _))
                tenure.Until = sent + renewal.Elapsed + renewal.Remaining;
            return tenure;
        }));
    }

    /// <summary>Takes leases with a key each, of which nobody hears again.</summary>
    public async Task ForgetAsync(int count)
    {
        var names = $"{_name}/forgotten/{_forgotten++}";
        await Task.WhenAll(Enumerable.Range(0, count).Select(async number =>
        {
            var tenure = await AcquireAsync(
                new AcquireRequest { Resource = $"{names}/{number}", Owner = "lost", Ttl = Ttl, RequestId = "lost" }, _cluster.Silos,
                number);
            await Keys.PutUnreadAsync(tenure, () => Server(number++));
        }));
    }

    /// <summary>Others ask for what was abandoned, and must have it within the published grace.</summary>
    /// <param name="abandoned">What was abandoned.</param>
    /// <param name="frozen">
    /// A silo that neither answers nor refuses: who asks it waits for as long as he likes to, whatever the grace.
    /// </param>
    public async Task AssertGrantableAsync(IEnumerable<Ledger.Tenure> abandoned, SiloProcess? frozen = null)
    {
        var silos = _cluster.Silos.Where(silo => silo != frozen).ToList();
        await Task.WhenAll(abandoned.Select(async (tenure, number) =>
        {
            var heir = await AcquireAsync(
                new AcquireRequest
                {
                    Resource = tenure.Resource, Owner = "heir", Ttl = Ttl, Wait = TimeSpan.FromSeconds(10),
                    RequestId = $"heir of {tenure.Token}",
                }, silos, number);
            var late = heir.From - tenure.Until;
            Assert.True(late <= _grace + SchedulingSlack, $"{tenure} was grantable {late} after its deadline; the grace is {_grace}.");
        }));
    }

    /// <summary>Asks a silo for what was abandoned, however long it takes to answer; then the answer may be of a time long past.</summary>
    public Task AskPatientlyAsync(SiloProcess silo, IEnumerable<Ledger.Tenure> abandoned) => Task.WhenAll(abandoned.Select(async tenure =>
    {
        var sent = Ledger.Now;
        var answer = await silo.Patiently.AcquireAsync(
            new AcquireRequest { Resource = tenure.Resource, Owner = "patient", Ttl = Ttl, RequestId = "patient" });
        if (answer.TryGetValue(out var grant, out _)) Ledger.Begin(grant, sent);
    }));

    /// <summary>
    /// Ends the load, and checks what was told; then that everything left behind is grantable, and its keys are gone, within the
    /// grace.
    /// </summary>
    public async Task AssertSoundAsync()
    {
        // However slow the machine is, there must be enough to look at.
        await ProceedAsync();
        await Eventually.TrueAsync(() => Table.Refused > 0, () => "No stale token was ever shown to the table.");
        await _stop.CancelAsync();
        await _contenders.WaitAsync(Eventually.WaitTimeout);
        await _bystanders.WaitAsync(Eventually.WaitTimeout);
        await _supervisor.WaitAsync(Eventually.WaitTimeout);
        var latest = _resources.Select(
            resource => Ledger.Tenures.Where(tenure => tenure.Resource == resource).MaxBy(tenure => tenure.Token)!).ToList();
        foreach (var tenure in latest)
        {
            var info = await _cluster.Silos[0].Leases.GetAsync(new GetLeaseRequest { Resource = tenure.Resource, Consistent = true });
            Assert.True(info.Value.LastToken >= tenure.Token, $"The token of {tenure} is forgotten: the last was {info.Value.LastToken}.");
        }

        await AssertGrantableAsync(latest);
        await AssertNoKeysAreLeftAsync();
        await Watchers.AssertNothingIsMissingAsync(_cluster.Silos[0].Leases);
        Assert.NotEqual(0, Keys.Shown);
        var faults = Ledger.FindFaults().Concat(await Table.FindFaultsAsync(Ledger)).Concat(await Keys.FindFaultsAsync(Ledger))
            .Concat(Watchers.Faults).ToList();
        Assert.True(
            faults.Count == 0, $"{faults.Count} faults, such as:{Environment.NewLine}{string.Join(Environment.NewLine, faults.Take(20))}");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAny(Task.WhenAll(_contenders, _bystanders), ForAsync(Eventually.WaitTimeout));
        await _supervisor;
        await Watchers.DisposeAsync();
        _stop.Dispose();
    }

    private static string[] ResourcesOf(string name) => [.. Enumerable.Range(0, 8).Select(number => $"{name}/{number}")];

    private ILeaseService Server(int number) => _cluster.Silos[number % _cluster.Silos.Count].Leases;

    private async Task<Ledger.Tenure> AcquireAsync(AcquireRequest request, IReadOnlyList<SiloProcess> silos, int number)
    {
        var started = Ledger.Now;
        while (true)
        {
            var sent = Ledger.Now;
            var answer = await silos[number % silos.Count].Leases.AcquireAsync(request);
            if (answer.TryGetValue(out var grant, out var refusal)) return Ledger.Begin(grant, sent);
            if (refusal is Refusal.OutcomeUnknown or Refusal.Unavailable) number++;
            // The grant of a call that was not answered in time ran out before its repeat: a busy machine takes longer than a ttl.
            else if (refusal is Refusal.NotHolder { Reason: NotHolderReason.Expired })
            {
                request = request with { RequestId = $"{request.RequestId} again" };
            }
            else if (refusal is not Refusal.Held || Ledger.Now - started > Eventually.WaitTimeout)
            {
                Assert.Fail($"{request} was told {refusal}");
            }

            await ForAsync(TimeSpan.FromMilliseconds(20));
        }
    }

    private async Task AssertNoKeysAreLeftAsync()
    {
        // The server may count one renewal more than its client was told of.
        var due = Ledger.Tenures.Max(tenure => tenure.Until) + Ttl + _grace + SchedulingSlack;
        long left;
        while ((left = await Keys.CountStoredAsync(_cluster.Database)) > 0)
        {
            Assert.True(Ledger.Now < due, $"{left} keys of leases that have ended are still stored; the grace is {_grace}.");
            await ForAsync(TimeSpan.FromMilliseconds(50));
        }
    }

    private async Task ReadAsync(int number)
    {
        var random = new Random(number);
        while (!_stop.IsCancellationRequested)
        {
            await Keys.ReadAsync(_resources[random.Next(_resources.Length)], Server(random.Next(_cluster.Silos.Count)));
            await ForAsync(TimeSpan.FromMilliseconds(20));
        }
    }

    private async Task<bool> WorkAsync(Ledger.Tenure tenure, Random random)
    {
        Keys.Put(tenure, Server(random.Next(_cluster.Silos.Count)));
        await Table.WriteAsync(tenure);
        if (random.Next(10) > 0) return true;
        // It stalls, and does not notice that its lease is over.
        await ForAsync(tenure.Until + Ttl - Ledger.Now);
        while (Ledger.Now < tenure.Until) await ForAsync(PastItsDeadline);
        Keys.Put(tenure, Server(random.Next(_cluster.Silos.Count)));
        await Table.WriteAsync(tenure);
        return false;
    }

    private async Task SuperviseAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            foreach (var silo in _cluster.Silos.Where(silo => silo.EndedByItself).ToList())
            {
                Ended.Enqueue(silo.Process.Error);
                await silo.StartAsync();
            }

            await ForAsync(TimeSpan.FromMilliseconds(100));
        }
    }
}
