using System.Collections.Concurrent;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Embedded;

/// <summary>The keepers in this process, one for each name in use. Thread-safe.</summary>
internal sealed class KeeperRegistry : IKeepers, IKeyKeepers, IDisposable
{
    // Tasks until the thread goes back to the pool, where callers may be waiting for one.
    private const int BackgroundAtOnce = 64;
    private static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, LeaseKeeper> _leases = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, KeyKeeper> _keys = new(StringComparer.Ordinal);
    private readonly IRecordStore _store;
    private readonly KeeperHost _host;
    private readonly AlarmQueue _alarms;
    private readonly KeyCleaner _cleaner;
    private volatile Refusal.Unavailable? _ended;

    /// <param name="store">Where the records are.</param>
    /// <param name="clock">What leases are counted by.</param>
    /// <param name="rules">The rules of the leases.</param>
    /// <param name="prefixes">Who watches names by their prefix.</param>
    /// <param name="time">The clock of alarms and pauses.</param>
    /// <param name="all">
    /// The keepers of all names, where a test has several hosts on one store; null where these are all, and nobody else writes to it.
    /// </param>
    /// <param name="metrics">Counts what the keepers do; null where nobody can ask.</param>
    /// <param name="log">Logs what became of leases; null where nothing is logged.</param>
    public KeeperRegistry(
        IRecordStore store, LeaseClock clock, LeaseRules rules, PrefixWatchers prefixes, TimeProvider time, IKeepers? all = null,
        KeeperMetrics? metrics = null, IServiceLog? log = null)
    {
        _store = store;
        // One thread at a time does what nobody waits for, however much it is: callers find the others free.
        var background =
            new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, maxConcurrencyLevel: 1, BackgroundAtOnce).ExclusiveScheduler;
        _alarms = new AlarmQueue(time, clock, background, Forget);
        _cleaner = new KeyCleaner(all ?? this, time, background);
        _host = new KeeperHost(clock, rules, _alarms)
        {
            IdleAfter = IdleAfter,
            Cleaner = _cleaner,
            Prefixes = prefixes,
            IsSingleWriter = all is null,
            Background = background,
            Metrics = metrics,
            Log = log,
        };
    }

    public static Refusal.Unavailable ShutDown { get; } = new(TimeSpan.FromSeconds(1), "The service is shutting down.");

    /// <summary>Cleans up the keys of ended leases.</summary>
    public KeyCleaner Cleaner => _cleaner;

    /// <summary>How many are in memory.</summary>
    public int Count => _leases.Count + _keys.Count;

    /// <summary>Asks a lease's keeper.</summary>
    public Task<LeaseResult<TReply>> SubmitAsync<TReply>(
        string resource, LeaseCommand<TReply> command, CancellationToken cancellationToken = default)
        where TReply : class
    {
        while (_ended is null)
        {
            var keeper = LeaseOf(resource);
            if (keeper.Submit(command, cancellationToken) is { } answer) return answer;
            Forget(keeper);
        }

        return Task.FromResult<LeaseResult<TReply>>(_ended);
    }

    /// <summary>Asks a lease's keeper for an answer that it can give at once. See <see cref="LeaseKeeper.TryAnswer"/>.</summary>
    public bool TryAnswer(string resource, LeaseCommand<LeaseRenewal> renewal, out LeaseResult<LeaseRenewal> answer)
    {
        answer = default;
        return _leases.TryGetValue(resource, out var keeper) && keeper.TryAnswer(renewal, out answer);
    }

    /// <summary>Asks a key's keeper.</summary>
    public Task<LeaseResult<KeyReply<TReply>>> SubmitAsync<TReply>(string key, KeyCommand<TReply> command)
        where TReply : KeyReply<TReply>
    {
        while (_ended is null)
        {
            var keeper = KeyOf(key);
            if (keeper.Submit(command) is { } answer) return answer;
            Forget(keeper);
        }

        return Task.FromResult<LeaseResult<KeyReply<TReply>>>(_ended);
    }

    Task<LeaseResult<LeaseReply.Acknowledged>> IKeepers.AskLeaseAsync(string resource, LeaseCommand<LeaseReply.Acknowledged> command) =>
        SubmitAsync(resource, command);

    Task<LeaseResult<LeaseReply.AttachedKeys>> IKeepers.AskLeaseAsync(string resource, LeaseCommand.GetAttachedKeys command) =>
        SubmitAsync(resource, command);

    Task<LeaseResult<LeaseReply.ActiveTokens>> IKeepers.AskLeaseAsync(string resource, LeaseCommand.GetActiveTokens command) =>
        SubmitAsync(resource, command);

    Task<LeaseResult<KeyReply<KeyReply.Cleaned>>> IKeepers.AskKeyAsync(string key, KeyCommand.Clean command) => SubmitAsync(key, command);

    Task<LeaseResult<KeyReply<KeyReply.Forgone>>> IKeepers.AskKeyAsync(string key, KeyCommand.Forgo command) => SubmitAsync(key, command);

    /// <summary>Has a record dropped that a sweep found idle.</summary>
    /// <returns>Whether it is gone.</returns>
    public async Task<bool> DropAsync(RecordKind kind, string name)
    {
        while (_ended is null)
        {
            Keeper keeper = kind == RecordKind.Lease ? LeaseOf(name) : KeyOf(name);
            if (keeper.SubmitDrop() is { } answer)
                return (await answer.ConfigureAwait(false)).TryGetValue(out var dropped, out _) && dropped.Done;
            Forget(keeper);
        }

        return false;
    }

    public LeaseKeeper LeaseOf(string resource)
    {
        var keeper = _leases.GetOrAdd(resource, static (name, keepers) => new LeaseKeeper(name, keepers._host, keepers._store), this);
        // A keeper that was made while the service was ending has missed the calls of Stop.
        if (_ended is { } ended) keeper.Stop(ended);
        return keeper;
    }

    /// <summary>Finds or makes the keeper of a record.</summary>
    public Keeper KeeperOf(RecordKind kind, string name) => kind == RecordKind.Lease ? LeaseOf(name) : KeyOf(name);

    private KeyKeeper KeyOf(string key)
    {
        var keeper = _keys.GetOrAdd(key, static (name, keepers) => new KeyKeeper(name, keepers._host, keepers._store), this);
        if (_ended is { } ended) keeper.Stop(ended);
        return keeper;
    }

    /// <summary>The refusal of every call once it has ended; null until then.</summary>
    public Refusal.Unavailable? Ended => _ended;

    /// <summary>Refuses the waiting and all later calls. Calls under way finish. Only the first call has an effect.</summary>
    public void End(Refusal.Unavailable answer)
    {
        answer = Interlocked.CompareExchange(ref _ended, answer, null) ?? answer;
        foreach (var keeper in _leases.Values) keeper.Stop(answer);
        foreach (var keeper in _keys.Values) keeper.Stop(answer);
    }

    public void Dispose()
    {
        _alarms.Dispose();
        _cleaner.Dispose();
        End(ShutDown);
    }

    private void Forget(Keeper keeper)
    {
        if (keeper is LeaseKeeper lease) _leases.TryRemove(new(lease.Name, lease));
        else if (keeper is KeyKeeper key) _keys.TryRemove(new(key.Name, key));
    }
}
