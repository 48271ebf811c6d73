using System.Runtime.CompilerServices;

namespace OrleansLeases.Core;

/// <summary>
/// The watches of one process: they go on where the keeper of a record was replaced, and start over where they were cut
/// off, until the service stops. Thread-safe.
/// </summary>
/// <param name="prefixes">Where the keepers of this process tell what they store.</param>
/// <param name="time">The clock of the pauses.</param>
public sealed class Watches(PrefixWatchers prefixes, TimeProvider time) : IDisposable
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
        var started = await start(since);
        return started.TryGetValue(out var watch, out var refusal) ? new LeaseWatch(UntilStopAsync(FollowAsync(watch, since, start))) : refusal;
    }

    /// <summary>Watches every name with a prefix, live.</summary>
    /// <param name="prefix">The prefix; empty for all names.</param>
    /// <returns>The watch, started.</returns>
    public LeaseWatch StartPrefix(string prefix)
    {
        var watcher = prefixes.Add(prefix);
        return new LeaseWatch(UntilStopAsync(FollowPrefixAsync(prefix, watcher)), watcher);
    }

    /// <summary>Ends all watches.</summary>
    public void Dispose() => _stop.Cancel();

    private async IAsyncEnumerable<WatchEvent> FollowAsync(
        LeaseWatch watch, WatchPoint? since, Func<WatchPoint?, Task<LeaseResult<LeaseWatch>>> start, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            await foreach (var told in watch.WithCancellation(cancellationToken))
            {
                since = told.ResumeFrom ?? since;
                yield return told;
            }

            LeaseWatch? next;
            while (!(await start(since)).TryGetValue(out next, out _)) await Task.Delay(RetryAfter, time, cancellationToken);
            watch = next;
        }
    }

    private async IAsyncEnumerable<WatchEvent> FollowPrefixAsync(string prefix, PrefixWatcher watcher, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            while (true)
            {
                await foreach (var told in watcher.ReadAllAsync(cancellationToken)) yield return told;
                // The new one hears before the reader is told: what was missed came before the word.
                watcher = prefixes.Add(prefix);
                yield return WatchEvent.Resync.Instance;
            }
        }
        finally
        {
            watcher.Dispose();
        }
    }

    private async IAsyncEnumerable<WatchEvent> UntilStopAsync(IAsyncEnumerable<WatchEvent> events, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        await using var told = events.GetAsyncEnumerator(either.Token);
        while (await NextAsync(told, cancellationToken)) yield return told.Current;
    }

    private async ValueTask<bool> NextAsync(IAsyncEnumerator<WatchEvent> events, CancellationToken cancellationToken)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
