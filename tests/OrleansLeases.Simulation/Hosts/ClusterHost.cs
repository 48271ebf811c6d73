using System.Runtime.CompilerServices;
using OrleansLeases.Core;

namespace OrleansLeases.Simulation.Hosts;

/// <summary>Calls the keepers of a cluster, as the host of grains does: each at the place where this one takes its name to be.</summary>
internal sealed class ClusterHost(Cluster cluster, SimHost here) : IServiceHost
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    public TimeSpan CallTimeout { get; } = TimeSpan.FromSeconds(15);

    public TimeSpan BatchTimeout { get; } = TimeSpan.FromSeconds(2);

    public Refusal? Closed => here.Keepers.Ended;

    public Refusal? Explain(Exception error, bool isChange, string? requestId) => error is not TimeoutException ? null
        : isChange ? new Refusal.OutcomeUnknown(requestId, "Nothing came back from the keeper.")
        : new Refusal.Unavailable(RetryAfter, "Nothing came back from the keeper.");

    public Task<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken leaves) =>
        LeaseAsync(request.Resource, LeaseCommand.Of(here.Planted.HasFlag(Planted.OneTooMany) ? OneMore(request) : request), leaves);

    public Task<LeaseResult<LeaseRelease>> GiveBackAsync(LeaseGrant grant) => LeaseAsync(grant.Resource, LeaseCommand.GiveBack(grant));

    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request)
    {
        var renewal = LeaseCommand.Of(request);
        return cluster.PlaceOf(request.Resource, here.Place) == here.Place
            && here.TryAnswer(request.Resource, renewal, out var answer)
                ? new(answer)
                : new(LeaseAsync(request.Resource, renewal));
    }

    public Task<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request) => LeaseAsync(request.Resource, LeaseCommand.Of(request));

    public Task<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request) => LeaseAsync(request.Resource, LeaseCommand.Of(request));

    public Task<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request) => LeaseAsync(request.Resource, LeaseCommand.Of(request));

    public Task<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken) =>
        LeaseAsync(request.Resource, new LeaseCommand.Get(request.Consistent), CancellationToken.None);

    public Task<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken) =>
        LeaseAsync(resource, LeaseCommand.GetHistory.Instance, CancellationToken.None);

    public Task<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request) =>
        KeyAsync(key, host => host.Keys.PutAsync(
            key, here.Planted.HasFlag(Planted.PutsAnyway) || Forgets(key) ? request with { IfVersion = null } : request));

    public Task<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken) =>
        Forgets(key) ? Task.FromResult<LeaseResult<KeyValue>>(new Refusal.NotFound("The defect: nothing is there."))
            : KeyAsync(key, host => host.Keys.GetAsync(key));

    public Task<LeaseResult<KeyDeletion>> DeleteKeyAsync(string key, long? ifVersion) =>
        KeyAsync(key, host => host.Keys.DeleteAsync(key, ifVersion));

    public Task<LeaseResult<CounterValue>> AddToCounterAsync(string key, AddToCounterRequest request) =>
        KeyAsync(key, host => host.Keys.AddAsync(key, request));

    public async Task<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken)
    {
        var page = new ListingPage(request, here.LeaseClock.Read(), here.Rules);
        var records = here.Store.RangeAsync(RecordKind.Lease, page.From, request.State == LeaseFilter.Held, cancellationToken);
        await foreach (var record in records.ConfigureAwait(false))
        {
            if (!page.Add(record.Name, record.Lease)) break;
        }

        return page.ToPage();
    }

    public async Task<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken)
    {
        var page = new KeyListingPage(request, here.LeaseClock.Read(), here.Rules);
        var records = here.Store.RangeAsync(RecordKind.Key, page.From, heldOnly: true, cancellationToken);
        await foreach (var record in records.ConfigureAwait(false))
        {
            if (!page.Add(record.Name, record.Key)) break;
        }

        return await page.ToPageAsync(here.Keepers, here.Process.Clock).ConfigureAwait(false);
    }

    // Watched where the reader is: its keeper is one more twin, which looks at the store every few seconds.
    public Task<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request) => request.Prefix is { } prefix
        ? here.WatchPrefixAsync(prefix)
        : here.Watches.StartAsync(
            request.Since, since => request.Key is { } key ? WatchKeyAsync(key, since) : WatchLeaseAsync(request.Resource!, since));

    public Task<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken) =>
        Task.FromResult<LeaseResult<ServiceInfo>>(here.Info);

    public Task<LeaseResult<MemberList>> ListMembersAsync(CancellationToken cancellationToken) =>
        Task.FromResult<LeaseResult<MemberList>>(new Refusal.Unavailable(RetryAfter, "Nobody operates this cluster."));

    private async Task<LeaseResult<LeaseWatch>> WatchLeaseAsync(string resource, WatchPoint? since)
    {
        var started = await here.Keepers.SubmitAsync(resource, new LeaseCommand.Watch(since)).ConfigureAwait(false);
        return started.TryGetValue(out var watch, out var refusal)
            ? new LeaseWatch(here.WhileReadAsync(RecordKind.Lease, resource, watch), watch)
            : refusal;
    }

    private async Task<LeaseResult<LeaseWatch>> WatchKeyAsync(string key, WatchPoint? since)
    {
        var began = cluster.Scheduler.Now;
        var started = await here.WatchedKeys.WatchAsync(key, since).ConfigureAwait(false);
        return started.TryGetValue(out var watch, out var refusal)
            ? new LeaseWatch(SeenAsync(key, here.WhileReadAsync(RecordKind.Key, key, watch), began), watch)
            : refusal;
    }

    private async IAsyncEnumerable<WatchEvent> SeenAsync(
        string key, IAsyncEnumerable<WatchEvent> watch, TimeSpan began,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string? before = null;
        await foreach (var change in watch.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            cluster.Truth.WatchShowsKey(key, change, began);
            var put = (change as WatchEvent.KeyChanged)?.Key;
            var shown = here.Planted.HasFlag(Planted.WatchesShowTheValueBefore) && before is not null && put is { Value: not null }
                ? new WatchEvent.KeyChanged(put with { Value = before }) { ResumeFrom = change.ResumeFrom }
                : change;
            before = put?.Value ?? before;
            yield return shown;
        }
    }

    private bool Forgets(string key) =>
        here.Planted.HasFlag(Planted.TasksForgotten) && key.StartsWith(Names.RecipeTask, StringComparison.Ordinal);

    private static AcquireRequest OneMore(AcquireRequest request) => request with { Capacity = request.Capacity + 1 };

    private Task<LeaseResult<TReply>> LeaseAsync<TReply>(
        string resource, LeaseCommand<TReply> command, CancellationToken leaves = default)
        where TReply : class
    {
        var place = cluster.PlaceOf(resource, here.Place);
        return cluster.CallAsync(
            here, place, host => host.AskAsync(resource, command, host == here ? leaves : CancellationToken.None));
    }

    private Task<LeaseResult<T>> KeyAsync<T>(string key, Func<SimHost, Task<LeaseResult<T>>> call)
        where T : class => cluster.CallAsync(here, cluster.PlaceOf(key, here.Place), call);
}

