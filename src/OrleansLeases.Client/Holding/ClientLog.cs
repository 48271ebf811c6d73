using Microsoft.Extensions.Logging;

namespace OrleansLeases.Client.Holding;

/// <summary>What a client logs about its leases.</summary>
internal static partial class ClientLog
{
    [LoggerMessage(1, LogLevel.Warning, "The lease on '{Resource}' of '{Owner}' with token {Token} was lost ({Reason}): {Detail}")]
    public static partial void Lost(this ILogger logger, string resource, string owner, long token, NotHolderReason reason, string detail);

    [LoggerMessage(
        2, LogLevel.Warning,
        "Leases are not being renewed, first that on '{Resource}' of '{Owner}'; that is tried again until they run out: {Detail}")]
    public static partial void NotRenewed(this ILogger logger, string resource, string owner, string detail);

    [LoggerMessage(3, LogLevel.Information, "All leases are being renewed again.")]
    public static partial void RenewedAgain(this ILogger logger);

    [LoggerMessage(
        4,
        LogLevel.Warning,
        "The lease on '{Resource}' of '{Owner}' with token {Token} is given back: its handle was collected, and had not been disposed "
            + "of. It was taken in {CallSite}.")]
    public static partial void Collected(this ILogger logger, string resource, string owner, long token, string callSite);

    [LoggerMessage(
        5, LogLevel.Warning,
        "An acquire of '{Resource}' by '{Owner}' is not answered, and is tried again for as long as it may wait: {Detail}")]
    public static partial void NotAnswered(this ILogger logger, string resource, string owner, string detail);

    [LoggerMessage(6, LogLevel.Information, "An acquire of '{Resource}' by '{Owner}' is answered again.")]
    public static partial void AnsweredAgain(this ILogger logger, string resource, string owner);

    [LoggerMessage(
        7, LogLevel.Warning, "The credential of the lease client goes to {Server} unencrypted, for all to read on the way; use https.")]
    public static partial void CredentialInClear(this ILogger logger, Uri server);

    [LoggerMessage(8, LogLevel.Warning, "Calls go to the lease server {Server} from now on, since {Former} does not answer them.")]
    public static partial void ServerChanged(this ILogger logger, Uri server, Uri former);

    [LoggerMessage(9, LogLevel.Warning, "An acquire of '{Resource}' by '{Owner}' is refused ({Code}): {Detail}")]
    public static partial void Refused(this ILogger logger, string resource, string owner, RefusalCode code, string detail);
}
