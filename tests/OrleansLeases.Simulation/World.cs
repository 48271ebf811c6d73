using OrleansLeases.Client;
using OrleansLeases.Core;
using OrleansLeases.Simulation.Checking;
using OrleansLeases.Simulation.Clients;
using OrleansLeases.Simulation.Hosts;
using OrleansLeases.Simulation.Network;
using OrleansLeases.Simulation.Scheduling;
using OrleansLeases.Simulation.Store;
using OrleansLeases.Simulation.Time;

namespace OrleansLeases.Simulation;

/// <summary>
/// The whole system of one seed: hosts on one store, clients, the network between them, all clocks, and what goes wrong. Everything that
/// is drawn is drawn from the seed.
/// </summary>
internal sealed class World
{
    // Rare: it leaves little to check.
    private const int SkewedOneIn = 15;

    // A comparison with a clock that is wrong as well shows nothing. Nor does anything show, until the next one, how long a machine slept
    // whose wall clock was set back.
    private const Faults BesideSkews = Faults.StoreSteps | Faults.HostSleeps;

    /// <summary>Of what others wait for after a lease: its lock-delay, or the rest of what it was to be held at least.</summary>
    public static readonly TimeSpan LongestLockDelay = TimeSpan.FromSeconds(5);

    private readonly RunOptions _options;
    private readonly HostSetting _setting;
    private readonly bool _addsOrLoads;
    private readonly List<Task> _actors = [];
    private readonly List<RemoteService> _services = [];

    // Those that crashed as well: what the collector finishes comes when it likes.
    private readonly List<SimClient> _everyone = [];
    private int _runs;
    private int _clientsMade;

    public World(RunOptions options, TextWriter? trace)
    {
        _options = options;
        var dice = new Dice(options.Seed);
        Scheduler = new(dice.Fork(), new Trace(trace));
        Dice = dice;
        Planted = options.Planted;
        // Most seeds have few kinds of faults, so that each gets time to show what it does by itself.
        var share = dice.Pick([100, 250, 500, 800]);
        var drawn = Enum.GetValues<Faults>().Where(fault => fault is not (Faults.None or Faults.All) && dice.PerMille(share))
            .Aggregate(Faults.None, (all, fault) => all | fault);
        var places = dice.Between(1, 3);
        IsCluster = places > 1;
        // A cluster is protected from the ones or the other.
        if (!dice.OneIn(SkewedOneIn) && drawn.HasFlag(Faults.HostSkews) && (!IsCluster || (drawn & BesideSkews) != Faults.None))
            drawn &= !IsCluster || dice.OneIn(2) ? ~Faults.HostSkews : ~BesideSkews;
        Faults = options.Faults ?? drawn;
        Names = Names.Of(dice, come: Drops);
        var retain = dice.Between(Seldom(1), Seldom(8));
        _addsOrLoads = dice.OneIn(2);
        _setting = new HostSetting(
            new LeaseLimits { MaxTtl = LongestTtl, MaxWait = TimeSpan.FromSeconds(8) }, dice.Between(1, 4), TimeSpan.FromSeconds(1),
            Planted, LongLived, Planted.HasFlag(Planted.NamesKeptForHalf) ? RetentionOf(retain / 2) : RetentionOf(retain));
        Truth = new(Scheduler, RetentionOf(retain), AreClocksWrong, mayEndLate: Faults.HasFlag(Faults.HostSkews));
        Histories = new(Scheduler, Truth, IsCluster, HolderActor.Capacity);
        Recipes = new(Scheduler, Truth);
        Network = new(Scheduler, Faults);
        Store = new(Scheduler, Faults, Planted, Truth);
        Cluster = new(Scheduler, Network, Truth, places);
        Resource = new(Network, Planted);
        Counters = [.. Names.Counters.Select(key => new CounterHistory(key, Scheduler))];
        Registers = [.. Names.FreeKeys.Select(key => new RegisterHistory(key, Scheduler, IsCluster, repeatsMayCome: Drops))];
    }

    /// <summary>The longest time to live: hours, where virtual time is to go by fast.</summary>
    public TimeSpan LongestTtl => LongLived ? TimeSpan.FromHours(12) : TimeSpan.FromSeconds(10);

    /// <summary>Clients do something now and then, and things go wrong as rarely.</summary>
    public bool LongLived => _options.LongLived;

    public Scheduler Scheduler { get; }

    public Dice Dice { get; }

    public Faults Faults { get; }

    public Planted Planted { get; }

    public bool IsCluster { get; }

    public Names Names { get; }

    public Truth Truth { get; }

    public LeaseHistories Histories { get; }

    public RecipePromises Recipes { get; }

    public SimNetwork Network { get; }

    public SimStore Store { get; }

    public Cluster Cluster { get; }

    public FencedResource Resource { get; }

    public IReadOnlyList<CounterHistory> Counters { get; }

