namespace OrleansLeases.Gateway.Http;

/// <summary>The refusals for a call that came to nothing: they say what is known and no more. A change may have happened.</summary>
internal static class Failures
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>The answer to a call once the host shuts down.</summary>
    public static Refusal.Unavailable ShuttingDown { get; } =
        new(RetryAfter, "The service is shutting down. Ask again, or ask another server.");

    /// <summary>The answer to a health check once the process has run out of memory.</summary>
    public static Refusal.Unavailable OutOfMemory { get; } =
        new(RetryAfter, "The process has run out of memory; restart it, and give it more.");

    /// <summary>The call was cancelled before there was an answer, though its caller may still be there.</summary>
    public static Refusal GivenUp(bool isChange, string? requestId) =>
        Of("The call was given up before it was answered, as by a limit of the server on the time of requests", isChange, requestId);

    /// <summary>The service or the gateway failed; the log says why, under an id.</summary>
    public static Refusal Failed(string failure, bool isChange, string? requestId) =>
        Of($"The service failed; its log says why, under {failure}", isChange, requestId);

    private static Refusal Of(string what, bool isChange, string? requestId) =>
        !isChange ? new Refusal.Unavailable(RetryAfter, $"{what}. Ask again.")
        : new Refusal.OutcomeUnknown(requestId, requestId is null
            ? $"{what}. The change may have happened: read it to find out, or repeat a renew, a release or a delete."
            : $"{what}. The change may have happened: repeat the call with this request id to find out.");
}
