using Microsoft.Extensions.Logging;
using OrleansLeases.Core;

namespace OrleansLeases;

/// <inheritdoc cref="IServiceLog"/>
/// <param name="logger">Where it logs.</param>
/// <param name="time">The clock of its silences.</param>
internal sealed partial class ServiceLog(ILogger logger, TimeProvider time) : IServiceLog
{
    // Of many that expire at once the first ones say it all.
    private const int MostExpiredAMinute = 20;

    private readonly LineBudget _expired = new(MostExpiredAMinute, time);
    private readonly LineBudget _slow = new(1, time);
    private readonly Lock _gate = new();
    private TimeSpan _stepped;

    public bool IsOn => logger.IsEnabled(LogLevel.Information);

    public void Changed(string resource, in LogEntry change)
    {
        try
        {
            Log(resource, change);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // What is stored is stored, whatever becomes of its line.
        }
    }

    /// <summary>The store has taken long.</summary>
    public void Slow(string operation, TimeSpan took)
    {
        if (!_slow.TryTake(out var omitted)) return;
        try
        {
            LogSlow(
                logger, operation, took.TotalSeconds, omitted == 0 ? "" : $" {omitted} more that were slow went unmentioned before it.");
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // The store has done what it was asked for.
        }
    }

    /// <summary>Looks how far the wall clock has been set.</summary>
    /// <param name="stepped">Since the service started; negative where it was set back.</param>
    /// <param name="bound">What goes without saying.</param>
    public void LookAtClock(TimeSpan stepped, TimeSpan bound)
    {
        TimeSpan by;
        lock (_gate)
        {
            by = stepped - _stepped;
            if (by.Duration() <= bound) return;
            _stepped = stepped;
        }

        LogStepped(logger, by.TotalSeconds, stepped.TotalSeconds);
    }

    private void Log(string resource, in LogEntry change)
    {
        if (change.Kind == LeaseEventKind.Breaking)
        {
            LogBroken(
                logger, VisibleText.Show(resource), VisibleText.Show(change.Owner), change.Token, VisibleText.Show(change.Reason ?? ""));
        }
        else if (change.Kind == LeaseEventKind.Expired && _expired.TryTake(out var omitted))
        {
            LogExpired(
                logger, VisibleText.Show(resource), VisibleText.Show(change.Owner), change.Token,
                omitted == 0 ? "" : $" {omitted} more went unmentioned before it.");
        }
    }

    [LoggerMessage(
        7501, LogLevel.Information, "The lease on '{Resource}' of '{Owner}' with token {Token} is broken: {Reason}")]
    private static partial void LogBroken(ILogger logger, string resource, string owner, long token, string reason);

    [LoggerMessage(
        7502, LogLevel.Information,
        "The lease on '{Resource}' of '{Owner}' with token {Token} has expired: its holder did not renew it.{Omitted}")]
    private static partial void LogExpired(ILogger logger, string resource, string owner, long token, string omitted);

    [LoggerMessage(7503, LogLevel.Warning, "The store took {Seconds:0.0} s for one {Operation}.{Omitted}")]
    private static partial void LogSlow(ILogger logger, string operation, double seconds, string omitted);

    [LoggerMessage(
        7504, LogLevel.Warning,
        "This machine's clock was set by {Seconds:0.0} s, {Total:0.0} s since the service started. Leases in force do not end sooner for "
            + "that; synchronize the clock.")]
    private static partial void LogStepped(ILogger logger, double seconds, double total);
}

/// <summary>How many lines of one kind are logged in a minute. Thread-safe.</summary>
/// <param name="most">How many.</param>
/// <param name="time">The clock.</param>
internal sealed class LineBudget(int most, TimeProvider time)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long _begun;
    private int _used = -1;
    private long _omitted;

    /// <summary>Whether a line is logged.</summary>
    /// <param name="omitted">How many were left out since the last one.</param>
    public bool TryTake(out long omitted)
    {
        lock (_gate)
        {
            if (_used < 0 || time.GetElapsedTime(_begun) >= Minute) (_begun, _used) = (time.GetTimestamp(), 0);
            omitted = _omitted;
            if (_used >= most)
            {
                _omitted++;
                return false;
            }

            _used++;
            _omitted = 0;
            return true;
        }
    }
}
