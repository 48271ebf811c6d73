using System.Collections.Concurrent;
using System.Data;
using Npgsql;

namespace OrleansLeases.Grains;

/// <summary>
/// The few connections over which batches go, kept open between two batches: the pool would take all of its own in turn, and a
/// server process that had no batch for a while has nothing of it at hand any more. Thread-safe.
/// </summary>
internal sealed class KeptConnections(NpgsqlDataSource database) : IAsyncDisposable
{
    // Now and then one goes back to the pool, which may have reasons to close it: its age, or a host that is no longer the primary.
    private const int MaxUses = 1_000;

    private readonly ConcurrentStack<Kept> _idle = new();
    private volatile bool _isDisposed;

    /// <summary>Uses the connection that was used last of those that are idle, or opens one.</summary>
    /// <param name="use">Uses it; what it throws goes on to the caller.</param>
    public async Task UseAsync(Func<NpgsqlConnection, Task> use)
    {
        if (!_idle.TryPop(out var kept)) kept = new(await database.OpenConnectionAsync().ConfigureAwait(false));
        try
        {
            await use(kept.Connection).ConfigureAwait(false);
        }
        catch (Exception) when (kept.Connection.FullState != ConnectionState.Open)
        {
            // What broke this one, such as a restart of the server, has most likely broken the others.
            await CloseIdleAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            await GiveBackAsync(kept).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        await CloseIdleAsync().ConfigureAwait(false);
    }

    private async ValueTask GiveBackAsync(Kept kept)
    {
        if (kept.Connection.FullState == ConnectionState.Open && ++kept.Uses < MaxUses)
        {
            _idle.Push(kept);
            if (_isDisposed) await CloseIdleAsync().ConfigureAwait(false);
        }
        else
        {
            await kept.Connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask CloseIdleAsync()
    {
        while (_idle.TryPop(out var kept)) await kept.Connection.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class Kept(NpgsqlConnection connection)
    {
        public NpgsqlConnection Connection => connection;

        public int Uses { get; set; }
    }
}
