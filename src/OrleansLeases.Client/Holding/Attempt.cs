namespace OrleansLeases.Client.Holding;

/// <summary>One call that must not hold up its caller: a failure is returned as a refusal.</summary>
internal static class Attempt
{
    /// <summary>Makes a call.</summary>
    /// <param name="call">The call. It is cancelled when its time is over, and given up even if it does not heed that.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="time">The clock of the limit.</param>
    /// <param name="stop">Gives up the call.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    public static async Task<LeaseResult<T>> MakeAsync<T>(
        Func<CancellationToken, ValueTask<LeaseResult<T>>> call, TimeSpan limit, TimeProvider time, CancellationToken stop)
        where T : class
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            return await call(ended.Token).AsTask().WaitAsync(limit, time, stop).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return new Refusal.OutcomeUnknown(null, $"The service did not answer within {limit.TotalSeconds:0.###} s.");
        }
        catch (Exception defect) when (!stop.IsCancellationRequested)
        {
            return new Refusal.OutcomeUnknown(null, $"The call failed: {defect.GetType().Name}: {defect.Message}");
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
        }
    }
}
