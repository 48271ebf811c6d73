using Microsoft.Extensions.Logging;

namespace OrleansLeases.Grains;

/// <summary>
/// Logs the exceptions of the store and of grain calls under an id that the refusal names: the text of an exception, which from
/// Orleans contains stack traces, is not for callers. Thread-safe.
/// </summary>
internal sealed partial class FailureLog(ILogger<FailureLog> logger)
{
    /// <summary>Logs a failure.</summary>
    /// <param name="what">What could not be done.</param>
    /// <param name="error">Why.</param>
    /// <returns>A sentence for the caller with the id of the log entry.</returns>
    public string Describe(string what, Exception error)
    {
        if (error is TimeoutException) return "It did not answer in time.";
        var failure = Log(what, error);
        return $"The log says why, under {failure}.";
    }

    /// <summary>Logs a failure and returns its id.</summary>
    public string Log(string what, Exception error)
    {
        var failure = FailureId.New();
        LogFailed(logger, what, failure, error);
        return failure;
    }

    [LoggerMessage(7412, LogLevel.Warning, "{What} (failure {Failure}).")]
    private static partial void LogFailed(ILogger logger, string what, string failure, Exception error);
}
