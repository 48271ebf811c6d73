using System.Security.Cryptography;
using OrleansLeases.Gateway.OpenApi;
using Scalar.AspNetCore;

namespace OrleansLeases.Cli.Serving;

/// <summary>Scalar's page of the OpenAPI document, at <c>/docs</c>. It asks no host but its own. Decision docs-in-development.</summary>
internal sealed class ScalarPage : IApiPage
{
    private const string Path = "/docs";
    private const string Document = "v1";

    public IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints)
    {
        var all = endpoints.MapGroup("");
        all.MapScalarApiReference(Path, Configure);
        all.MapGet($"{Path}/", context =>
        {
            // Relative, since a proxy may have taken a prefix away.
            context.Response.Redirect(context.Request.Path.Value!.EndsWith('/') ? Document : $"docs/{Document}");
            return Task.CompletedTask;
        });
        ((IEndpointConventionBuilder)all).Finally(endpoint =>
        {
            var next = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = context =>
            {
                var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
                context.Items[typeof(ScalarPage)] = nonce;
                // Its styles are made by its script. What that would fetch from elsewhere, it does not get.
                context.Response.Headers.ContentSecurityPolicy =
                    $"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
                    + "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
                return next(context);
            };
        });
        return all;
    }

    private static void Configure(ScalarOptions options, HttpContext context)
    {
        options.Title = "OrleansLeases";
        options.OpenApiRoutePattern = "/openapi/v1.json";
        // The document's own is relative to itself, and the page takes it for one relative to the page.
        options.AddServer($"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}");
        options.Nonce = (string)context.Items[typeof(ScalarPage)]!;
        (options.DefaultFonts, options.Telemetry, options.HideClientButton) = (false, false, true);
        options.ShowDeveloperTools = DeveloperToolsVisibility.Never;
        options.Agent = new() { Disabled = true };
        options.Mcp = new() { Disabled = true };
        options.DocumentDownloadType = DocumentDownloadType.Json;
    }
}
