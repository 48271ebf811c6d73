using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>What the grains of leases and keys of one silo share. Thread-safe.</summary>
internal sealed class LeaseSilo : ILifecycleParticipant<ISiloLifecycle>
{
    private readonly ConcurrentDictionary<Keeper, bool> _keepers = new();
    private readonly ActivationSequence _activations = new();
    private readonly KeyCleaner _cleaner;
    private readonly LeaseSiloOptions _options;
    private readonly TimeSpan _failover;
    private readonly FailureLog _failures;
    private readonly KeeperMetrics _metrics;
    private readonly ServiceLog _log;
    private readonly Func<TimeSpan?>? _clockOffset;
    private LeaseRules? _rules;
    private ServiceInfo? _info;
    private bool _stopping;

    public LeaseSilo(
        LeaseStorage storage, GrainKeepers keepers, KeyCleaner cleaner,
        IOptions<LeaseSiloOptions> options, IOptions<ClusterMembershipOptions> membership, TimeProvider time, LeaseClock clock,
        FailureLog failures, KeeperMetrics metrics, ServiceMeter meter, ServiceLog log)
    {
        (_metrics, _log, _clockOffset) = (metrics, log, storage.ClockOffset);
        KeeperMetrics.Observe(meter.Meter, cleaner);
        StoreMetrics.Observe(meter.Meter, storage.Store);
        ClockMetrics.Observe(meter.Meter, clock, storage.ClockOffset);
        _cleaner = cleaner;
        _options = options.Value;
        Store = new BoundedStore(storage.Store, _options.StorageTimeout, storage.Time);
        _failover = _options.FailoverTimeOf(membership.Value);
        Time = time;
        Clock = clock;
        Checks = new RequestChecks(_options.Limits);
        Keepers = keepers;
        _failures = failures;
    }

    public TimeProvider Time { get; }

    public LeaseClock Clock { get; }

    public RequestChecks Checks { get; }

    /// <summary>The keepers of all names, wherever they are.</summary>
    public IKeepers Keepers { get; }

    /// <summary>The prefix watches of this silo, to which its keepers publish what they store.</summary>
    public PrefixWatchers Prefixes { get; } = new();

    /// <summary>How many listings run at once at this silo.</summary>
    public ListingGate Listings { get; } = new();

    public LeaseRules Rules => _rules ?? throw new InvalidOperationException("The silo has not started its leases yet.");

    /// <summary>Where the records are.</summary>
    public IRecordStore Store { get; }

    /// <summary>What the service says of itself, or why it is not ready.</summary>
    public LeaseResult<ServiceInfo> Info =>
        Store.Trouble is { } trouble ? new Refusal.Unavailable(TimeSpan.FromSeconds(1), trouble.Reason)
        : _stopping || _info is null ? new Refusal.Unavailable(TimeSpan.FromSeconds(1), "The silo is starting or shutting down.")
        : _info;

    /// <summary>How this silo is, for operators.</summary>
    public ServiceMember Report(string name, SiloAddress address) => new()
    {
        Name = name,
        Address = address.Endpoint.ToString(),
        State = _stopping ? MemberState.Stopping : Info.Refusal is null ? MemberState.Ready : MemberState.NotReady,
        Detail = Info.Refusal?.Detail,
        Version = _info?.Version,
        ClockOffset = _clockOffset?.Invoke(),
        Held = _metrics.HeldNow,
        Waiters = _metrics.WaitingNow,
    };

    /// <summary>How many resources and keys are being watched at this silo.</summary>
    public int WatchedRecords => _keepers.Keys.Count(keeper => keeper.IsWatched);

    public KeeperHost HostOf(IKeeperAlarm alarm) => new(Clock, Rules, alarm)
    {
        Activations = _activations,
        Cleaner = _cleaner,
        Prefixes = Prefixes,
        Failed = _failures.Log,
        Metrics = _metrics,
        Log = _log,
        Carried = CarriedTrace.Get,
    };

    public void Register(Keeper keeper)
    {
        _keepers[keeper] = true;
        if (_stopping) keeper.Stop();
    }

    public void Unregister(Keeper keeper) => _keepers.TryRemove(keeper, out _);

    public void Participate(ISiloLifecycle lifecycle)
    {
        // Before anything reads the database, so that the error names a missing schema.
        lifecycle.Subscribe(nameof(LeaseSilo), ServiceLifecycleStage.First, StartAsync);
        // Before the silo's grains are deactivated, since a deactivation waits for the calls that wait in the queue; and after what
        // stops with the silo while it is still active, streams above all, since that may want to release its leases.
        // Decision stopping-silo-serves-its-leases.
        lifecycle.Subscribe(nameof(LeaseSilo), ServiceLifecycleStage.BecomeActive, _ => Task.CompletedTask, StopAsync);
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        await Store.StartAsync(cancellationToken);
        _rules = new LeaseRules
        {
            Limits = _options.Limits,
            RenewalFactor = _options.RenewalFactor,
            ClockSkew = _options.ClockSkew,
            Retention = Store.CanDrop ? _options.Retention : Retention.ForEver,
            TokenFloor = Store.IsDurable ? LeaseRules.TokenFloorOfEpoch(Store.Epoch) : LeaseRules.TokenFloorFromClock(Time),
            Incarnation = Guid.NewGuid().ToString("N")[..12],
        };
        _info = new ServiceInfo
        {
            Version =
                typeof(LeaseSilo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
                    ?? "0.0.0",
            Engine = "orleans",
            Durable = Store.IsDurable,
            Epoch = Store.Epoch,
            Grace = _rules.Grace + _failover,
            Retain = _rules.Retention.Usual,
            Limits = _options.Limits,
        };
    }

    private Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        // What is left of it is on record with its leases, and another silo's sweepers find it.
        _cleaner.Dispose();
        foreach (var keeper in _keepers.Keys) keeper.Stop();
        return Task.CompletedTask;
    }
}
