using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using OrleansLeases.Gateway.Batches;

namespace OrleansLeases.Gateway.OpenApi;

/// <summary>
/// The schemas of a batch, whose operations and results have as many shapes as there are calls. Each is one schema with the fields of all
/// of them. Decision batch-items-have-one-schema.
/// </summary>
internal static class BatchSchemas
{
    private static readonly string[] Requests =
    [
        nameof(AcquireRequest), nameof(RenewRequest), nameof(ReleaseRequest), nameof(TransferRequest), nameof(BreakRequest),
        nameof(PutKeyRequest), nameof(AddToCounterRequest),
    ];

    public static void AddTo(OpenApiDocument document)
    {
        var schemas = document.Components!.Schemas!;
        Put(nameof(BatchRequest), "operations", nameof(BatchOperation), OperationOf(schemas));
        Put(nameof(BatchReply), "results", nameof(BatchResult), Result());

        void Put(string of, string list, string name, OpenApiSchema item)
        {
            schemas[name] = item;
            ((OpenApiSchema)schemas[of].Properties![list]).Items = new OpenApiSchemaReference(name, document);
        }
    }

    private static OpenApiSchema OperationOf(IDictionary<string, IOpenApiSchema> schemas)
    {
        var properties = new Dictionary<string, IOpenApiSchema>
        {
            ["op"] = new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Description = "Which call. The operation has its fields, and no others.",
                Enum = [.. BatchReader.Words.Select(word => JsonValue.Create(word))],
            },
            ["key"] = Of(JsonSchemaType.String, "The key's name, for the calls of keys and counters."),
            ["consistent"] = Of(JsonSchemaType.Boolean, "For a get: checks the stored version first."),
        };
        foreach (var (name, schema) in Requests.SelectMany(request => schemas[request].Properties!))
            if (name != "waitMs") properties.TryAdd(name, schema);

        return new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "One call: with its op, what its own endpoint takes in its path, query and body.",
            Properties = properties,
            Required = new HashSet<string> { "op" },
            AdditionalPropertiesAllowed = false,
        };
    }

    private static OpenApiSchema Result() => new()
    {
        Type = JsonSchemaType.Object,
        Description = "What one call came to.",
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["status"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Integer, Format = "int32", Description = "The status that the call alone would have.",
            },
            ["body"] = Of(JsonSchemaType.Object, "What the call alone would answer: with status 200 its reply, otherwise a problem."),
        },
        Required = new HashSet<string> { "status", "body" },
    };

    private static OpenApiSchema Of(JsonSchemaType type, string description) => new() { Type = type, Description = description };
}