    public IReadOnlyList<RegisterHistory> Registers { get; }

    public List<SimClient> Clients { get; } = [];

    public List<Watcher> Watchers { get; } = [];

    public PrefixWatcher? PrefixWatcher { get; private set; }

    /// <summary>A copy is being restored: no host may start.</summary>
    public bool IsRestoring { get; set; }

    /// <summary>Whether clocks of hosts are further off than is promised, and nothing compares them.</summary>
    public bool AreClocksWrong =>
        Faults.HasFlag(Faults.HostSkews) && (!ComparesClocks || (Faults & BesideSkews) != Faults.None);

    /// <summary>Whether names lose their records that are not in use.</summary>
    public bool Drops => Faults.HasFlag(Faults.Drops);

    /// <summary>Whether hosts compare their clocks with the database's: too often for years.</summary>
    public bool ComparesClocks => IsCluster && !LongLived;

    /// <summary>Clients come to an end.</summary>
    public bool IsEnding { get; private set; }

    /// <summary>Nobody asks any more.</summary>
    public bool IsOver { get; private set; }

    public long Operations => _services.Sum(service => service.Calls) + Resource.Writes;

    public TimeSpan GraceOfPublished => Cluster.Hosts.OfType<SimHost>().First().Info.Grace;

    /// <summary>Runs it all, and says what came of it.</summary>
    public Outcome Run()
    {
        Scheduler.At(TimeSpan.Zero, () => _ = GuardAsync(LiveAsync));
        Scheduler.Run();
        return new Outcome(
            _options, Faults, Scheduler.Violation, Scheduler.Trace.Hash, Operations, Truth.Grants, Scheduler.Events, Scheduler.Now,
            [.. Scheduler.Trace.Last()]) { Drops = Truth.Names.Drops, Returns = Truth.Names.Returns };
    }

    public SimProcess NewProcess(string name)
    {
        var process = new SimProcess(
            Scheduler, name, Dice.Between(TimeSpan.FromSeconds(1), TimeSpan.FromDays(10)), Dice.Between(-WallOff, WallOff));
        if (Faults.HasFlag(Faults.Drift)) process.Clock.RunAt(LongLived ? Dice.Between(-40, 40) : Dice.Between(-4_000, 4_000));
        return process;
    }

    /// <summary>How far the wall clock of a host is off at most, beside its drift: two are within the allowed skew together.</summary>
    public static TimeSpan WallOff { get; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How far the database's clock is off.</summary>
    public static TimeSpan StoreOff { get; } = TimeSpan.FromMilliseconds(40);

    /// <summary>So many seconds, or where leases live for long so many hours.</summary>
    public TimeSpan Seldom(int seconds) => LongLived ? TimeSpan.FromHours(seconds) : TimeSpan.FromSeconds(seconds);

    public void StartHost(int place)
    {
        var process = NewProcess(Cluster.PlaceName(place));
        if (ComparesClocks && Store.Faults.HasFlag(Faults.HostSkews) && Dice.OneIn(3)) process.Clock.StepWall(FarOff(Dice));
        var store = new HostStore(Store, process, Scheduler, Planted, _addsOrLoads, isOnlyWriter: !IsCluster);
        Scheduler.Trace.Add(Scheduler.Now, "starts", process.Name, ++_runs);
        var host = new SimHost(process, place, _runs, store, _setting, Cluster);
        Cluster.Hosts[place] = host;
        Cluster.Membership.Join(host);
        if (!ComparesClocks) return;
        Store.NoteClock(process);
        _ = GuardAsync(() => SuperviseAsync(place, host, store));
    }

    /// <summary>How far a clock is off that is set wrong: by seconds or by hours.</summary>
    public static TimeSpan FarOff(Dice dice)
    {
        var most = dice.OneIn(2) ? TimeSpan.FromSeconds(3) : TimeSpan.FromHours(1);
        return dice.Between(-most, most);
    }

    // A host that stops because of its clock is started again, on a machine whose clock may be right by then.
    private async Task SuperviseAsync(int place, SimHost host, HostStore store)
    {
        await host.WatchClockAsync(store, _setting.ClockSkew).ConfigureAwait(false);
        if (Cluster.Hosts[place] != host) return;
        host.Stop();
        await Scheduler.PassAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        if (Cluster.Hosts[place] != host) return;
        CrashHost(place);
        await Scheduler.PassAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        if (Cluster.Hosts[place] is null && !IsRestoring) StartHost(place);
    }

    public void CrashHost(int place)
    {
        if (Cluster.Hosts[place] is not { } host) return;
        Cluster.Hosts[place] = null;
        Cluster.Membership.Lose(host);
        host.Process.Crash();
        // Most callers see that the connection broke, and some hear nothing.
        foreach (var connection in host.Connections.ToArray())
        {
            if (!Dice.OneIn(4)) Scheduler.After(TimeSpan.FromMilliseconds(1), connection);
        }
    }

    public SimClient StartClient(bool acts)
    {
        var process = NewProcess($"client{++_clientsMade}");
        if (Planted.HasFlag(Planted.SlowHolder)) process.Clock.RunAt(-100_000);
        var client = new SimClient(process, Dice.OneIn(8) ? NewHttpService(process) : NewService(process), Truth, Dice.Fork(), Planted);
        _everyone.Add(client);
        if (!acts) return client;
        Clients.Add(client);
        for (var actors = Dice.Between(1, 3); actors > 0; actors--) Start(client, new HolderActor(this, client).RunAsync);
        if (Dice.OneIn(2)) Start(client, new KeyActor(this, client).RunAsync);
        if (Dice.OneIn(5)) Start(client, new RecipeActor(this, client).RunAsync);
        return client;
    }

    private RemoteService NewService(SimProcess process, int? fixedPlace = null)
    {
        var service = new RemoteService(Cluster, process, Truth, Histories, Planted, fixedPlace);
        _services.Add(service);
        return service;
    }

    // The real client of HTTP, which finds its servers by itself.
    private HttpLeaseService NewHttpService(SimProcess process)
    {
        var places = Enumerable.Range(0, Cluster.Hosts.Length);
        var handler = new SimHttpHandler([.. places.Select(place => NewService(process, place))], Planted);
        return new HttpLeaseService(
            new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan }, places.Select(SimHttpHandler.AddressOf), process.Clock,
            Dice.Fork());
    }

