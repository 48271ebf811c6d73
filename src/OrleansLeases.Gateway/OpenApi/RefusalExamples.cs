using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;
using OrleansLeases.Gateway.Bounds;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.OpenApi;

/// <summary>
/// Shows with each operation what it may refuse, as what writes the real problems writes it. The gateway's own refusals are those that it
/// makes; those of the service are in <c>examples.json</c>.
/// </summary>
/// <param name="document">The document.</param>
/// <param name="ofService">The refusals of the service that say the same everywhere, by their words.</param>
internal sealed class RefusalExamples(OpenApiDocument document, JsonObject ofService)
{
    private const string Problem = "application/problem+json";
    private const string RetryAfter = "Retry-After";
    private const string RequestId = "7f1d2c40a9";

    private readonly OpenApiComponents _components = document.Components!;

    /// <summary>Adds the examples to the responses of an operation.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="metadata">What it may refuse.</param>
    /// <param name="own">What it refuses in words of its own, by the word of the refusal.</param>
    public void AddTo(OpenApiOperation operation, OperationMetadata metadata, JsonObject? own)
    {
        if (metadata.Body is not null)
        {
            Show(operation, "body-too-large", HttpProblem.BodyTooLarge);
            Show(operation, "wrong-media-type", HttpProblem.WrongMediaType("text/plain"));
        }

        foreach (var code in metadata.AllRefusals)
        {
            var word = RefusalConverter.WordOf(code);
            if (own?[word] is { } detail)
                Show(operation, word, Read(word, detail), name: null);
            else if (code == RefusalCode.InvalidRequest)
                Show(operation, word, MalformedOf(metadata), name: null);
            else if (code == RefusalCode.OutcomeUnknown && metadata.Parameters.Contains(OperationMetadata.IdempotencyKey))
                Show(operation, word, Failures.GivenUp(isChange: true, RequestId), $"{word}-of-a-request-id");
            else
                Show(operation, word, Of(code, word), word);
        }
    }

    private Refusal Of(RefusalCode code, string word) => code switch
    {
        RefusalCode.Forbidden => CallerCheck.OfAnotherOrigin("Sec-Fetch-Site", "cross-site"),
        RefusalCode.LimitReached => OpenBound.RefusalOf("openRequests", 4096),
        RefusalCode.OutcomeUnknown => Failures.GivenUp(isChange: true, requestId: null),
        RefusalCode.Unavailable => Failures.ShuttingDown,
        _ => Read(word, ofService[word]!),
    };

    // As the reader of its body, or of its query, refuses what has nothing that is required, or what it does not know.
    private Refusal.InvalidRequest MalformedOf(OperationMetadata metadata)
    {
        FieldErrors errors = default;
        if (metadata.Body is { } body)
            foreach (var field in _components.Schemas![body.Name].Required!) errors.Add(field, FieldReader.IsRequired);
        else
            errors.Add("colour", QueryReader.IsUnknown(new FieldNames([], [.. metadata.QueryParameters])));
        return errors.ToRefusal();
    }

    private static Refusal Read(string word, JsonNode example)
    {
        var problem = example.DeepClone().AsObject();
        problem["type"] = word;
        return problem.Deserialize(LeaseJson.Default.Refusal)!;
    }

    /// <summary>Shows a refusal with its response.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="word">Its word.</param>
    /// <param name="refusal">The refusal.</param>
    /// <param name="name">What it is called in the document where others share it; null where none do.</param>
    private void Show(OpenApiOperation operation, string word, Refusal refusal, string? name)
    {
        var response = Add(
            operation, RefusalConverter.StatusOf(refusal.Code), word, name,
            JsonSerializer.SerializeToNode(refusal, LeaseJson.Default.Refusal)!);
        if (ResponseWriter.RetryAfterOf(refusal) is not { } seconds) return;
        _components.Headers ??= new Dictionary<string, IOpenApiHeader>();
        _components.Headers.TryAdd(RetryAfter, new OpenApiHeader
        {
            Description = "In how many seconds asking again may help. Refusals that no waiting helps have none.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64", Minimum = "1" },
            Example = long.Parse(seconds, CultureInfo.InvariantCulture),
        });
        response.Headers = new Dictionary<string, IOpenApiHeader> { [RetryAfter] = new OpenApiHeaderReference(RetryAfter, document) };
    }

    private void Show(OpenApiOperation operation, string word, HttpProblem problem)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer)) ResponseWriter.Write(json, problem);
        Add(operation, problem.Status, word, word, JsonNode.Parse(buffer.WrittenSpan)!);
    }

    private OpenApiResponse Add(OpenApiOperation operation, int status, string word, string? name, JsonNode problem)
    {
        var response = (OpenApiResponse)operation.Responses![status.ToString(CultureInfo.InvariantCulture)];
        var content = response.Content![Problem];
        content.Examples ??= new Dictionary<string, IOpenApiExample>();
        content.Examples[word] = name is null ? new OpenApiExample { Value = problem } : Share(name, problem);
        return response;
    }

    private OpenApiExampleReference Share(string name, JsonNode problem)
    {
        _components.Examples ??= new Dictionary<string, IOpenApiExample>();
        _components.Examples.TryAdd(name, new OpenApiExample { Value = problem });
        return new OpenApiExampleReference(name, document);
    }
}
