using Microsoft.Extensions.Logging;

namespace OrleansLeases.Hosting.Telemetry;

/// <summary>What leased work logs.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(1, LogLevel.Information, "{Service} leads with token {Token} of '{Resource}'.")]
    public static partial void Leads(this ILogger log, string service, long token, string resource);

    [LoggerMessage(2, LogLevel.Information, "{Service} led with token {Token} until it was asked to stop: {Why}.")]
    public static partial void Led(this ILogger log, string service, long token, string why);

    [LoggerMessage(
        3, LogLevel.Error, "{Service} failed, and its instance gives up its lease on '{Resource}'; it leads again after a pause.")]
    public static partial void ServiceFailed(this ILogger log, string service, string resource, Exception error);

    [LoggerMessage(4, LogLevel.Information, "{Service} has come to its end by itself; its instance leads on, so that no other starts it.")]
    public static partial void ServiceEnded(this ILogger log, string service);

    [LoggerMessage(5, LogLevel.Warning, "The work of '{Resource}' was asked to stop ({Why}) and goes on; its lease is held until it ends.")]
    public static partial void GoesOn(this ILogger log, string resource, string why);

    [LoggerMessage(
        6, LogLevel.Critical,
        "The work of '{Resource}' goes on although its lease is over, and another instance may work beside it; only a resource that checks "
            + "the token {Token} is protected from it.")]
    public static partial void GoesOnUnguarded(this ILogger log, string resource, long token);

    [LoggerMessage(
        7, LogLevel.Warning, "The host has no more time to stop, and the work of {Resources} goes on; its leases are left to expire.")]
    public static partial void NotStoppedInTime(this ILogger log, string resources);

    [LoggerMessage(8, LogLevel.Warning, "The work of '{Resource}' cannot go on, which is tried again.")]
    public static partial void InTrouble(this ILogger log, string resource, Exception error);

    [LoggerMessage(9, LogLevel.Error, "What was registered to run when the work of '{Resource}' is asked to stop has failed.")]
    public static partial void CallbackFailed(this ILogger log, string resource, Exception error);

    [LoggerMessage(11, LogLevel.Information, "The job '{Job}' starts for {Tick:o} with token {Token}.")]
    public static partial void Starts(this ILogger log, string job, DateTimeOffset tick, long token);

    [LoggerMessage(12, LogLevel.Information, "The job '{Job}' of {Tick:o} has ended after {Seconds:0.###} s: {Outcome}.")]
    public static partial void Ran(this ILogger log, string job, DateTimeOffset tick, double seconds, string outcome);

    [LoggerMessage(13, LogLevel.Error, "The job '{Job}' of {Tick:o} has failed; it is started again at its next tick.")]
    public static partial void JobFailed(this ILogger log, string job, DateTimeOffset tick, Exception error);

    [LoggerMessage(14, LogLevel.Warning, "The job '{Job}' of {Tick:o} was cut short: {Outcome}.")]
    public static partial void CutShort(this ILogger log, string job, DateTimeOffset tick, string outcome);

    [LoggerMessage(15, LogLevel.Warning, "{Ticks} ticks of the job '{Job}' were missed, the last of them {Tick:o}.")]
    public static partial void Missed(this ILogger log, int ticks, string job, DateTimeOffset tick);

    [LoggerMessage(
        16, LogLevel.Warning,
        "The tick {Tick:o} of the job '{Job}' is due by this machine's clock, which is {Ahead} ahead of the service's; it waits for that.")]
    public static partial void ClockAhead(this ILogger log, DateTimeOffset tick, string job, TimeSpan ahead);

    [LoggerMessage(
        17, LogLevel.Warning,
        "The job '{Job}' was last started for {Tick:o}, which is ahead of this machine's clock: that is behind, or another one was wrong. "
            + "Delete the key '{Key}' to begin anew.")]
    public static partial void MarkAhead(this ILogger log, string job, DateTimeOffset tick, string key);
}
