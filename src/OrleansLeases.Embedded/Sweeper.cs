using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Embedded;

/// <summary>
/// Wakes the keepers of records that no keeper remembers: after a restart nobody has set their alarms. Reads only
/// what has come due, so a start does not read the whole database.
/// </summary>
internal sealed class Sweeper : IAsyncDisposable
{
    private const int PageSize = 64;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StartOverAfter = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    /// <param name="store">The store.</param>
    /// <param name="clock">What is due by.</param>
    /// <param name="time">The clock of the pauses.</param>
    /// <param name="keeperOf">Finds the keeper of a record.</param>
    /// <param name="turn">Does what else is to be done each time, after the sweep: what it throws harms none. Null for nothing.</param>
    public Sweeper(
        IRecordStore store, LeaseClock clock, TimeProvider time, Func<RecordKind, string, Keeper> keeperOf, Action? turn = null) =>
        _loop = Background.Run(() => SweepAsync(store, clock, time, keeperOf, turn));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task SweepAsync(
        IRecordStore store, LeaseClock clock, TimeProvider time, Func<RecordKind, string, Keeper> keeperOf, Action? turn)
    {
        var startOver = TimeSpan.Zero;
        (DueRecord? Lease, DueRecord? Key) done = default;
        while (!_stop.IsCancellationRequested)
        {
            var pause = true;
            try
            {
                var now = clock.Read();
                // A keeper that lost its record to a fault is found again by starting over now and then.
                if (now.Monotonic >= startOver) (startOver, done) = (now.Monotonic + StartOverAfter, default);
                var query = new DueQuery { Until = now.Earliest.Ticks / TimeSpan.TicksPerMillisecond, Limit = PageSize };
                var leases = await WakeAsync(store, query with { After = done.Lease }, keeperOf).ConfigureAwait(false);
                var keys = await WakeAsync(store, query with { Kind = RecordKind.Key, After = done.Key }, keeperOf).ConfigureAwait(false);
                done = (leases is [.., var lease] ? lease : done.Lease, keys is [.., var key] ? key : done.Key);
                pause = leases.Count < PageSize && keys.Count < PageSize;
                turn?.Invoke();
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                // The store could not be read; every call says so as well. A sweep is never needed for safety.
            }

            try
            {
                if (pause) await Task.Delay(Pause, time, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task<IReadOnlyList<DueRecord>> WakeAsync(IRecordStore store, DueQuery query, Func<RecordKind, string, Keeper> keeperOf)
    {
        var page = await store.DueAsync(query, _stop.Token).ConfigureAwait(false);
        await Task.WhenAll(page.Select(record => keeperOf(query.Kind, record.Name).Wake())).ConfigureAwait(false);
        return page;
    }
}
