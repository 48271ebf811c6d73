using Orleans.Concurrency;
using Orleans.Metadata;
using Orleans.Placement;
using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>Hosts the keeper of one resource. A release overtakes the calls that wait for it.</summary>
[LeaseGrainType("lease"), Reentrant, Immovable]
internal sealed class LeaseGrain : KeeperGrain<LeaseKeeper>, ILeaseGrain, IInternalLeaseGrain
{
    private readonly Dictionary<Guid, CancellationTokenSource> _waiting = [];

    public LeaseGrain(IGrainContext context, LeaseSilo silo)
        : base(
            context,
            silo,
            LeaseGrainKey.ResourceOf(context.GrainId.Key.ToString()!),
            static (resource, host, store) => new LeaseKeeper(resource, host, store))
    {
    }

    public Task<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        AcquireAsync(request, Guid.NewGuid(), cancellationToken);

    public async Task<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, Guid call, CancellationToken cancellationToken)
    {
        if ((Misdirected(request.Resource) ?? Verbs.Acquire.Admit(ref request, Silo.Checks)) is { } refusal) return refusal;
        if (request.Wait == TimeSpan.Zero) return await Keeper.Submit(LeaseCommand.Of(request), CancellationToken.None)!;

        using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _waiting.Add(call, wait);
        try
        {
            return await Keeper.Submit(LeaseCommand.Of(request), wait.Token)!;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Refusal.Unavailable(TimeSpan.Zero, "The caller gave up waiting.");
        }
        finally
        {
            _waiting.Remove(call);
        }
    }

    public Task CancelWaitAsync(Guid call) => _waiting.TryGetValue(call, out var wait) ? wait.CancelAsync() : Task.CompletedTask;

    public Task<LeaseResult<LeaseRelease>> GiveBackAsync(string owner, long token) =>
        Keeper.Submit(LeaseCommand.GiveBack(Keeper.Resource, owner, token))!;

    // A cancelled caller does not cancel the change: once it is stored it cannot be undone.
    public Task<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken) =>
        AskAsync(Verbs.Renew, request, request.Resource, LeaseCommand.Of);

    public Task<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        AskAsync(Verbs.Release, request, request.Resource, LeaseCommand.Of);

    public Task<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken) =>
        AskAsync(Verbs.Transfer, request, request.Resource, LeaseCommand.Of);

    public Task<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken) =>
        AskAsync(Verbs.Break, request, request.Resource, LeaseCommand.Of);

    public Task<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken) =>
        AskAsync(Verbs.Get, request, request.Resource, static request => new LeaseCommand.Get(request.Consistent));

    public Task<LeaseResult<LeaseHistory>> HistoryAsync(CancellationToken cancellationToken) =>
        AskAsync(Verbs.History, Keeper.Resource, Keeper.Resource, static _ => LeaseCommand.GetHistory.Instance);

    public IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(WatchPoint? since, CancellationToken cancellationToken) =>
        EventBatches.Of(StartWatchAsync(since), cancellationToken);

    // The store says that something is due, so the record in memory may be older than the stored one.
    public Task WakeAsync() => Keeper.Submit(new LeaseCommand.Get(Fresh: true))!;

    public Task<bool> DropAsync() => DropRecordAsync();

    public async Task<Refusal?> AttachAsync(KeyLease lease, string key, long since, CancellationToken cancellationToken) =>
        (await Keeper.Submit(new LeaseCommand.Attach(lease, key, since), cancellationToken)!).Refusal;

    public async Task<Refusal?> DetachAsync(long token, string key, long generation, CancellationToken cancellationToken) =>
        (await Keeper.Submit(new LeaseCommand.Detach(token, key, generation), cancellationToken)!).Refusal;

    public async Task<Refusal?> CleanUpDoneAsync(long token, string[] keys, CancellationToken cancellationToken) =>
        (await Keeper.Submit(new LeaseCommand.CleanUpDone(token, keys), cancellationToken)!).Refusal;

    public async Task<LeaseResult<Dictionary<string, long>>> AttachedKeysAsync(long token, CancellationToken cancellationToken)
    {
        var answer = await Keeper.Submit(new LeaseCommand.GetAttachedKeys(token), cancellationToken)!;
        return answer.TryGetValue(out var keys, out var refusal) ? new Dictionary<string, long>(keys.Since) : refusal;
    }

    public async Task<LeaseResult<long[]>> GetActiveTokensAsync(CancellationToken cancellationToken)
    {
        var answer = await Keeper.Submit(LeaseCommand.GetActiveTokens.Instance, cancellationToken)!;
        return answer.TryGetValue(out var tokens, out var refusal) ? tokens.InForce.ToArray() : refusal;
    }

    // Grains are called directly as well, and a request for another resource would be answered by this one's record.
    private Refusal.InvalidRequest? Misdirected(string? resource)
    {
        if (resource == Keeper.Resource) return null;
        var wrong = $"is '{resource}', but the grain called is that of '{Keeper.Resource}'; call GetLease with the request's resource";
        return new(
            new Dictionary<string, string[]> { ["resource"] = [wrong] },
            $"The request is for '{resource}', but the grain called is that of '{Keeper.Resource}'.");
    }

    private Task<LeaseResult<TReply>> AskAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, TRequest request, string resource, Func<TRequest, LeaseCommand<TReply>> command)
        where TReply : class =>
        (Misdirected(resource) ?? verb.Admit(ref request, Silo.Checks)) is { } refusal
            ? Task.FromResult<LeaseResult<TReply>>(refusal)
            : Keeper.Submit(command(request))!;

    private Task<LeaseResult<LeaseWatch>> StartWatchAsync(WatchPoint? since) => AskAsync(
        Verbs.Watch,
        new WatchRequest { Resource = Keeper.Resource, Since = since },
        Keeper.Resource,
        static request => new LeaseCommand.Watch(request.Since));
}

