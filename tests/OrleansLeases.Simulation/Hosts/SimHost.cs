using System.Runtime.CompilerServices;
using Orleans.Runtime;
using OrleansLeases.Core;
using OrleansLeases.Embedded;
using OrleansLeases.Grains;
using OrleansLeases.Simulation.Store;
using OrleansLeases.Simulation.Time;

namespace OrleansLeases.Simulation.Hosts;

/// <summary>
/// One run of a host process: the real front, keepers, alarms, clean-ups, sweeper and watches, put together as
/// <see cref="EmbeddedLeases"/> does, but that calls find names at other places too, and listings have no thread of their own.
/// </summary>
internal sealed class SimHost
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(10);

    private readonly Sweeper _sweeper;
    private readonly IdleSweeper? _idleSweeper;
    private readonly Dictionary<(RecordKind Kind, string Name), int> _watched = [];
    private readonly Cluster _cluster;
    private readonly Dictionary<string, (TimeSpan At, object Answer)> _read = [];

    public SimHost(SimProcess process, int place, int run, HostStore store, HostSetting setting, Cluster cluster)
    {
        (Process, Place, _cluster, Planted) = (process, place, cluster, setting.Planted);
        // The store's own limit comes first.
        Store = cluster.Hosts.Length == 1 ? store : new BoundedStore(store, TimeSpan.FromSeconds(6), process.Clock);
        LeaseClock = new LeaseClock(process.Clock);
        Rules = new LeaseRules
        {
            Limits = setting.Limits,
            RenewalFactor = setting.RenewalFactor,
            ClockSkew = setting.Planted.HasFlag(Planted.FreesLate) ? 15 * setting.ClockSkew : setting.ClockSkew,
            TokenFloor = LeaseRules.TokenFloorOfEpoch(store.Epoch),
            Retention = setting.Retention,
            Incarnation = $"{process.Name}.{run}",
        };
        Address = SimMembership.AddressOf(place, run);
        Prefixes = new PrefixWatchers();
        Watches = new Watches(process.Clock);
        var alarms = setting.Planted.HasFlag(Planted.NoAlarms) ? new SilentTimers(process.Clock) : (TimeProvider)process.Clock;
        Routed = new RoutedKeepers(cluster, this, setting.Planted);
        Keepers = new KeeperRegistry(Store, LeaseClock, Rules, Prefixes, alarms, cluster.Hosts.Length == 1 ? null : Routed);
        Info = new ServiceInfo
        {
            Version = "0", Engine = "simulation", Durable = true, Epoch = store.Epoch, Limits = setting.Limits,
            Grace = (Rules with { ClockSkew = setting.ClockSkew }).Grace,
        };
        cluster.Truth.Promises.Grace = Info.Grace;
        Keys = new KeyOperations(Keepers, Routed, process.Clock);
        WatchedKeys = !Planted.HasFlag(Planted.WatchesWithoutTheirLease) ? Keys
            : new KeyOperations(Keepers, new RoutedKeepers(cluster, this, Planted.KeysWithoutTheirLease), process.Clock);
        Front = new ServiceFront(new ClusterHost(cluster, this), setting.Limits, process.Clock) { RealTime = process.Clock };
        // It makes what is due happen sooner, and is not needed for anything else.
        var sweeps = setting.SweepsSeldom ? new SeldomTimers(alarms) : alarms;
        _sweeper = new Sweeper(Store, LeaseClock, sweeps, Keepers.KeeperOf);
        store.IsWatched = (kind, name) => _watched.GetValueOrDefault((kind, name)) > 0;
        if (Rules.Retention.Times.Count > 0)
            _idleSweeper = new IdleSweeper(new IdleRecords(Store, Rules, LeaseClock, DropAsync), sweeps);
    }

    public Planted Planted { get; }

    public SimProcess Process { get; }

    public int Place { get; }

    public IRecordStore Store { get; }

    public LeaseClock LeaseClock { get; }

    public LeaseRules Rules { get; }

    public KeeperRegistry Keepers { get; }

    public KeyOperations Keys { get; }

    /// <summary>What starts watches of keys.</summary>
    public KeyOperations WatchedKeys { get; }

    public RoutedKeepers Routed { get; }

    public PrefixWatchers Prefixes { get; }

    public Watches Watches { get; }

    /// <summary>The others count it no longer, and it does not know.</summary>
    public bool IsTakenForDead => Process.IsTakenForDead;

    /// <summary>This run among the members.</summary>
    public SiloAddress Address { get; }

    /// <summary>The members that it knows.</summary>
    public KnownMembers Members { get; } = new();

    /// <summary>What breaks the connections of its callers.</summary>
    public HashSet<Action> Connections { get; } = [];

    public ServiceInfo Info { get; }

    /// <summary>What the gateway at this place calls.</summary>
    public ServiceFront Front { get; }

    /// <summary>Asks the keeper of a lease at this place.</summary>
    public async Task<LeaseResult<TReply>> AskAsync<TReply>(
        string resource, LeaseCommand<TReply> command, CancellationToken leaves)
        where TReply : class
    {
        var asked = _cluster.Scheduler.Now;
        if (Planted.HasFlag(Planted.StaleReads) && command is LeaseCommand.Get && _read.TryGetValue(resource, out var old)
            && asked - old.At < TimeSpan.FromSeconds(2))
            return (LeaseResult<TReply>)old.Answer;
        var result = await Keepers.SubmitAsync(resource, command, leaves).ConfigureAwait(false);
        Note(resource, result, asked);
        if (command is LeaseCommand.Get) _read[resource] = (asked, result);
        return result;
    }

    /// <summary>Renews in memory, where the keeper at this place can.</summary>
    public bool TryAnswer(string resource, LeaseCommand<LeaseRenewal> renewal, out LeaseResult<LeaseRenewal> result)
    {
        var answers = Keepers.TryAnswer(resource, renewal, out result);
        if (answers) Note(resource, result, _cluster.Scheduler.Now);
        return answers;
    }

    private void Note<T>(string resource, LeaseResult<T> result, TimeSpan asked)
        where T : class =>
        _cluster.Truth.Promises.Answered(resource, result.TryGetValue(out var value, out var refusal) ? value : refusal, asked);

    /// <summary>In a cluster: until its clock does not let it start, or has not let it load anything for a while.</summary>
    public async Task WatchClockAsync(HostStore store, TimeSpan clockSkew)
    {
        if (!await store.OpenAsync(LeaseClock, clockSkew).ConfigureAwait(false)) return;
        // As the silo's watchdog does.
        for (var unfit = 0; unfit < 3; unfit = Store.Trouble is { Kind: StorageTroubleKind.Unfit } ? unfit + 1 : 0)
            await Task.Delay(CheckEvery, Process.Clock).ConfigureAwait(false);
    }

    /// <summary>Watches a prefix: in a cluster the changes of all silos, put together as the grain does.</summary>
    public Task<LeaseResult<LeaseWatch>> WatchPrefixAsync(string prefix) => _cluster.Hosts.Length == 1
        ? Task.FromResult<LeaseResult<LeaseWatch>>(Watches.StartPrefix(Prefixes, prefix))
        : Watches.StartLiveAsync(() => GrainWatch.StartAsync(() => EventBatches.Of(MergeAsync(prefix)), time: Process.Clock));

    /// <summary>What the keepers of this place store below a prefix.</summary>
    public IAsyncEnumerable<LeaseResult<WatchEvent[]>> ShareOf(string prefix) =>
        EventBatches.Of(Task.FromResult<LeaseResult<LeaseWatch>>(Prefixes.Start(prefix)));

    private Task<LeaseResult<LeaseWatch>> MergeAsync(string prefix) => ClusterPrefixWatch.StartAsync(
        silo => silo.Equals(Address) ? ShareOf(prefix)
            : _cluster.WatchSiloAsync(this, silo, Planted.HasFlag(Planted.SiloUnwatched) ? "\0" : prefix),
        Members, Process.Clock);

    /// <summary>The same watch, and whether it is being read.</summary>
    public async IAsyncEnumerable<WatchEvent> WhileReadAsync(
        RecordKind kind, string name, LeaseWatch watch, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        _watched[(kind, name)] = _watched.GetValueOrDefault((kind, name)) + 1;
        try
        {
            await foreach (var change in watch.WithCancellation(cancellationToken).ConfigureAwait(false)) yield return change;
        }
        finally
        {
            _watched[(kind, name)]--;
        }
    }

    // As the grain that sweeps does: it asks the keeper of each name, wherever that is.
    private async Task<bool> DropAsync(RecordKind kind, string name)
    {
        try
        {
            if (!Planted.HasFlag(Planted.DropsAskNobody)) return await Routed.DropAsync(kind, name).ConfigureAwait(false);
            return await Store.DropAsync(await Store.LoadAsync(kind, name).ConfigureAwait(false)).ConfigureAwait(false)
                == SaveOutcome.Saved;
        }
        catch (Exception error) when (error is TimeoutException or StoreUnreadableException)
        {
            return false;
        }
    }

    /// <summary>Shuts down in order: waiters are refused, calls under way finish.</summary>
    public void Stop()
    {
        _cluster.Membership.Leave(this);
        Watches.Dispose();
        _ = _sweeper.DisposeAsync().AsTask();
        if (_idleSweeper is not null) _ = _idleSweeper.DisposeAsync().AsTask();
        Keepers.Dispose();
    }
}

/// <summary>Timers that take hours for seconds.</summary>
internal sealed class SeldomTimers(TimeProvider clock) : TimeProvider
{
    public override long TimestampFrequency => clock.TimestampFrequency;

    public override long GetTimestamp() => clock.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        clock.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? dueTime * 3_600 : dueTime, period);
}

/// <summary>The planted defect: no alarm ever rings.</summary>
internal sealed class SilentTimers(TimeProvider clock) : TimeProvider
{
    public override long TimestampFrequency => clock.TimestampFrequency;

    public override long GetTimestamp() => clock.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Silent();

    private sealed class Silent : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>How hosts are set up.</summary>
internal sealed record HostSetting(
    LeaseLimits Limits, int RenewalFactor, TimeSpan ClockSkew, Planted Planted, bool SweepsSeldom, Retention Retention);