    public void CrashClient(SimClient client)
    {
        Clients.Remove(client);
        client.Crash();
    }

    /// <summary>What clients were told so far has an order.</summary>
    public void CheckHistories()
    {
        if (AreClocksWrong) return;
        Histories.Check([.. Names.Exclusive, Names.RecipeLock, Names.RecipeLeader], [.. Names.Shared, Names.RecipePool]);
    }

    /// <summary>What was stored since the copy is forgotten.</summary>
    public void Forget()
    {
        foreach (var counter in Counters) counter.Forget();
        foreach (var register in Registers) register.Forget();
    }

    private void Start(SimClient client, Func<Task> actor)
    {
        var running = GuardAsync(actor);
        client.Actors.Add(running);
        _actors.Add(running);
    }

    private async Task GuardAsync(Func<Task> what)
    {
        try
        {
            await what().ConfigureAwait(false);
        }
        catch (ViolationException violation)
        {
            Scheduler.Fail(violation.Invariant, violation.Message);
        }
        catch (Exception defect)
        {
            Scheduler.Fail("defect", defect.ToString());
        }
    }

    private async Task LiveAsync()
    {
        for (var place = 0; place < Cluster.Hosts.Length; place++) StartHost(place);
        var clients = Math.Min(Dice.Between(2, 6), _options.Clients);
        for (var i = 0; i < clients; i++) StartClient(acts: true);
        // Who watches is in touch with its host every few seconds: too often for years.
        if (!LongLived) StartWatchers();
        var swarm = new Swarm(this);
        _ = GuardAsync(swarm.DisturbAsync);
        while (Operations < _options.Steps) await Scheduler.PassAsync(Seldom(1)).ConfigureAwait(false);
        swarm.End();
        Network.Faults = Store.Faults = Faults.None;
        await new Calm(this).CheckAsync().ConfigureAwait(false);
        IsOver = true;
        Scheduler.End();
    }

    private void StartWatchers()
    {
        var client = StartClient(acts: false);
        foreach (var name in Names.Resources) Watch(RecordKind.Lease, name);
        foreach (var name in Names.Keys) Watch(RecordKind.Key, name);
        foreach (var watcher in Watchers) _ = GuardAsync(watcher.RunAsync);
        PrefixWatcher = new(this, client, Dice.Pick(["lock", "shared", "recipe", "bound", "counter", ""]));
        _ = GuardAsync(PrefixWatcher.RunAsync);

        // What is watched all the time is never dropped.
        void Watch(RecordKind kind, string name)
        {
            if (!Drops || !Dice.OneIn(3)) Watchers.Add(new(this, client, kind, name, leaves: Drops && Dice.OneIn(2)));
        }
    }

    // What one client alone writes, whatever of it comes late, is not written again.
    private Retention RetentionOf(TimeSpan retain) => Drops
        ? new(retain, new Dictionary<string, TimeSpan> { [TimedKey.Prefix] = Seldom(60) })
        : Retention.ForEver;

    /// <summary>Has all clients come to an end, and waits until their last calls were answered or given up.</summary>
    public async Task<bool> EndClientsAsync(TimeSpan within)
    {
        IsEnding = true;
        var ended = Task.WhenAll(Clients.SelectMany(client => client.Actors));
        return await Task.WhenAny(ended, Scheduler.PassAsync(within)).ConfigureAwait(false) == ended;
    }
}