/// <summary>
/// Calls to a lease's grain by the service's own grains and hosts. A lease awaits no other grain while it processes one, so no two
/// grains can wait for each other.
/// </summary>
[Alias("OrleansLeases.IInternalLeaseGrain"), DefaultGrainType("lease")]
internal interface IInternalLeaseGrain : IGrainWithStringKey
{
    /// <summary>Acquires, and still returns the response when its wait is cancelled.</summary>
    /// <param name="request">The request.</param>
    /// <param name="call">Identifies this call for <see cref="CancelWaitAsync"/>: a newer call may have the same request id.</param>
    /// <param name="cancellationToken">As for <see cref="ILeaseGrain.AcquireAsync"/>.</param>
    /// <returns>As of <see cref="ILeaseGrain.AcquireAsync"/>.</returns>
    [Alias("Acquire"), ResponseTimeout("00:01:00")]
    Task<LeaseResult<LeaseGrant>> AcquireAsync([Immutable] AcquireRequest request, Guid call, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a call out of the queue. It then ends with <see cref="Refusal.Unavailable"/>, or with its grant where it was granted
    /// already. Other calls are not affected.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <returns>Completes once the call has left the queue.</returns>
    [Alias("CancelWait")]
    Task CancelWaitAsync(Guid call);

    /// <summary>See <see cref="LeaseCommand.GiveBack(LeaseGrant)"/>.</summary>
    /// <param name="owner">The holder.</param>
    /// <param name="token">The token of the grant.</param>
    /// <returns>The release.</returns>
    [Alias("GiveBack")]
    Task<LeaseResult<LeaseRelease>> GiveBackAsync(string owner, long token);

    /// <summary>Records what has expired; a sweeper calls it for records that no activation remembers.</summary>
    /// <returns>Completes once that is stored.</returns>
    [Alias("Wake")]
    Task WakeAsync();

    /// <summary>Drops the record, if it may be dropped: a sweep found it idle.</summary>
    /// <returns>Whether it is gone.</returns>
    [Alias("Drop")]
    Task<bool> DropAsync();

    /// <summary>See <see cref="LeaseCommand.Attach"/>.</summary>
    /// <param name="lease">Which lease.</param>
    /// <param name="key">The key.</param>
    /// <param name="since">Its generation.</param>
    /// <param name="cancellationToken">Ends the call while it is queued; not once the keeper processes it.</param>
    /// <returns>Why not; null once it is durable.</returns>
    [Alias("Attach"), ResponseTimeout("00:00:05")]
    Task<Refusal?> AttachAsync([Immutable] KeyLease lease, string key, long since, CancellationToken cancellationToken);

    /// <summary>See <see cref="LeaseCommand.Detach"/>.</summary>
    /// <param name="token">Which lease.</param>
    /// <param name="key">The key.</param>
    /// <param name="generation">Its generation.</param>
    /// <param name="cancellationToken">Ends the call while it is queued; not once the keeper processes it.</param>
    /// <returns>Why not; null once it is durable.</returns>
    [Alias("Detach"), ResponseTimeout("00:00:05")]
    Task<Refusal?> DetachAsync(long token, string key, long generation, CancellationToken cancellationToken);

    /// <summary>See <see cref="LeaseCommand.CleanUpDone"/>.</summary>
    /// <param name="token">Which lease.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="cancellationToken">Ends the call while it is queued; not once the keeper processes it.</param>
    /// <returns>Why not; null once it is durable.</returns>
    [Alias("CleanUpDone")]
    Task<Refusal?> CleanUpDoneAsync(long token, [Immutable] string[] keys, CancellationToken cancellationToken);

    /// <summary>See <see cref="LeaseCommand.GetAttachedKeys"/>.</summary>
    /// <param name="token">Which lease.</param>
    /// <param name="cancellationToken">Ends the call while it is queued; not once the keeper processes it.</param>
    /// <returns>The names, each with the generation for which it is attached.</returns>
    [Alias("AttachedKeys"), ResponseTimeout("00:00:05")]
    Task<LeaseResult<Dictionary<string, long>>> AttachedKeysAsync(long token, CancellationToken cancellationToken);

    /// <summary>
    /// See <see cref="LeaseCommand.GetActiveTokens"/>. Compared with the store, since another activation may have ended a lease that is
    /// in force in this one's memory.
    /// </summary>
    /// <param name="cancellationToken">Ends the call while it is queued; not once the keeper processes it.</param>
    /// <returns>The tokens in force.</returns>
    [Alias("GetActiveTokens"), ResponseTimeout("00:00:05")]
    Task<LeaseResult<long[]>> GetActiveTokensAsync(CancellationToken cancellationToken);
}
