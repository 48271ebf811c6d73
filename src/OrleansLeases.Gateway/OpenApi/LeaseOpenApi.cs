using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace OrleansLeases.Gateway.OpenApi;

/// <summary>The OpenAPI document of the wire contract.</summary>
internal static class LeaseOpenApi
{
    public const string DocumentName = "v1";

    public static IServiceCollection AddLeaseOpenApi(this IServiceCollection services) => services.AddOpenApi(DocumentName, options =>
    {
        options.AddSchemaTransformer((schema, context, _) =>
        {
            WireSchemas.Correct(schema, context);
            return Task.CompletedTask;
        });
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "OrleansLeases",
                Version = "v1",
                Description = "Leases: ownership of a named resource for a limited time, numbered with fencing tokens. "
                    + "Durations are whole milliseconds. A holder counts its deadline as its own send time + heldMs + remainingMs, less a margin.",
            };
            // One requirement that requires nothing: nobody is asked who they are.
            document.Security = [new OpenApiSecurityRequirement()];
            WireSchemas.Correct(document);
            return Task.CompletedTask;
        });
    });
}
