using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Http;

internal sealed partial class ServiceCalls
{
    [LoggerMessage(7101, LogLevel.Error, "The lease service failed at {Method} {Path} (failure {Failure}).")]
    private static partial void LogFailed(ILogger logger, string method, string? path, string failure, Exception exception);
}
