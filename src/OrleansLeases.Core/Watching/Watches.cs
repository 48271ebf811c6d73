using System.Runtime.CompilerServices;

namespace OrleansLeases.Core;

/// <summary>
/// The watches of one process: they go on where the keeper of a record was replaced, and start over where they were cut
/// off, until the service stops. Thread-safe.
/// </summary>
/// <param name="time">The clock of the pauses.</param>
/// <param name="metrics">Counts them; null where nobody can ask.</param>
internal sealed class Watches(TimeProvider time, WatchMetrics? metrics = null) : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();

    /// <summary>Watches one record.</summary>
    /// <param name="since">The last change known; null to start with the state.</param>
    /// <param name="start">Starts a watch at the record's keeper, which may end whenever that keeper does.</param>
    /// <returns>The watch, started, or why it could not be.</returns>
    public async Task<LeaseResult<LeaseWatch>> StartAsync(WatchPoint? since, Func<WatchPoint?, Task<LeaseResult<LeaseWatch>>> start)
    {
        ArgumentNullException.ThrowIfNull(start);
        var started = await start(since).ConfigureAwait(false);
        return started.TryGetValue(out var watch, out var refusal) ? Follow(watch, since, start, live: false) : refusal;
    }

    /// <summary>Watches what has no numbers to go on by: where a watch ends another is started, after a resync event.</summary>
    /// <param name="start">Starts a watch, which may end at any time.</param>
    /// <returns>The watch, started, or why it could not be.</returns>
    public async Task<LeaseResult<LeaseWatch>> StartLiveAsync(Func<Task<LeaseResult<LeaseWatch>>> start)
    {
        ArgumentNullException.ThrowIfNull(start);
        var started = await start().ConfigureAwait(false);
        return started.TryGetValue(out var watch, out var refusal) ? Follow(watch, null, _ => start(), live: true) : refusal;
    }

    /// <summary>Watches every name with a prefix, live.</summary>
    /// <param name="prefixes">Where the keepers of this process publish what they store.</param>
    /// <param name="prefix">The prefix; empty for all names.</param>
    /// <returns>The watch, started.</returns>
    public LeaseWatch StartPrefix(PrefixWatchers prefixes, string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefixes);
        return Follow(prefixes.Start(prefix), null, _ => Task.FromResult<LeaseResult<LeaseWatch>>(prefixes.Start(prefix)), live: true);
    }

    /// <summary>Ends all watches.</summary>
    public void Dispose() => _stop.Cancel();

    private LeaseWatch Follow(LeaseWatch watch, WatchPoint? since, Func<WatchPoint?, Task<LeaseResult<LeaseWatch>>> start, bool live) =>
        new(UntilStopAsync(FollowAsync(watch, since, start, live)), watch);

    private async IAsyncEnumerable<WatchEvent> FollowAsync(
        LeaseWatch watch,
        WatchPoint? since,
        Func<WatchPoint?, Task<LeaseResult<LeaseWatch>>> start,
        bool live,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            while (true)
            {
                await foreach (var change in watch.WithCancellation(cancellationToken).ConfigureAwait(false))
                {
                    since = change.ResumeFrom ?? since;
                    yield return change;
                }

                watch.Dispose();
                LeaseWatch? next;
                while (!(await start(since).ConfigureAwait(false)).TryGetValue(out next, out _))
                    await Task.Delay(RetryAfter, time, cancellationToken).ConfigureAwait(false);
                watch = next;
                // The new watch has started before the reader gets the resync: what was missed came before that.
                if (live) yield return WatchEvent.Resync.Instance;
            }
        }
        finally
        {
            watch.Dispose();
        }
    }

    private async IAsyncEnumerable<WatchEvent> UntilStopAsync(
        IAsyncEnumerable<WatchEvent> events, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        var enumerator = events.GetAsyncEnumerator(either.Token);
        await using var _ = enumerator.ConfigureAwait(false);
        metrics?.Begun();
        try
        {
            while (await NextAsync(enumerator, cancellationToken).ConfigureAwait(false))
            {
                if (enumerator.Current is WatchEvent.Resync) metrics?.Resynced();
                yield return enumerator.Current;
            }
        }
        finally
        {
            metrics?.Ended();
        }
    }

    private async ValueTask<bool> NextAsync(IAsyncEnumerator<WatchEvent> events, CancellationToken cancellationToken)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
