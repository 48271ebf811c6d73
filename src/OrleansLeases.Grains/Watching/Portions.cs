using System.Runtime.CompilerServices;

namespace OrleansLeases.Grains;

/// <summary>
/// A watch as it crosses to its caller: in portions, each what there is by then. The first comes at once, with a refusal or
/// with what there is to begin with, so that the caller knows that whatever comes from now on is told.
/// </summary>
internal static class Portions
{
    private const int Largest = 256;

    /// <summary>Divides a watch.</summary>
    /// <param name="starting">The watch, or why there is none; taken over.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Its events.</returns>
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
                List<WatchEvent> portion = [];
                while (portion.Count < Largest && next.IsCompletedSuccessfully && await next)
                {
                    portion.Add(events.Current);
                    next = events.MoveNextAsync().AsTask();
                }

                yield return portion.ToArray();
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
