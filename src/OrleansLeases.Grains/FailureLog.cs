using Microsoft.Extensions.Logging;

namespace OrleansLeases.Grains;

/// <summary>
/// Takes down what the store and the grains throw, and says where: an exception's text, which from Orleans has stacks in it, is
/// not for callers. Thread-safe.
/// </summary>
internal sealed partial class FailureLog(ILogger<FailureLog> logger)
{
    /// <summary>Logs a failure.</summary>
    /// <param name="what">What could not be done.</param>
    /// <param name="error">Why.</param>
    /// <returns>A sentence that tells a caller where to find it.</returns>
    public string Note(string what, Exception error)
    {
        if (error is TimeoutException) return "It did not answer in time.";
        var failure = Take(what, error);
        return $"The log says why, under {failure}.";
    }

    /// <summary>Logs a failure and says under which id.</summary>
    public string Take(string what, Exception error)
    {
        var failure = FailureId.New();
        LogFailed(logger, what, failure, error);
        return failure;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{What} (failure {Failure}).")]
    private static partial void LogFailed(ILogger logger, string what, string failure, Exception error);
}
