using System.Runtime.CompilerServices;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// A watch at a grain, as long as it lasts: it ends, and says nothing of why, where the grain moves, its silo dies or the
/// connection breaks. One reader.
/// </summary>
internal sealed class GrainWatch : IDisposable
{
    private static readonly TimeSpan DefaultStartTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _gone = new();
    private readonly IAsyncEnumerator<LeaseResult<WatchEvent[]>> _batches;
    private Task<bool> _next;
    private int _disposed;

    private GrainWatch(IAsyncEnumerable<LeaseResult<WatchEvent[]>> batches)
    {
        _batches = batches.GetAsyncEnumerator(_gone.Token);
        _next = _batches.MoveNextAsync().AsTask();
    }

    /// <summary>Starts one.</summary>
    /// <param name="call">Calls the grain.</param>
    /// <param name="timeout">How long it may take; 15 s where left out.</param>
    /// <param name="time">The clock of that; the system's where left out.</param>
    /// <returns>The watch, or why it could not be started.</returns>
    public static async Task<LeaseResult<LeaseWatch>> StartAsync(
        Func<IAsyncEnumerable<LeaseResult<WatchEvent[]>>> call, TimeSpan? timeout = null, TimeProvider? time = null)
    {
        GrainWatch? watch = null;
        try
        {
            watch = new GrainWatch(call());
            if (!await watch._next.WaitAsync(timeout ?? DefaultStartTimeout, time ?? GrainKeepers.RealTime).ConfigureAwait(false))
            {
                throw new EnumerationAbortedException("It ended before it began.");
            }

            if (watch._batches.Current.Refusal is not { } refusal) return new LeaseWatch(watch.ReadAsync(), watch);
            watch.Dispose();
            return refusal;
        }
        catch (Exception)
        {
            watch?.Dispose();
            return new Refusal.Unavailable(RetryAfter, "The grain did not start the watch; ask again.");
        }
    }

    /// <summary>Ends it, here at once, and at the grain as soon as that hears of it.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) _ = EndAsync();
    }

    private async IAsyncEnumerable<WatchEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            do
            {
                if (!_batches.Current.TryGetValue(out var batch, out _)) yield break;
                foreach (var next in batch) yield return next;
            }
            while (await NextAsync(cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            Dispose();
        }
    }

    private async ValueTask<bool> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            _next = _batches.MoveNextAsync().AsTask();
            return await _next.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    // Nobody waits for it: a silo that is gone does not answer for half a minute.
    private async Task EndAsync()
    {
        try
        {
            await _gone.CancelAsync().ConfigureAwait(false);
            await ((Task)_next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _batches.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It ends there by itself, since nobody takes anything from it.
        }
        finally
        {
            _gone.Dispose();
        }
    }
}
