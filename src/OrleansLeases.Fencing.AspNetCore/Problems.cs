using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace OrleansLeases.Fencing.AspNetCore;

/// <summary>The responses to requests that do not pass, in the format of the lease service's own problems.</summary>
internal static class Problems
{
    public static Task NoTokenAsync(HttpContext context, string resource) => MalformedAsync(
        context, StatusCodes.Status428PreconditionRequired,
        $"{FencedRequest.Header} is missing; send the token of your lease on '{resource}'.");

    public static Task NotATokenAsync(HttpContext context, string given) => MalformedAsync(
        context, StatusCodes.Status400BadRequest, $"{FencedRequest.Header} takes a token, 1 to {Tokens.Max}, was '{given}'.");

    public static Task NoProofAsync(HttpContext context, string resource) => MalformedAsync(
        context, StatusCodes.Status428PreconditionRequired,
        $"{LeaseProof.Header} is missing; acquire '{resource}' with proof, and send it along.", LeaseProof.Header);

    public static Task NotProvedAsync(HttpContext context, string resource) => WriteAsync(context, new()
    {
        Type = "urn:orleans-leases:forbidden",
        Title = "The token is not proved",
        Status = StatusCodes.Status403Forbidden,
        Detail = $"{LeaseProof.Header} does not prove the token of this request on '{resource}'. Acquire it with proof, and send what the "
            + "lease service has signed.",
    });

    public static Task StaleAsync(HttpContext context, string resource, long token) => WriteAsync(context, new()
    {
        Type = "urn:orleans-leases:stale-token",
        Title = "The lease was lost",
        Status = StatusCodes.Status409Conflict,
        Detail =
            $"Token {token} of '{resource}' is stale: a greater one has been seen. Somebody else holds the lease by now; "
                + $"stop working on it.",
        Extensions = { ["resource"] = resource, ["token"] = token },
    });

    public static Task UnavailableAsync(HttpContext context, string detail)
    {
        context.Response.Headers.RetryAfter = "1";
        return WriteAsync(context, new()
        {
            Type = "urn:orleans-leases:unavailable",
            Title = "The fence cannot be passed at the moment",
            Status = StatusCodes.Status503ServiceUnavailable,
            Detail = detail,
        });
    }

    public static Task OutcomeUnknownAsync(HttpContext context) => WriteAsync(context, new()
    {
        Type = "urn:orleans-leases:outcome-unknown",
        Title = "The request may have taken effect",
        Status = StatusCodes.Status503ServiceUnavailable,
        Detail =
            "The request took too long, or the fence was lost while it ran; it was cancelled. Find out what became of it "
                + "before you repeat it.",
    });

    private static Task MalformedAsync(
        HttpContext context, int status, string message, string header = FencedRequest.Header) => WriteAsync(
        context,
        new HttpValidationProblemDetails(new Dictionary<string, string[]> { [header] = [message] })
        {
            Type = "urn:orleans-leases:invalid-request",
            Title = "The request is malformed",
            Status = status,
            Detail = message,
        });

    private static Task WriteAsync(HttpContext context, ProblemDetails problem) => TypedResults.Problem(problem).ExecuteAsync(context);
}
