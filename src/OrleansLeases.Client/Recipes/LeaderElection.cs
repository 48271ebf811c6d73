using System.Runtime.CompilerServices;

namespace OrleansLeases.Client.Recipes;

/// <summary>Elects one leader among candidates, and shows it to observers. Thread-safe.</summary>
/// <remarks>
/// <para>Guaranteed: no two leaderships are valid at once. Candidates lead in the order of their campaigns. Where a leader has
/// crashed, the next one leads within its time to live, its lock-delay and the service's grace.</para>
/// <para>Not guaranteed: anything about what a leader does after it was lost, as with <see cref="DistributedLock"/>: a paused
/// leader cannot notice, and its writes are refused only where <see cref="Leadership.Token"/> is checked. An observer is notified
/// of a leader after its election; by then another may lead.</para>
/// </remarks>
/// <param name="client">The client that renews the lease.</param>
/// <param name="name">The resource: 1 to 512 bytes of UTF-8, a path such as <c>leaders/billing</c>.</param>
/// <param name="options">
/// The options of the lease; 30 s where left out. Its mode and capacity are ignored; its metadata is shown to observers.
/// </param>
/// <exception cref="ArgumentNullException"><paramref name="client"/> or <paramref name="name"/> is null.</exception>
public sealed class LeaderElection(LeaseClient client, string name, LeaseOptions? options = null) : ILeaderElection
{
    private readonly LeaseClient _client = client ?? throw new ArgumentNullException(nameof(client));
    private readonly string _name = name ?? throw new ArgumentNullException(nameof(name));
    private readonly LeaseOptions _options = (options ?? new()) with { Mode = LeaseMode.Exclusive, Capacity = null };

    /// <inheritdoc/>
    public async ValueTask<Leadership> CampaignAsync(CancellationToken cancellationToken = default) =>
        new(await _client.AcquireAsync(_name, _options, cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public async Task RunAsync(Func<Leadership, CancellationToken, Task> lead, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(lead);
        lead = CallerContext.Bind(lead);
        var leadership = await CampaignAsync(cancellationToken).ConfigureAwait(false);
        await GuardedWork.RunAsync(leadership.Lease, (_, stop) => lead(leadership, stop), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<Leader?> GetLeaderAsync(CancellationToken cancellationToken = default)
    {
        var looked = await Retry.MakeAsync(
            _client,
            stop => _client.Service.GetAsync(new() { Resource = _name, Consistent = true }, stop),
            cancellationToken).ConfigureAwait(false);
        return looked.TryGetValue(out var info, out var refusal) ? LeaderOf(info) : throw new LeaseRefusedException(refusal);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<Leader?> ObserveAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var started = await Retry.MakeAsync(
            _client, stop => _client.Service.WatchAsync(new() { Resource = _name }, stop), cancellationToken).ConfigureAwait(false);
        if (!started.TryGetValue(out var watch, out var refusal)) throw new LeaseRefusedException(refusal);
        await using var _ = ((IAsyncDisposable)watch).ConfigureAwait(false);
        long? last = null;
        await foreach (var happened in watch.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            // After a resync comes the state; and an event says when to look, since it does not have the metadata.
            // Decision observers-look-after-events.
            if (happened is WatchEvent.Resync) continue;
            var leader = happened is WatchEvent.LeaseSnapshot state
                ? LeaderOf(state.Lease)
                : await GetLeaderAsync(cancellationToken).ConfigureAwait(false);
            if (last == (leader?.Token ?? 0)) continue;
            last = leader?.Token ?? 0;
            yield return leader;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Leader?> AskToHandOverAsync(TimeSpan notice, string reason, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reason);
        if (await GetLeaderAsync(cancellationToken).ConfigureAwait(false) is not { } leader) return null;
        var request = new BreakRequest
        {
            Resource = _name, Token = leader.Token, Grace = notice, Reason = reason, RequestId = RequestIds.New(),
        };
        var notified =
            await Retry.MakeAsync(_client, stop => _client.Service.BreakAsync(request, stop), cancellationToken).ConfigureAwait(false);
        return notified.Refusal switch
        {
            null => leader,
            Refusal.NotHolder => null,
            var refusal => throw new LeaseRefusedException(refusal),
        };
    }

    private static Leader? LeaderOf(LeaseInfo info) =>
        info.Holders is [var holder, ..] ? new(holder.Owner, holder.Token, holder.Metadata) : null;
}
