using Microsoft.Extensions.Logging;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>
/// Looks at the database of a silo's leases again and again: whether it answers and takes writes, under which restore epoch, and how
/// far apart its clock and the silo's are.
/// </summary>
internal sealed partial class DatabaseWatch : IAsyncDisposable
{
    private const int LooksAtStart = 5;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookWhileAwayEvery = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly IWatchedDatabase _database;
    private readonly TimeProvider _time;
    private readonly LeaseClock _clock;
    private readonly ILogger _logger;
    private readonly ClockVerdict _verdict;
    private Task _watch = Task.CompletedTask;
    private long _offset;
    private volatile bool _looked;
    private volatile string? _trouble;
    private volatile string? _away;
    private volatile string? _blind;

    public DatabaseWatch(IWatchedDatabase database, TimeSpan clockSkew, TimeProvider time, LeaseClock clock, ILogger logger)
    {
        _database = database;
        // An inherited horizon is another clock's, and is waited out with the allowed skew. Each of the two clocks may use half of it.
        _verdict = new(clockSkew / 2);
        _time = time;
        _clock = clock;
        _logger = logger;
    }

    /// <summary>The restore epoch that was found at the start.</summary>
    public int Epoch { get; private set; }

    public StorageTrouble? Trouble =>
        _trouble is { } unfit ? new(StorageTroubleKind.Unfit, unfit)
        : _blind is { } blind ? new(StorageTroubleKind.Blind, blind)
        : _away is { } away ? new(StorageTroubleKind.Away, away)
        : null;

    /// <summary>How far the silo's clock is ahead of the database's, by the last look; null before the first.</summary>
    public TimeSpan? ClockOffset => _looked ? new TimeSpan(Volatile.Read(ref _offset)) : null;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Epoch = await _database.CheckAsync(cancellationToken);
        for (var look = 1; !await LookAsync(cancellationToken); look++)
        {
            if (look == LooksAtStart) throw new InvalidOperationException(
                "The database answers too slowly to compare clocks with it; half of ClockSkew has to be as long as a query takes.");
        }

        if (_trouble is { } trouble) throw new InvalidOperationException(trouble);
        _watch = Background.Run(WatchAsync);
    }

    /// <summary>What is wrong with records of an epoch other than the one at the start.</summary>
    public string OtherEpoch(int epoch) =>
        $"The database's restore epoch is {epoch}, this silo started under {Epoch}; restart the silo.";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watch;
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(_away is null ? LookEvery : LookWhileAwayEvery, _time, _stop.Token);
                await LookTwiceAsync();
                if (_away is null) continue;
                _away = null;
                LogBack(_logger);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                // Nothing can be claimed through a database that does not answer, so the last verdict may stand.
                if (_away is null) LogAway(_logger, error.Message);
                _away = "The database does not answer, or takes no writes; the silo's log says why.";
            }
        }
    }

    // A connection of the pool may have been cut long ago; the next one is new then.
    private async Task LookTwiceAsync()
    {
        try
        {
            await LookAsync(_stop.Token);
        }
        catch (Exception) when (!_stop.IsCancellationRequested)
        {
            await LookAsync(_stop.Token);
        }
    }

    /// <summary>Looks at the database: whether it takes writes, under which epoch, and what its clock says.</summary>
    /// <returns>Whether the comparison was conclusive.</returns>
    private async Task<bool> LookAsync(CancellationToken cancellationToken)
    {
        var sent = _clock.ReadRaw();
        var seen = await _database.LookAsync(cancellationToken);
        if (seen.IsReadOnly)
        {
            throw new InvalidOperationException("The database is read-only: a standby, or one whose default_transaction_read_only is on.");
        }

        var answered = _clock.ReadRaw();
        var missed = _verdict.Missed;
        var look = ClockComparison.Of(seen.Clock, sent.Wall, answered.Monotonic - sent.Monotonic);
        Volatile.Write(ref _offset, look.Ahead.Ticks);
        _looked = true;
        var right = _verdict.Take(look, answered.Monotonic);
        if (_verdict.Missed != missed) LogMissed(right is null);
        var trouble = seen.Epoch != Epoch ? OtherEpoch(seen.Epoch) : _verdict.Off;
        if (right == true && trouble is null) _clock.Calibrate(sent);
        if (trouble != _trouble && trouble is not null) LogTrouble(_logger, trouble);
        if (_blind is null && _verdict.Blind is { } blind) LogTrouble(_logger, blind);
        (_trouble, _blind) = (trouble, _verdict.Blind);
        return right is not null;
    }

    private void LogMissed(bool begins)
    {
        if (begins) LogMissedLook(_logger, (int)ClockVerdict.InconclusiveLimit.TotalSeconds);
        else LogSeen(_logger);
    }

    [LoggerMessage(7406, LogLevel.Error, "No leases are claimed: {Trouble}")]
    private static partial void LogTrouble(ILogger logger, string trouble);

    [LoggerMessage(
        7401, LogLevel.Error,
        "The database cannot be used, and calls that need it are refused: {Reason} See whether PostgreSQL runs, can be reached, has a "
            + "connection left and takes writes.")]
    private static partial void LogAway(ILogger logger, string reason);

    [LoggerMessage(
        7404, LogLevel.Warning,
        "The database answered too slowly to compare clocks with it. If that lasts for {Seconds} s, no leases are claimed.")]
    private static partial void LogMissedLook(ILogger logger, int seconds);

    [LoggerMessage(7405, LogLevel.Warning, "The database answers fast enough again to compare clocks with it.")]
    private static partial void LogSeen(ILogger logger);

    [LoggerMessage(7402, LogLevel.Warning, "The database can be used again.")]
    private static partial void LogBack(ILogger logger);
}
