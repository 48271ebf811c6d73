using Npgsql;

namespace OrleansLeases.Fencing.PostgreSql;

/// <summary>Blocks every greater token during work that no transaction covers. Thread-safe.</summary>
/// <remarks>
/// <para>Guaranteed: its token was durably the greatest seen before the hold began, so lower ones are refused from then on, also
/// after a crash; all holds of lower tokens had ended; and while the hold lasts no greater token is admitted. Any number of holds
/// may have the same token.</para>
/// <para>It ends when it is disposed of; when its time is over; and when its connection breaks or the database restarts. The
/// last two cancel <see cref="LostToken"/>, once this process runs and notices. Work that still runs then is unprotected: it may
/// take effect after work under a greater token. A write that must never do so is made by <see cref="LeaseFence.RunAsync"/>, which
/// also works under a hold of the same token.</para>
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

    /// <summary>The token of the hold.</summary>
    public long Token { get; }

    /// <summary>
    /// Cancelled when the hold's time is over, 5 s before the database ends it; and when its connection is seen to break. Not
    /// by <see cref="DisposeAsync"/>.
    /// </summary>
    public CancellationToken LostToken { get; }

    /// <summary>Ends the hold, so that greater tokens are admitted. Never throws.</summary>
    /// <returns>Completes when the database has responded, or the connection is broken.</returns>
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
