using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace OrleansLeases.Gateway.OpenApi;

/// <summary>
/// Shows with each operation what it takes and answers, from <c>examples.json</c>: one order, and the worker that holds it.
/// </summary>
internal static class OperationExamples
{
    /// <summary>Adds the examples, by the names of the operations.</summary>
    /// <param name="document">The document.</param>
    /// <param name="operations">All of its operations.</param>
    public static void AddTo(OpenApiDocument document, IEnumerable<OperationMetadata> operations)
    {
        using var resource = typeof(OperationExamples).Assembly.GetManifestResourceStream("openapi/examples.json")!;
        var examples = JsonNode.Parse(resource)!.AsObject();
        var refusals = new RefusalExamples(document, examples["refusals"]!.AsObject());
        var byName = operations.ToDictionary(operation => operation.Name);
        foreach (var operation in document.Paths.Values.SelectMany(path => path.Operations!.Values))
        {
            var example = examples[operation.OperationId!];
            Show(operation.RequestBody?.Content, example?["request"]);
            Show(operation.Responses!["200"].Content, example?["reply"]);
            foreach (var parameter in (operation.Parameters ?? []).Cast<OpenApiParameter>())
                parameter.Example = example?["parameters"]?[parameter.Name!]?.DeepClone();
            refusals.AddTo(operation, byName[operation.OperationId!], example?["refusals"]?.AsObject());
        }
    }

    private static void Show(IDictionary<string, OpenApiMediaType>? content, JsonNode? example)
    {
        if (content is null || example is null) return;
        foreach (var type in content.Values) type.Example = example.DeepClone();
    }
}
