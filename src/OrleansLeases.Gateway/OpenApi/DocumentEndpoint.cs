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

    // Two first calls at once make it twice.
    private Document? _document;

    public static void Map(IEndpointRouteBuilder endpoints, Action<IEndpointRouteBuilder> contract)
    {
        endpoints.MapGet(Path, new DocumentEndpoint(contract).GetAsync).WithMetadata(OpenToAll.Instance);
        endpoints.MapOtherMethods(Path, _ => "GET");
    }

    private async Task GetAsync(HttpContext context)
    {
        var document = _document ??= await MakeAsync(context.RequestAborted);
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers.ETag = document.Tag;
        if (context.Request.Headers.IfNoneMatch == document.Tag)
            context.Response.StatusCode = StatusCodes.Status304NotModified;
        else
            await ResponseWriter.WriteAsync(context, document.Json);
    }

    private async Task<Document> MakeAsync(CancellationToken cancellation)
    {
        var document = await LeaseOpenApi.MakeAsync(contract, cancellation);
        // Relative to the document, so that it is the same by whatever name and below whatever path the host is called.
        document.Servers = [new OpenApiServer { Url = ".." }];
        using var json = new MemoryStream();
        await document.SerializeAsJsonAsync(json, OpenApiSpecVersion.OpenApi3_1, cancellation);
        var bytes = json.ToArray();
        return new Document(bytes, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\"");
    }

    private sealed record Document(byte[] Json, string Tag);
}
