using Microsoft.AspNetCore.Http;

namespace OrleansLeases.Gateway.Http;

/// <summary>
/// A request that HTTP itself already refuses: a wrong path, method or media type, or a body too large or too slow.
/// For a client of leases it is an <c>invalid-request</c> with a status of its own.
/// </summary>
/// <param name="Status">The status, 400 to 499.</param>
/// <param name="Field">What of the request is wrong.</param>
/// <param name="Message">What is wrong with it, and what it takes.</param>
internal sealed record HttpProblem(int Status, string Field, string Message)
{
    public static HttpProblem BodyTooLarge { get; } = new(
        StatusCodes.Status413PayloadTooLarge, "body", $"takes at most {RequestBody.MaxBytes} bytes");

    public static HttpProblem WrongMediaType(string given) => new(
        StatusCodes.Status415UnsupportedMediaType, "contentType", $"takes application/json in UTF-8, was '{given}'");

    public static HttpProblem WrongPath(string path) => new(
        StatusCodes.Status404NotFound, "path", $"there is nothing at '{path}'; /openapi/v1.json lists what there is");

    public static HttpProblem WrongMethod(string method, string allowed) => new(
        StatusCodes.Status405MethodNotAllowed, "method", $"this path takes {allowed}, was {method}");
}
