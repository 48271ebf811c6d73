using System.Runtime.CompilerServices;

namespace OrleansLeases.Grains;

/// <summary>
/// Sends a watch from a grain to its caller in batches, each with the events that are there by then. The first batch is sent at
/// once, with a refusal or the initial events: after it the caller knows that it receives every later event.
/// </summary>
internal static class EventBatches
{
    private const int MaxBatch = 256;

    /// <summary>Batches the events of a watch.</summary>
    /// <param name="starting">The watch, or why there is none; taken over.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Its events, at most 256 a batch.</returns>
    public static async IAsyncEnumerable<LeaseResult<WatchEvent[]>> Of(
        Task<LeaseResult<LeaseWatch>> starting, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (!(await starting).TryGetValue(out var watch, out var refusal))
        {
            yield return refusal;
            yield break;
        }

        using var gone = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var events = watch.GetAsyncEnumerator(gone.Token);
        var next = events.MoveNextAsync().AsTask();
        try
        {
            do
            {
                List<WatchEvent> batch = [];
                while (batch.Count < MaxBatch && next.IsCompletedSuccessfully && await next)
                {
                    batch.Add(events.Current);
                    next = events.MoveNextAsync().AsTask();
                }

                yield return batch.ToArray();
            }
            while (await next);
        }
        finally
        {
            // The caller may go while the next event is awaited, and that must have ended before the events are disposed of.
            await gone.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            await events.DisposeAsync();
        }
    }
}
