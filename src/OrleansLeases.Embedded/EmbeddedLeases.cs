using System.Data.Common;
using System.Reflection;
using OrleansLeases.Core;

namespace OrleansLeases.Embedded;

/// <summary>
/// Leases in this process: durable on SQLite, or in memory. Thread-safe. Dispose it to drain: waiters are told
/// <c>unavailable</c>, and saves under way finish.
/// </summary>
public sealed class EmbeddedLeases : ILeaseService, IUndeliveredGrants, IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly LeaseClock _clock;
    private readonly LeaseRules _rules;
    private readonly KeeperRegistry _keepers;
    private readonly KeyOperations _keys;
    private readonly PrefixWatchers _prefixes = new();
    private readonly Watches _watches;
    private readonly ListingGate _listings = new();
    private readonly RequestChecks _checks;
    private readonly IEmbeddedStore _store;
    private readonly Sweeper? _sweeper;
    private readonly ServiceInfo _info;
    private bool _disposed;

    private EmbeddedLeases(IEmbeddedStore store, EmbeddedLeaseOptions options, TimeProvider time, LeaseClock clock, long tokenFloor)
    {
        _store = store;
        _time = time;
        _clock = clock;
        _rules = new LeaseRules
        {
            Limits = options.Limits,
            RenewalFactor = options.RenewalFactor,
            ClockSkew = options.ClockSkew,
            TokenFloor = tokenFloor,
            Incarnation = Guid.NewGuid().ToString("N")[..12],
        };
        _keepers = new KeeperRegistry(store, clock, _rules, _prefixes, time);
        _keys = new KeyOperations(_keepers, _keepers, time);
        _watches = new Watches(time);
        _checks = new RequestChecks(options.Limits);
        _info = new ServiceInfo
        {
            Version = typeof(EmbeddedLeases).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0",
            Engine = store.Durable ? "embedded-sqlite" : "embedded-memory",
            Durable = store.Durable,
            Epoch = store.Epoch,
            Grace = _rules.Grace,
            Limits = options.Limits,
        };
        _ = store.Lost.ContinueWith(lost => End(lost.Result), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (store.Durable) _sweeper = new Sweeper(store, clock, time, _keepers.LeaseOf);
    }

    /// <summary>Leases that last as long as the process: for an application's own tests, with a clock they can move.</summary>
    /// <param name="options">How it behaves; the defaults where left out.</param>
    /// <param name="time">Its clock; the system's where left out.</param>
    /// <returns>The service.</returns>
    /// <exception cref="ArgumentException">An option is out of bounds; the message names it.</exception>
    public static EmbeddedLeases InMemory(EmbeddedLeaseOptions? options = null, TimeProvider? time = null)
    {
        options ??= new();
        options.Validate();
        time ??= TimeProvider.System;
        return new(new MemoryStore(), options, time, new LeaseClock(time), LeaseRules.TokenFloorFromClock(time));
    }

    /// <summary>Leases in a folder on this machine's disk, which this process then has to itself.</summary>
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
        return Task.Run(() =>
        {
            var store = SqliteStore.Open(folder, logger: options.Logger);
            return new EmbeddedLeases(store, options, time, new LeaseClock(time), LeaseRules.TokenFloorOfEpoch(store.Epoch));
        });
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default)
    {
        if (_checks.Check(request) is { } refusal) return refusal;
        cancellationToken.ThrowIfCancellationRequested();
        if (request.RequestId is null) request = request with { RequestId = NewRequestId() };
        // The keeper heeds the cancellation where the call stands in the queue. A save takes the time that it takes.
        var answer = _keepers.SubmitAsync(request.Resource, LeaseCommand.Of(request), cancellationToken);
        return await UndeliveredGrants.AnswerAsync(answer, () => answer, GiveBackAsync, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default)
    {
        if (_checks.Check(request) is { } refusal) return refusal;
        return await AskAsync(request.Resource, LeaseCommand.Of(request), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(RenewBatchRequest request, CancellationToken cancellationToken = default)
    {
        if (_checks.Check(request) is { } refusal) return refusal;
        var received = _clock.Read();
        var pending = new Task<LeaseResult<LeaseRenewal>>[request.Leases.Count];
        for (var i = 0; i < pending.Length; i++)
        {
            var lease = request.Leases[i];
            pending[i] = _checks.Check(lease) is { } bad
                ? Task.FromResult<LeaseResult<LeaseRenewal>>(bad)
                : _keepers.SubmitAsync(lease.Resource, LeaseCommand.Of(lease), CancellationToken.None);
        }

        var results = new LeaseResult<LeaseRenewal>[pending.Length];
        var elapsed = _clock.Read().Monotonic - received.Monotonic;
        for (var i = 0; i < pending.Length; i++)
        {
            results[i] = await Answer(pending[i], cancellationToken).ConfigureAwait(false);
            if (results[i].TryGetValue(out var renewal, out _) && renewal.Elapsed < elapsed) elapsed = renewal.Elapsed;
        }

        return new RenewBatchReply { Elapsed = elapsed, Results = results };
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.Check(request) is { } refusal) return refusal;
        return await AskAsync(request.Resource, LeaseCommand.Of(request), cancellationToken).ConfigureAwait(false);
    }

    ValueTask<LeaseResult<LeaseRelease>> IUndeliveredGrants.GiveBackAsync(LeaseGrant grant) => GiveBackAsync(grant);

    private ValueTask<LeaseResult<LeaseRelease>> GiveBackAsync(LeaseGrant grant) =>
        AskAsync(grant.Resource, LeaseCommand.GiveBack(grant), CancellationToken.None);

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken = default)
    {
        if (_checks.Check(request) is { } refusal) return refusal;
        if (request.RequestId is null) request = request with { RequestId = NewRequestId() };
        return await AskAsync(request.Resource, LeaseCommand.Of(request), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default)
    {
        if (_checks.Check(request) is { } refusal) return refusal;
        if (request.RequestId is null) request = request with { RequestId = NewRequestId() };
        return await AskAsync(request.Resource, LeaseCommand.Of(request), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (RequestChecks.CheckResource(request.Resource) is { } refusal) return refusal;
        return await AskAsync(request.Resource, new LeaseCommand.Get(request.Consistent), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.Check(request) is { } refusal) return refusal;
        return await RunAsync<LeasePage>(
            async () => await OnItsThread(() => ReadLeases(request, cancellationToken)).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.CheckResource(resource) is { } refusal) return refusal;
        return await AskAsync(resource, LeaseCommand.GetHistory.Instance, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.Check(key, request) is { } refusal) return refusal;
        if (request.RequestId is null) request = request with { RequestId = NewRequestId() };
        return await Answer(Background.Apart(() => _keys.PutAsync(key, request)), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.CheckKey(key) is { } refusal) return refusal;
        return await Answer(Background.Apart(() => _keys.GetAsync(key)), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(string key, long? ifVersion = null, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.CheckKey(key, ifVersion) is { } refusal) return refusal;
        return await Answer(Background.Apart(() => _keys.DeleteAsync(key, ifVersion)), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(string key, AddToCounterRequest request, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.Check(key, request) is { } refusal) return refusal;
        if (request.RequestId is null) request = request with { RequestId = NewRequestId() };
        return await Answer(Background.Apart(() => _keys.AddAsync(key, request)), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.Check(request) is { } refusal) return refusal;
        return await RunAsync(
            async () =>
            {
                var page = await OnItsThread(() => ReadKeys(request, cancellationToken)).ConfigureAwait(false);
                return await page.ToPageAsync(_keepers, _time).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.Check(request) is { } refusal) return refusal;
        if (_keepers.Ended is { } ended) return ended;
        if (request.Prefix is { } prefix) return _watches.StartPrefix(_prefixes, prefix);
        return await Answer(
            Background.Apart(() => _watches.StartAsync(
                request.Since, since => request.Key is { } key
                    ? _keys.WatchAsync(key, since)
                    : _keepers.SubmitAsync(request.Resource!, new LeaseCommand.Watch(since)))),
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<LeaseResult<ServiceInfo>>(
            _keepers.Ended is { } ended ? ended : _store.Trouble is { } trouble ? new Refusal.Unavailable(TimeSpan.FromSeconds(1), trouble) : _info);

    /// <summary>Drains and closes: waiters are told <c>unavailable</c>, saves under way finish, and the folder is free again.</summary>
    /// <returns>When all of that is done.</returns>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        _watches.Dispose();
        if (_sweeper is not null) await _sweeper.DisposeAsync().ConfigureAwait(false);
        _keepers.Dispose();
        await _store.DisposeAsync().ConfigureAwait(false);
    }

    // Renewals from memory end as well: whoever has the folder now may grant what they would prolong.
    private void End(string reason)
    {
        _keepers.End(new(TimeSpan.FromSeconds(1), reason));
        _watches.Dispose();
    }

    private static string NewRequestId() => Guid.NewGuid().ToString("N");

    private ValueTask<LeaseResult<T>> AskAsync<T>(string resource, LeaseCommand<T> command, CancellationToken cancellationToken)
        where T : class =>
        new(Answer(_keepers.SubmitAsync(resource, command, CancellationToken.None), cancellationToken));

    private async Task<LeaseResult<T>> RunAsync<T>(Func<Task<LeaseResult<T>>> list, CancellationToken cancellationToken)
        where T : class
    {
        if (_keepers.Ended is { } ended) return ended;
        try
        {
            return await Background.Apart(() => _listings.RunAsync(list, cancellationToken)).ConfigureAwait(false);
        }
        catch (Exception error) when (error is InvalidDataException or DbException)
        {
            // What is wrong with a record is told in words of ours; what SQLite says is for whoever runs this.
            var why = error is InvalidDataException ? error.Message : "the store failed. Ask again.";
            return new Refusal.Unavailable(TimeSpan.FromSeconds(1), $"What is stored cannot be listed: {why}");
        }
    }

    // It reads the disk, and may pass over many records: the callers of others find the threads of the pool free.
    private static Task<T> OnItsThread<T>(Func<T> read) =>
        Task.Factory.StartNew(read, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    private LeasePage ReadLeases(ListLeasesRequest request, CancellationToken cancellationToken)
    {
        var page = new ListingPage(request, _clock.Read(), _rules);
        foreach (var (resource, state) in _store.ReadFrom(page.From, held: request.State == LeaseFilter.Held))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!page.Add(resource, state)) break;
        }

        return page.ToPage();
    }

    private KeyListingPage ReadKeys(ListKeysRequest request, CancellationToken cancellationToken)
    {
        var page = new KeyListingPage(request);
        foreach (var (key, state) in _store.ReadKeysFrom(page.From))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!page.Add(key, state)) break;
        }

        return page;
    }

    // A change goes on without its caller; only the answer is given up.
    private static Task<T> Answer<T>(Task<T> answer, CancellationToken cancellationToken) =>
        answer.IsCompleted || !cancellationToken.CanBeCanceled ? answer : answer.WaitAsync(cancellationToken);
}
