using Orleans.Concurrency;
using Orleans.Metadata;
using Orleans.Placement;
using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>Hosts the keeper of one key. While a call awaits a lease, other calls go on, clean-ups among them.</summary>
[LeaseGrainType("key"), Reentrant, Immovable]
internal sealed class KeyGrain : KeeperGrain<KeyKeeper>, IKeyGrain, IInternalKeyGrain, IKeyKeepers
{
    private readonly KeyOperations _calls;

    public KeyGrain(IGrainContext context, LeaseSilo silo)
        : base(
            context,
            silo,
            KeyGrainKey.NameOf(context.GrainId.Key.ToString()!),
            static (key, host, store) => new KeyKeeper(key, host, store)) =>
        _calls = new KeyOperations(this, silo.Keepers, GrainKeepers.RealTime);

    private string Key => Keeper.Name;

    // A cancelled caller does not cancel the change: once it is stored it cannot be undone.
    public Task<LeaseResult<KeyPut>> PutAsync(PutKeyRequest request, CancellationToken cancellationToken) =>
        AskAsync(Verbs.PutKey, (Key, Request: request), static (calls, put) => calls.PutAsync(put.Key, put.Request));

    public Task<LeaseResult<KeyValue>> GetAsync(CancellationToken cancellationToken) =>
        AskAsync(Verbs.GetKey, Key, static (calls, key) => calls.GetAsync(key));

    public Task<LeaseResult<KeyDeletion>> DeleteAsync(long? ifVersion, CancellationToken cancellationToken) =>
        AskAsync(Verbs.DeleteKey, (Key, IfVersion: ifVersion), static (calls, delete) => calls.DeleteAsync(delete.Key, delete.IfVersion));

    public Task<LeaseResult<CounterValue>> AddAsync(AddToCounterRequest request, CancellationToken cancellationToken) =>
        AskAsync(Verbs.AddToCounter, (Key, Request: request), static (calls, add) => calls.AddAsync(add.Key, add.Request));

    public IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(WatchPoint? since, CancellationToken cancellationToken) =>
        EventBatches.Of(StartWatchAsync(since), cancellationToken);

    public Task<bool> DropAsync() => DropRecordAsync();

    public async Task<Refusal?> CleanAsync(string resource, long token, CancellationToken cancellationToken) =>
        (await Keeper.Submit(new KeyCommand.Clean(resource, token))!).Refusal;

    public async Task<(long? Generation, Refusal? Refusal)> ForgoAsync(
        string resource, long token, long since, CancellationToken cancellationToken)
    {
        var answer = await Keeper.Submit(new KeyCommand.Forgo(resource, token, since))!;
        return answer.TryGetValue(out var reply, out var refusal) ? (reply.Done!.Generation, null) : (null, refusal);
    }

    public Task WakeAsync() => Keeper.Submit(KeyCommand.Tick.Instance)!;

    private Task<LeaseResult<LeaseWatch>> StartWatchAsync(WatchPoint? since) => AskAsync(
        Verbs.Watch, new WatchRequest { Key = Key, Since = since }, static (calls, watch) => calls.WatchAsync(watch.Key!, watch.Since));

    private Task<LeaseResult<TReply>> AskAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, TRequest request, Func<KeyOperations, TRequest, Task<LeaseResult<TReply>>> call)
        where TReply : class =>
        verb.Admit(ref request, Silo.Checks) is { } refusal
            ? Task.FromResult<LeaseResult<TReply>>(refusal)
            : call(_calls, request);

    // The operation runs where the key is: it calls the key two or three times, and a lease once.
    Task<LeaseResult<KeyReply<TReply>>> IKeyKeepers.SubmitAsync<TReply>(string key, KeyCommand<TReply> command) => Keeper.Submit(command)!;
}

/// <summary>Calls to a key's grain by the service's own silos.</summary>
[Alias("OrleansLeases.IInternalKeyGrain"), DefaultGrainType("key")]
internal interface IInternalKeyGrain : IGrainWithStringKey
{
    /// <summary>The store says that the key's time is over: deletes it, unless a newer record says otherwise.</summary>
    /// <returns>Completes when the keeper has looked.</returns>
    [Alias("Wake")]
    Task WakeAsync();

    /// <summary>Drops the record, if it may be dropped: a sweep found it idle.</summary>
    /// <returns>Whether it is gone.</returns>
    [Alias("Drop")]
    Task<bool> DropAsync();

    /// <summary>See <see cref="KeyCommand.Clean"/>.</summary>
    /// <param name="resource">The resource of the lease that has ended.</param>
    /// <param name="token">Its token.</param>
    /// <param name="cancellationToken">Ends the wait for the response.</param>
    /// <returns>Why not; null once it is durable.</returns>
    [Alias("Clean")]
    Task<Refusal?> CleanAsync(string resource, long token, CancellationToken cancellationToken);

    /// <summary>See <see cref="KeyCommand.Forgo"/>.</summary>
    /// <param name="resource">The resource of the lease that has the key's name on record.</param>
    /// <param name="token">Its token.</param>
    /// <param name="since">The generation for which it is attached.</param>
    /// <param name="cancellationToken">Ends the wait for the response.</param>
    /// <returns>The key's generation, null where it is bound to the lease; or the refusal.</returns>
    [Alias("Forgo"), ResponseTimeout("00:00:05")]
    Task<(long? Generation, Refusal? Refusal)> ForgoAsync(string resource, long token, long since, CancellationToken cancellationToken);
}
