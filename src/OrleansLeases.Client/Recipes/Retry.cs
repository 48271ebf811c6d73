using OrleansLeases.Client.Internal;

namespace OrleansLeases.Client.Recipes;

/// <summary>Calls that may be made twice: those with a request id, and reads.</summary>
internal static class Retry
{
    // Longer than the usual fail-over of a server or a silo.
    private static readonly TimeSpan RetryTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>Makes a call, and makes it again while the service cannot be reached or does not say what became of it.</summary>
    public static async Task<LeaseResult<T>> MakeAsync<T>(
        LeaseClient client, Func<CancellationToken, ValueTask<LeaseResult<T>>> call, CancellationToken cancellationToken)
        where T : class
    {
        var time = client.Time;
        var started = time.GetTimestamp();
        var pauses = new Backoff(ShortestPause, LongestPause, client.Random);
        Refusal? unknown = null;
        while (true)
        {
            var result = await call(cancellationToken).ConfigureAwait(false);
            if (result.Refusal is not { } refusal || !ChangeOutcome.IsUnsettled(refusal, afterUnknown: unknown is not null)) return result;
            if (refusal is Refusal.OutcomeUnknown) unknown ??= refusal;
            var pause = pauses.Next(refusal);
            // Whatever was said last: an earlier call may have been carried out. Decision unknown-stays-unknown.
            if (time.GetElapsedTime(started) + pause > RetryTimeout) return unknown ?? refusal;
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads a key; null where there is none.</summary>
    public static async Task<KeyValue?> ReadKeyAsync(LeaseClient client, string key, CancellationToken cancellationToken)
    {
        var read = await MakeAsync(client, stop => client.Service.GetKeyAsync(key, stop), cancellationToken).ConfigureAwait(false);
        if (read.TryGetValue(out var value, out var refusal)) return value;
        return refusal is Refusal.NotFound ? null : throw new LeaseRefusedException(refusal);
    }
}
