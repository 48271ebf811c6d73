using Orleans.Concurrency;
using Orleans.Metadata;
using Orleans.Placement;
using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>Hosts the keeper of one key. While it asks a lease, others go on with the key, its clean-up among them.</summary>
[WhereLeasesAre("key"), Reentrant, Immovable]
internal sealed class KeyGrain : KeeperGrain<KeyKeeper>, IKeyGrain, IKeyUpkeep, IKeyKeepers
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

    // A change goes on without its caller: whoever stored it cannot take it back.
    public Task<LeaseResult<KeyPut>> PutAsync(PutKeyRequest request, CancellationToken cancellationToken) =>
        AskAsync(Verbs.PutKey, (Key, Request: request), static (calls, put) => calls.PutAsync(put.Key, put.Request));

    public Task<LeaseResult<KeyValue>> GetAsync(CancellationToken cancellationToken) =>
        AskAsync(Verbs.GetKey, Key, static (calls, key) => calls.GetAsync(key));

    public Task<LeaseResult<KeyDeletion>> DeleteAsync(long? ifVersion, CancellationToken cancellationToken) =>
        AskAsync(Verbs.DeleteKey, (Key, IfVersion: ifVersion), static (calls, delete) => calls.DeleteAsync(delete.Key, delete.IfVersion));

    public Task<LeaseResult<CounterValue>> AddAsync(AddToCounterRequest request, CancellationToken cancellationToken) =>
        AskAsync(Verbs.AddToCounter, (Key, Request: request), static (calls, add) => calls.AddAsync(add.Key, add.Request));

    public IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(WatchPoint? since, CancellationToken cancellationToken) =>
        Portions.Of(StartWatchAsync(since), cancellationToken);

    public async Task<Refusal?> CleanAsync(string resource, long token, CancellationToken cancellationToken) =>
        (await Keeper.Submit(new KeyCommand.Clean(resource, token))!).Refusal;

    public async Task<(long? Generation, Refusal? Refusal)> ForgoAsync(
        string resource, long token, long since, CancellationToken cancellationToken)
    {
        var answer = await Keeper.Submit(new KeyCommand.Forgo(resource, token, since))!;
        return answer.TryGetValue(out var reply, out var refusal) ? (reply.Done!.Generation, null) : (null, refusal);
    }

    private Task<LeaseResult<LeaseWatch>> StartWatchAsync(WatchPoint? since) => AskAsync(
        Verbs.Watch, new WatchRequest { Key = Key, Since = since }, static (calls, watch) => calls.WatchAsync(watch.Key!, watch.Since));

    private Task<LeaseResult<TReply>> AskAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, TRequest request, Func<KeyOperations, TRequest, Task<LeaseResult<TReply>>> call)
        where TReply : class =>
        verb.Admit(ref request, Silo.Checks) is { } refusal
            ? Task.FromResult<LeaseResult<TReply>>(refusal)
            : call(_calls, request);

    // The calls about a key are led where it is: it is asked two or three times, and a lease once.
    Task<LeaseResult<KeyReply<TReply>>> IKeyKeepers.SubmitAsync<TReply>(string key, KeyCommand<TReply> command) => Keeper.Submit(command)!;
}

/// <summary>What the service's own silos ask of a key.</summary>
[Alias("OrleansLeases.IKeyUpkeep"), DefaultGrainType("key")]
internal interface IKeyUpkeep : IGrainWithStringKey
{
    /// <summary>See <see cref="KeyCommand.Clean"/>.</summary>
    /// <param name="resource">The resource of the lease that has ended.</param>
    /// <param name="token">Its token.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <returns>Why not; null once it is durable.</returns>
    [Alias("Clean")]
    Task<Refusal?> CleanAsync(string resource, long token, CancellationToken cancellationToken);

    /// <summary>See <see cref="KeyCommand.Forgo"/>.</summary>
    /// <param name="resource">The resource of the lease that has the key's name on record.</param>
    /// <param name="token">Its token.</param>
    /// <param name="since">The generation for which it is attached.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <returns>The key's generation, none where it is bound to the lease; or why not.</returns>
    [Alias("Forgo"), ResponseTimeout("00:00:05")]
    Task<(long? Generation, Refusal? Refusal)> ForgoAsync(string resource, long token, long since, CancellationToken cancellationToken);
}