/// <summary>What a key's keeper asks of the keepers of leases, wherever they are.</summary>
internal sealed class RoutedKeepers(Cluster cluster, SimHost here, Planted planted) : IKeepers
{
    // Of Orleans: nobody else ends the calls of clean-ups.
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(30);

    public Task<LeaseResult<LeaseReply.Acknowledged>> AskLeaseAsync(string resource, LeaseCommand<LeaseReply.Acknowledged> command) =>
        LeaseAsync(resource, command);

    public Task<LeaseResult<LeaseReply.AttachedKeys>> AskLeaseAsync(string resource, LeaseCommand.GetAttachedKeys command) =>
        LeaseAsync(resource, command);

    public async Task<LeaseResult<LeaseReply.ActiveTokens>> AskLeaseAsync(string resource, LeaseCommand.GetActiveTokens command)
    {
        if (!planted.HasFlag(Planted.KeysWithoutTheirLease)) return await LeaseAsync(resource, command).ConfigureAwait(false);
        // The defect: every lease of the record is taken to be in force, those that have ended too.
        var record = await here.Store.LoadAsync(RecordKind.Lease, resource).ConfigureAwait(false);
        return new LeaseReply.ActiveTokens(record.Lease.Log.NewestFirst().Select(entry => entry.Token).ToHashSet());
    }

    public Task<LeaseResult<KeyReply<KeyReply.Cleaned>>> AskKeyAsync(string key, KeyCommand.Clean command) =>
        planted.HasFlag(Planted.CleanUpsLost)
            ? Task.FromResult<LeaseResult<KeyReply<KeyReply.Cleaned>>>(new Refusal.Unavailable(TimeSpan.Zero, "It never comes."))
            : KeyAsync(key, command);

    public Task<LeaseResult<KeyReply<KeyReply.Forgone>>> AskKeyAsync(string key, KeyCommand.Forgo command) => KeyAsync(key, command);

    /// <summary>Has a record dropped that a sweep found idle.</summary>
    public Task<bool> DropAsync(RecordKind kind, string name) => CallAsync(name, host => host.Keepers.DropAsync(kind, name));

    private Task<LeaseResult<TReply>> LeaseAsync<TReply>(string resource, LeaseCommand<TReply> command)
        where TReply : class =>
        CallAsync(resource, host => host.Keepers.SubmitAsync(resource, command));

    private Task<LeaseResult<KeyReply<TReply>>> KeyAsync<TReply>(string key, KeyCommand<TReply> command)
        where TReply : KeyReply<TReply> =>
        CallAsync(key, host => host.Keepers.SubmitAsync(key, command));

    private Task<T> CallAsync<T>(string name, Func<SimHost, Task<T>> call)
    {
        var place = cluster.PlaceOf(name, here.Place);
        var answer = cluster.CallAsync(here, place, call);
        return place == here.Place ? answer : answer.WaitAsync(ResponseTimeout, here.Process.Clock);
    }
}
