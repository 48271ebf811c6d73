using System.Diagnostics.Metrics;
using System.Reflection;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Embedded;

/// <summary>
/// A lease service in this process: durable on SQLite or on a store of the application's, or in memory. Thread-safe. Dispose it to
/// drain: waiters are refused with <c>unavailable</c>, and saves under way finish.
/// </summary>
public sealed class EmbeddedLeases : ILeaseService, IUndeliveredGrants, ICallerScopes, IAsyncDisposable
{
    private readonly Meter _meter;
    private readonly KeeperRegistry _keepers;
    private readonly Watches _watches;
    private readonly ServiceFront _front;
    private readonly IRecordStore _store;
    private readonly Sweeper? _sweeper;
    private readonly IdleSweeper? _idleSweeper;
    private bool _disposed;

    private EmbeddedLeases(IRecordStore store, string engine, EmbeddedLeaseOptions options, TimeProvider time)
    {
        _store = store;
        ServiceRecords = new ServiceRecords(store);
        var clock = new LeaseClock(time);
        var rules = new LeaseRules
        {
            Limits = options.Limits,
            RenewalFactor = options.RenewalFactor,
            ClockSkew = options.ClockSkew,
            Retention = store.CanDrop ? options.Retention : Retention.ForEver,
            TokenFloor = store.IsDurable ? LeaseRules.TokenFloorOfEpoch(store.Epoch) : LeaseRules.TokenFloorFromClock(time),
            Incarnation = Guid.NewGuid().ToString("N")[..12],
        };
        var prefixes = new PrefixWatchers();
        _meter = LeaseMeter.Create(options.MeterFactory);
        var log = options.Logger is NullLogger ? null : new ServiceLog(options.Logger, time);
        var metrics = new KeeperMetrics(_meter, new StoreMetrics(_meter, TimeProvider.System) { Slow = log is null ? null : log.Slow });
        _keepers = new KeeperRegistry(store, clock, rules, prefixes, time, metrics: metrics, log: log);
        KeeperMetrics.Observe(_meter, _keepers.Cleaner);
        StoreMetrics.Observe(_meter, store);
        ClockMetrics.Observe(_meter, clock);
        _watches = new Watches(time, new WatchMetrics(_meter));
        var info = new ServiceInfo
        {
            Version = typeof(EmbeddedLeases).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?
                .InformationalVersion.Split('+')[0] ?? "0.0.0",
            Engine = engine,
            Durable = store.IsDurable,
            Epoch = store.Epoch,
            Grace = rules.Grace,
            Retain = rules.Retention.Usual,
            Limits = options.Limits,
        };
        var host = new EmbeddedHost(store, _keepers, _watches, prefixes, clock, rules, info, metrics, time);
        _front = new ServiceFront(host, options.Limits, time)
        {
            Metrics = new OperationMetrics(_meter),
        };
        if (store.IsDurable) _sweeper = new Sweeper(
            store, clock, time, _keepers.KeeperOf, () => log?.LookAtClock(clock.Stepped, options.ClockSkew));
        if (rules.Retention.Times.Count > 0)
            _idleSweeper = new IdleSweeper(new IdleRecords(store, rules, clock, _keepers.DropAsync), time);
        if (store is not SqliteStore folder) return;
        folder.Retention = rules.Retention;
        folder.Metrics = metrics.Store;
        _ = folder.Lost.ContinueWith(
            lost => End(lost.Result), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>What the service keeps for its own use, on the store of the leases.</summary>
    public IServiceRecords ServiceRecords { get; }

    /// <summary>Creates a service with its leases in memory: for an application's own tests, with a clock that they can advance.</summary>
    /// <param name="options">How it behaves; the defaults where left out.</param>
    /// <param name="time">Its clock; the system's where left out.</param>
    /// <returns>The service.</returns>
    /// <exception cref="ArgumentException">An option is out of bounds; the message names it.</exception>
    public static EmbeddedLeases InMemory(EmbeddedLeaseOptions? options = null, TimeProvider? time = null)
    {
        options ??= new();
        options.Validate();
        time ??= TimeProvider.System;
        return new(new MemoryRecordStore(), "embedded-memory", options, time);
    }

    /// <summary>Opens the leases in a folder on this machine's disk. No other process can open it at the same time.</summary>
    /// <param name="folder">The folder; made where it does not exist.</param>
    /// <param name="options">How it behaves; the defaults where left out.</param>
    /// <param name="time">Its clock; the system's where left out.</param>
    /// <returns>The service, ready.</returns>
    /// <exception cref="ArgumentException">An option is out of bounds; the message names it.</exception>
    /// <exception cref="DataFolderInUseException">Another process has the folder.</exception>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    /// <exception cref="InvalidDataException">A newer version wrote it.</exception>
    public static Task<EmbeddedLeases> OpenAsync(string folder, EmbeddedLeaseOptions? options = null, TimeProvider? time = null)
    {
        options ??= new();
        options.Validate();
        time ??= TimeProvider.System;
        // Off the caller's thread: opening reads the disk, and recovers the log after a crash.
        return Task.Run(() => new EmbeddedLeases(SqliteStore.Open(folder, logger: options.Logger), "embedded-sqlite", options, time));
    }

    /// <summary>Opens the leases in a store of the application's. No other process may use its records at the same time.</summary>
    /// <param name="store">The store, not yet started. It is disposed of with the leases, where it can be.</param>
    /// <param name="options">How it behaves; the defaults where left out.</param>
    /// <param name="time">Its clock; the system's where left out.</param>
    /// <param name="cancellationToken">Gives up starting the store.</param>
    /// <returns>The service, ready.</returns>
    /// <exception cref="ArgumentException">An option is out of bounds; the message names it.</exception>
    public static async Task<EmbeddedLeases> OpenAsync(
        IRecordStore store, EmbeddedLeaseOptions? options = null, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        options ??= new();
        options.Validate();
        await store.StartAsync(cancellationToken).ConfigureAwait(false);
        return new(store, "embedded", options, time ?? TimeProvider.System);
    }

    /// <inheritdoc/>
    public ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default) =>
        _front.AcquireAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default) =>
        _front.RenewAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(
        RenewBatchRequest request, CancellationToken cancellationToken = default) =>
        _front.RenewBatchAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<BatchReply>> BatchAsync(BatchRequest request, CancellationToken cancellationToken = default) =>
        _front.BatchAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken = default) =>
        _front.ReleaseAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ILeaseService For(LeaseCaller caller) => _front.For(caller);

    ValueTask<LeaseResult<LeaseRelease>> IUndeliveredGrants.GiveBackAsync(LeaseGrant grant) => _front.GiveBackAsync(grant);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken = default) =>
        _front.TransferAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default) =>
        _front.BreakAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default) =>
        _front.GetAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken = default) =>
        _front.ListAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default) =>
        _front.HistoryAsync(resource, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken = default) =>
        _front.PutKeyAsync(key, request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default) =>
        _front.GetKeyAsync(key, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(
        string key, long? ifVersion = null, CancellationToken cancellationToken = default) =>
        _front.DeleteKeyAsync(key, ifVersion, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
        string key, AddToCounterRequest request, CancellationToken cancellationToken = default) =>
        _front.AddToCounterAsync(key, request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default) =>
        _front.ListKeysAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default) =>
        _front.WatchAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default) =>
        _front.InfoAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseResult<MemberList>> ListMembersAsync(CancellationToken cancellationToken = default) =>
        _front.ListMembersAsync(cancellationToken);

    /// <summary>Drains and closes: refuses waiters with <c>unavailable</c>, finishes saves under way, and frees the folder.</summary>
    /// <returns>Completes when it is closed.</returns>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        _watches.Dispose();
        if (_idleSweeper is not null) await _idleSweeper.DisposeAsync().ConfigureAwait(false);
        if (_sweeper is not null) await _sweeper.DisposeAsync().ConfigureAwait(false);
        _keepers.Dispose();
        if (_store is IAsyncDisposable store) await store.DisposeAsync().ConfigureAwait(false);
        else (_store as IDisposable)?.Dispose();
        _meter.Dispose();
    }

    // Renewals from memory end as well: the process that has the folder now may have granted those resources.
    private void End(string reason)
    {
        _keepers.End(new(TimeSpan.FromSeconds(1), reason));
        _watches.Dispose();
    }
}
