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
        StatusCodes.Status413PayloadTooLarge, "body", $"body takes at most {RequestBody.MaxBytes} bytes.");

    /// <summary>Broken framing, or a body too slow or beyond a limit of the host.</summary>
    public static HttpProblem UnreadableBody(int status) => new(status, "body", status switch
    {
        StatusCodes.Status408RequestTimeout => "body came too slowly; send it without a pause.",
        StatusCodes.Status413PayloadTooLarge => "body is larger than this server takes.",
        _ => "body cannot be read to its end: its chunks or its Content-Length are wrong, or it was cut off.",
    });

    public static HttpProblem WrongMediaType(string given) => new(
        StatusCodes.Status415UnsupportedMediaType,
        "contentType",
        $"contentType takes application/json in UTF-8, was {(given.Length == 0 ? "missing" : $"'{given}'")}; "
        + "send the header Content-Type: application/json.");

    public static HttpProblem WrongPath(string path) => new(
        StatusCodes.Status404NotFound,
        "path",
        $"path '{path}' leads nowhere; /openapi/v1.json lists what there is, and each is taken only as it is written there.");

    public static HttpProblem WrongMethod(string method, string allowed) => new(
        StatusCodes.Status405MethodNotAllowed, "method", $"method takes {allowed} at this path, was {method}.");
}
