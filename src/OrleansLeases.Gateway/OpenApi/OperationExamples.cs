using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace OrleansLeases.Gateway.OpenApi;

/// <summary>
/// Shows with each operation what it takes and answers, from <c>examples.json</c>: one order, and the worker that holds it.
/// </summary>
internal static class OperationExamples
{
    /// <summary>Adds the examples, by the names of the operations.</summary>
    public static void AddTo(OpenApiDocument document)
    {
        using var resource = typeof(OperationExamples).Assembly.GetManifestResourceStream("openapi/examples.json")!;
        var examples = JsonNode.Parse(resource)!.AsObject();
        foreach (var operation in document.Paths.Values.SelectMany(path => path.Operations!.Values))
        {
            if (examples[operation.OperationId!] is not { } example) continue;
            Show(operation.RequestBody?.Content, example["request"]);
            Show(operation.Responses!["200"].Content, example["reply"]);
        }
    }

    private static void Show(IDictionary<string, OpenApiMediaType>? content, JsonNode? example)
    {
        if (content is null || example is null) return;
        foreach (var type in content.Values) type.Example = example.DeepClone();
    }
}
