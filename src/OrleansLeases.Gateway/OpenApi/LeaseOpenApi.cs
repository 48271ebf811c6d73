using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace OrleansLeases.Gateway.OpenApi;

/// <summary>The OpenAPI document of the wire contract.</summary>
internal static class LeaseOpenApi
{
    private const string DocumentName = "v1";
    private const string Bearer = "bearer";

    private static readonly Dictionary<string, string> Tags = new()
    {
        ["Leases"] = "Taking, keeping and giving back leases, and looking at them.",
        ["Batches"] = "Several calls in one.",
        ["Keys"] = "Values that live and die with a lease, and counters.",
        ["Watch"] = "Changes as they happen, as server-sent events.",
        ["Service"] = "The service itself, and its health.",
        ["Access"] = "Who is calling, API keys, and the keys of proofs.",
    };

    /// <summary>
    /// Makes the document in an application of its own, which is never started: the one around may have documents, schemas and JSON
    /// options that are no business of ours, as ours are none of its.
    /// </summary>
    /// <param name="contract">Maps the endpoints.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<OpenApiDocument> MakeAsync(Action<IEndpointRouteBuilder> contract, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        // Without a server there is no application.
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRouting();
        builder.Services.AddOpenApi(DocumentName, Describe);
        await using var app = builder.Build();
        app.UseRouting();
#pragma warning disable ASP0014 // What is mapped at the top is found by an application that starts.
        app.UseEndpoints(contract);
#pragma warning restore ASP0014
        return await app.Services.GetRequiredKeyedService<IOpenApiDocumentProvider>(DocumentName).GetOpenApiDocumentAsync(cancellation);
    }

    private static void Describe(OpenApiOptions options)
    {
        options.AddSchemaTransformer((schema, context, _) =>
        {
            WireSchemas.Correct(schema, context);
            return Task.CompletedTask;
        });
        options.AddDocumentTransformer((document, context, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "OrleansLeases",
                Version = "v1",
                Description = "Leases: ownership of a named resource for a limited time, numbered with fencing tokens. "
                    + "Durations are whole milliseconds. "
                    + "A holder counts its deadline as its own send time + elapsedMs + remainingMs, less a margin.",
                License = new OpenApiLicense { Name = "MIT", Identifier = "MIT" },
            };
            // An empty requirement as well: a service may want no credential.
            document.AddComponent(Bearer, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = Bearer,
                Description = "An API key or a JWT, where the service wants credentials. A client certificate takes no header.",
            });
            document.Security = [[], new() { [new OpenApiSecuritySchemeReference(Bearer, document)] = [] }];
            WireSchemas.Correct(document);
            OperationExamples.AddTo(document, context.DescriptionGroups.SelectMany(group => group.Items)
                .SelectMany(endpoint => endpoint.ActionDescriptor.EndpointMetadata.OfType<OperationMetadata>()));
            foreach (var tag in document.Tags ?? new HashSet<OpenApiTag>()) tag.Description = Tags.GetValueOrDefault(tag.Name ?? "");
            return Task.CompletedTask;
        });
    }
}
