using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Http;

internal sealed partial class Entrance
{
    [LoggerMessage(7102, LogLevel.Error, "The gateway failed at {Method} {Path} (failure {Failure}).")]
    private static partial void LogFailed(ILogger logger, string method, string? path, string failure, Exception exception);

    [LoggerMessage(7103, LogLevel.Error, "The gateway did not answer {Method} {Path} (failure {Failure}).")]
    private static partial void LogUnanswered(ILogger logger, string method, string? path, string failure);
}
