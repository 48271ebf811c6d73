using System.Runtime.CompilerServices;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// A watch at a grain, as long as it lasts: it ends, and says nothing of why, where the grain moves, its silo dies or the
/// connection breaks. One reader.
/// </summary>
internal sealed class GrainWatch : IDisposable
{
    private static readonly TimeSpan LongestPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _gone = new();
    private readonly IAsyncEnumerator<LeaseResult<WatchEvent[]>> _portions;
    private Task<bool> _next;
    private int _disposed;

    private GrainWatch(IAsyncEnumerable<LeaseResult<WatchEvent[]>> portions)
    {
        _portions = portions.GetAsyncEnumerator(_gone.Token);
        _next = _portions.MoveNextAsync().AsTask();
    }

    /// <summary>Starts one.</summary>
    /// <param name="call">Calls the grain.</param>
    /// <param name="patience">How long it may take; 15 s where left out.</param>
    /// <returns>The watch, or why it could not be started.</returns>
    public static async Task<LeaseResult<LeaseWatch>> StartAsync(
        Func<IAsyncEnumerable<LeaseResult<WatchEvent[]>>> call, TimeSpan? patience = null)
    {
        GrainWatch? watch = null;
        try
        {
            watch = new GrainWatch(call());
            if (!await watch._next.WaitAsync(patience ?? LongestPatience, GrainKeepers.RealTime).ConfigureAwait(false))
            {
                throw new EnumerationAbortedException("It ended before it began.");
            }

            if (watch._portions.Current.Refusal is not { } refusal) return new LeaseWatch(watch.ReadAsync(), watch);
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
                if (!_portions.Current.TryGetValue(out var portion, out _)) yield break;
                foreach (var told in portion) yield return told;
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
            _next = _portions.MoveNextAsync().AsTask();
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
            await _portions.DisposeAsync().ConfigureAwait(false);
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
