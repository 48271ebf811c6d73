using OrleansLeases.Core;

namespace OrleansLeases.Embedded;

/// <summary>
/// Drops the records of names that were idle for long enough, in portions: what it takes no longer than a quarter of the time for, others
/// hardly feel.
/// </summary>
internal sealed class IdleSweeper : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    /// <param name="records">What it drops.</param>
    /// <param name="time">The clock of the pauses.</param>
    public IdleSweeper(IdleRecords records, TimeProvider time) => _loop = Background.Run(() => SweepAsync(records, time));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task SweepAsync(IdleRecords records, TimeProvider time)
    {
        while (!_stop.IsCancellationRequested)
        {
            var start = time.GetTimestamp();
            var pause = Pause;
            try
            {
                if (await records.SweepAsync(_stop.Token).ConfigureAwait(false))
                    pause = Holder.Max(LeastPause, Holder.Min(Pause, 3 * time.GetElapsedTime(start)));
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                // The store could not be read; every call says so as well. Nothing is wrong where names are kept for longer.
            }

            try
            {
                await Task.Delay(pause, time, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
