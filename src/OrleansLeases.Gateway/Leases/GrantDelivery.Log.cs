using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Leases;

internal sealed partial class GrantDelivery
{
    [LoggerMessage(7201, LogLevel.Debug, "The caller was gone before the grant of {Resource} with token {Token} was delivered: {Outcome}.")]
    private static partial void LogUndelivered(ILogger logger, string resource, long token, string outcome);

    [LoggerMessage(7202, LogLevel.Warning, "The grant of {Resource} with token {Token} was never delivered and could not be released; "
        + "it ends by itself within {Ttl}.")]
    private static partial void LogUndeliveredNotReleased(ILogger logger, string resource, long token, TimeSpan ttl, Exception exception);
}
