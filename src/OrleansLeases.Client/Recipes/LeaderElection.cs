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
public sealed class LeaderElection(LeaseClient client, string name, LeaseOptions? options = null)
{
    private readonly LeaseClient _client = client ?? throw new ArgumentNullException(nameof(client));
    private readonly string _name = name ?? throw new ArgumentNullException(nameof(name));
    private readonly LeaseOptions _options = (options ?? new()) with { Mode = LeaseMode.Exclusive, Capacity = null };

    /// <summary>Campaigns, and waits in the queue without a limit.</summary>
    /// <param name="cancellationToken">Withdraws the candidate.</param>
    /// <returns>The leadership. Dispose it to resign.</returns>
    /// <exception cref="LeaseRefusedException">The request is malformed, not allowed, or beyond a bound of the service.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<Leadership> CampaignAsync(CancellationToken cancellationToken = default) =>
        new(await _client.AcquireAsync(_name, _options, cancellationToken).ConfigureAwait(false));

    /// <summary>Campaigns, leads for one term, and resigns.</summary>
    /// <param name="lead">
    /// The work of the leader; the term ends when it returns. Its token is cancelled when the leadership is lost, and when
    /// <paramref name="cancellationToken"/> is; it is awaited nevertheless.
    /// </param>
    /// <param name="cancellationToken">Withdraws the candidate, or cancels the token of the work.</param>
    /// <returns>Completes when the term is over.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="lead"/> is null.</exception>
    /// <exception cref="LeaseLostException">
    /// The leadership was lost before the leader had resigned. Its other exceptions are passed on.
    /// </exception>
    /// <exception cref="LeaseRefusedException">As for <see cref="CampaignAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task RunAsync(Func<Leadership, CancellationToken, Task> lead, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(lead);
        lead = CallerContext.Bind(lead);
        var leadership = await CampaignAsync(cancellationToken).ConfigureAwait(false);
        await GuardedWork.RunAsync(leadership.Lease, (_, stop) => lead(leadership, stop), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns the current leader.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The leader at some moment of the call; null where there was none.</returns>
    /// <exception cref="LeaseRefusedException">The service did not respond for 30 s, or the name is malformed or not allowed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<Leader?> GetLeaderAsync(CancellationToken cancellationToken = default)
    {
        var looked = await Retry.MakeAsync(
            _client,
            stop => _client.Service.GetAsync(new() { Resource = _name, Consistent = true }, stop),
            cancellationToken).ConfigureAwait(false);
        return looked.TryGetValue(out var info, out var refusal) ? LeaderOf(info) : throw new LeaseRefusedException(refusal);
    }

    /// <summary>Observes the leader: first the current one, then every change. A short term may be left out.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The leaders as they come, each once; null while there is none. Ends when the service shuts down.</returns>
    /// <exception cref="LeaseRefusedException">The service did not respond for 30 s, or the name is malformed or not allowed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
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

    /// <summary>
    /// Requests the leader to hand over (see <see cref="Leadership.HandOverToken"/>). It leads no longer than the notice, or
    /// until its current deadline if that is later; the next candidate leads then, or once it has resigned.
    /// </summary>
    /// <param name="notice">
    /// The notice: 0 to 24 h. The leader receives it only if it is well over a third of the time to live.
    /// </param>
    /// <param name="reason">Why, for the leader and the history: 1 to 512 bytes of UTF-8 without control characters.</param>
    /// <param name="cancellationToken">Ends the call. The leader may have been notified.</param>
    /// <returns>The leader that was notified; null where there was none, or its term was over by then.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="reason"/> is null.</exception>
    /// <exception cref="LeaseRefusedException">The service refused, or did not respond for 30 s.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
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
