using Microsoft.Extensions.Logging;

namespace OrleansLeases.Fencing.AspNetCore;

internal sealed partial class FencingFilter
{
    [LoggerMessage(7311, LogLevel.Error, "The fence did not answer; a request for {Resource} with token {Token} was not let in.")]
    private static partial void LogUnavailable(ILogger logger, string resource, long token, Exception exception);

    [LoggerMessage(
        7312, LogLevel.Warning,
        "A request for {Resource} with token {Token} took too long or lost the fence's database, and was cancelled; others may have "
            + "been let in before it had.")]
    private static partial void LogLost(ILogger logger, string resource, long token);

    [LoggerMessage(7313, LogLevel.Error, "The keys of the lease service cannot be fetched; no request with a proof is let in.")]
    private static partial void LogNoKeys(ILogger logger, Exception exception);

    [LoggerMessage(
        7314, LogLevel.Error,
        "A request for {Resource} with token {Token} was not let in: the fence does not take the restore epoch {Epoch}. If the lease "
            + "service was restored and says that this is its epoch, the owner of the fence accepts it by lease_fence_accept_epoch.")]
    private static partial void LogUnknownEpoch(ILogger logger, string resource, long token, int epoch);
}
