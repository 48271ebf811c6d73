using Npgsql;

namespace OrleansLeases.Fencing.PostgreSql;

/// <summary>Keeps everyone with a greater token out while something is done that no transaction covers. Thread-safe.</summary>
/// <remarks>
/// <para>Guaranteed: its token was durably the greatest seen before the hold began, so that lower ones are refused from then
/// on, also after a crash; whoever was inside under a lower token had left; and while the hold lasts nobody comes in under
/// a greater one. Any number may hold under the same token.</para>
/// <para>It ends where it is disposed of; where its time is over; and where its connection breaks or the database restarts. The
/// last two cancel <see cref="LostToken"/>, once this process runs and hears of it. What is still being done then is on
/// its own: it may take effect after something was done under a greater token. What must not do so, whatever happens, is
/// written by <see cref="LeaseFence.RunAsync"/>, which works under a hold of the same token too.</para>
/// </remarks>
public sealed class FenceHold : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly CancellationTokenSource _lost;
    private readonly CancellationTokenSource _done = new();
    private readonly Task _watch;
    private int _disposed;

    internal FenceHold(string resource, long token, NpgsqlConnection connection, TimeSpan left, TimeProvider time)
    {
        (Resource, Token, _connection) = (resource, token, connection);
        _lost = new(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
        LostToken = _lost.Token;
        _watch = Background.Run(WatchAsync);
    }

    /// <summary>The resource.</summary>
    public string Resource { get; }

    /// <summary>The token under which it is held.</summary>
    public long Token { get; }

    /// <summary>
    /// Cancelled when the hold's time is over, 5 s before the database ends it; and when its connection is seen to break. Not
    /// by <see cref="DisposeAsync"/>.
    /// </summary>
    public CancellationToken LostToken { get; }

    /// <summary>Lets greater tokens in. Never throws.</summary>
    /// <returns>When the database has said so, or is gone.</returns>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _done.CancelAsync().ConfigureAwait(false);
        await _watch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            // Rolls back; there is nothing to commit.
            await _connection.DisposeAsync().ConfigureAwait(false);
        }
        catch (NpgsqlException)
        {
            // Its session is over, and the hold with it.
        }

        _lost.Dispose();
        _done.Dispose();
    }

    /// <summary>Reads what the server says unasked: that it ends the session.</summary>
    private async Task WatchAsync()
    {
        try
        {
            while (true) await _connection.WaitAsync(_done.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_done.IsCancellationRequested)
        {
        }
        catch (Exception)
        {
            await _lost.CancelAsync().ConfigureAwait(false);
        }
    }
}
