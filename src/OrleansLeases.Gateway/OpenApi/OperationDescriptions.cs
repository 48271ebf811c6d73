using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace OrleansLeases.Gateway.OpenApi;

/// <summary>Writes what is known of an endpoint into the OpenAPI document.</summary>
internal static class OperationDescriptions
{
    private const string Problem = "application/problem+json";

    /// <summary>Describes an endpoint.</summary>
    public static void WithOperation(this IEndpointConventionBuilder endpoint, RequestDelegate handler, OperationMetadata metadata)
    {
        // The document shows only endpoints that have a method. Accepts metadata would show the body too, but routing
        // then parses each call's content type on its way, and answers a wrong one without a body.
        endpoint.WithMetadata(handler.Method, metadata);
        endpoint.WithMetadata(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, metadata.Reply, [metadata.ReplyType]));
        foreach (var status in StatusesOf(metadata).Keys)
            endpoint.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(Refusal), [Problem]));
        endpoint.WithSummary(metadata.Summary).WithTags(metadata.Tag);
        if (metadata.Description is { } description) endpoint.WithDescription(description);
        endpoint.AddOpenApiOperationTransformer(
            (operation, context, cancellation) => DescribeAsync(operation, context, metadata, cancellation));
    }

    private static async Task DescribeAsync(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, OperationMetadata metadata, CancellationToken cancellation)
    {
        // By the endpoint's name it would be in the way of the host's names.
        operation.OperationId = metadata.Name;
        operation.Parameters = [];
        foreach (var parameter in metadata.Parameters)
        {
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = parameter.Name,
                In = Enum.Parse<ParameterLocation>(parameter.In, ignoreCase: true),
                Required = parameter.In == "path",
                Description = parameter.Description,
                Schema = await context.GetOrCreateSchemaAsync(parameter.Type, cancellationToken: cancellation),
            });
        }

        if (metadata.Body is { } body)
        {
            var schema = await context.GetOrCreateSchemaAsync(body, cancellationToken: cancellation);
            context.Document!.AddComponent(body.Name, schema);
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = true,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/json"] = new() { Schema = new OpenApiSchemaReference(body.Name, context.Document) },
                },
            };
        }

        // Nothing refers to them: a stream's schema is text.
        foreach (var type in metadata.Events)
            context.Document!.AddComponent(type.Name, await context.GetOrCreateSchemaAsync(type, cancellationToken: cancellation));

        foreach (var (status, words) in StatusesOf(metadata))
            operation.Responses![status.ToString(CultureInfo.InvariantCulture)].Description = words;
    }

    private static SortedDictionary<int, string> StatusesOf(OperationMetadata metadata)
    {
        var statuses = new SortedDictionary<int, string>();
        if (metadata.Body is not null)
        {
            statuses[StatusCodes.Status413PayloadTooLarge] = "invalid-request: the body is larger than 1 MiB";
            statuses[StatusCodes.Status415UnsupportedMediaType] = "invalid-request: the body is not application/json in UTF-8";
        }

        foreach (var refusal in metadata.AllRefusals)
        {
            var status = RefusalConverter.StatusOf(refusal);
            var word = refusal switch
            {
                RefusalCode.Unauthorized => "unauthorized, where credentials are required",
                RefusalCode.Forbidden => "forbidden: the caller has no right to this, or is a web page of another origin",
                _ => RefusalConverter.WordOf(refusal),
            };
            statuses[status] = statuses.TryGetValue(status, out var others) ? $"{others} or {word}" : word;
        }

        return statuses;
    }
}
