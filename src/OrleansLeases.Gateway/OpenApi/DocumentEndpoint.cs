using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;
using OrleansLeases.Gateway.Http;

namespace OrleansLeases.Gateway.OpenApi;

/// <summary>Serves the OpenAPI document from memory: to make it takes as long as thousands of calls, and it is always the same.</summary>
/// <param name="contract">Maps what the document is about.</param>
internal sealed class DocumentEndpoint(Action<IEndpointRouteBuilder> contract)
{
    private const string Path = "/openapi/v1.json";

    private readonly Lock _starting = new();
    private Task<Document>? _document;

    public static void Map(IEndpointRouteBuilder endpoints, Action<IEndpointRouteBuilder> contract)
    {
        endpoints.MapGet(Path, new DocumentEndpoint(contract).GetAsync).WithMetadata(OpenToAll.Instance);
        endpoints.MapOtherMethods(Path, _ => "GET");
    }

    private async Task GetAsync(HttpContext context)
    {
        var document = await DocumentAsync().WaitAsync(context.RequestAborted);
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers.ETag = document.Tag;
        if (context.Request.Headers.IfNoneMatch == document.Tag)
            context.Response.StatusCode = StatusCodes.Status304NotModified;
        else
            await ResponseWriter.WriteAsync(context, document.Json);
    }

    /// <summary>The document; callers that come while it is being made share it. One that could not be made is tried again.</summary>
    internal Task<Document> DocumentAsync()
    {
        // Made for all who wait, it is not the first caller's to cancel.
        lock (_starting)
            return _document is { IsFaulted: false } document
                ? document
                : _document = Background.SuppressFlow(() => Task.Run(MakeAsync));
    }

    private async Task<Document> MakeAsync()
    {
        var document = await LeaseOpenApi.MakeAsync(contract, CancellationToken.None);
        // Relative to the document, so that it is the same by whatever name and below whatever path the host is called.
        document.Servers = [new OpenApiServer { Url = ".." }];
        using var json = new MemoryStream();
        await document.SerializeAsJsonAsync(json, OpenApiSpecVersion.OpenApi3_1);
        var bytes = json.ToArray();
        return new Document(bytes, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\"");
    }

    internal sealed record Document(byte[] Json, string Tag);
}
