using System.Net.Http.Headers;
using System.Text.Json;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>An operation of the OpenAPI document, with its examples.</summary>
internal sealed record DocumentOperation(JsonElement Document, string Path, HttpMethod Method, JsonElement Content)
{
    public string Id => Content.GetProperty("operationId").GetString()!;

    /// <summary>What it takes; null where it takes no body.</summary>
    public JsonElement? Request => Content.TryGetProperty("requestBody", out var body) ? Only(body) : null;

    /// <summary>Its responses that refuse, by their status.</summary>
    public IEnumerable<(int Status, JsonElement Response)> Refusals =>
        from response in Content.GetProperty("responses").EnumerateObject()
        where response.Name != "200"
        select (int.Parse(response.Name), response.Value);

    /// <summary>Every operation of a document.</summary>
    public static DocumentOperation[] AllOf(JsonElement document) =>
    [
        .. from path in document.GetProperty("paths").EnumerateObject()
           from operation in path.Value.EnumerateObject()
           select new DocumentOperation(document, path.Name, HttpMethod.Parse(operation.Name), operation.Value),
    ];

    /// <summary>What it answers with a status.</summary>
    public JsonElement Answer(int status) => Only(Content.GetProperty("responses").GetProperty($"{status}"));

    /// <summary>The examples of a request or an answer, by their words.</summary>
    public IReadOnlyDictionary<string, JsonElement> ExamplesOf(JsonElement content) =>
        content.TryGetProperty("example", out var only) ? new Dictionary<string, JsonElement> { [""] = only }
        : content.TryGetProperty("examples", out var several)
            ? several.EnumerateObject().ToDictionary(example => example.Name, example => Resolve(example.Value).GetProperty("value"))
            : new Dictionary<string, JsonElement>();

    /// <summary>The refusal of a word; null where it has none.</summary>
    public JsonElement? Refusal(string word) => Refusals.SelectMany(refusal => ExamplesOf(Only(refusal.Response)))
        .Where(example => example.Key == word).Select(example => (JsonElement?)example.Value).SingleOrDefault();

    /// <summary>A call as the examples make it.</summary>
    /// <param name="body">Its body instead of that.</param>
    /// <param name="query">What else its query has.</param>
    /// <param name="type">The media type that it says it has.</param>
    public HttpRequestMessage Call(string? body = null, string query = "", string type = "application/json")
    {
        var path = Path;
        foreach (var parameter in Content.TryGetProperty("parameters", out var all) ? all.EnumerateArray().ToArray() : [])
        {
            if (!parameter.TryGetProperty("example", out var example)) continue;
            var (name, value) = (parameter.GetProperty("name").GetString(), example.GetString());
            if (parameter.GetProperty("in").GetString() == "path") path = path.Replace($"{{{name}}}", value, StringComparison.Ordinal);
            else query = $"{query}&{name}={value}";
        }

        return new(Method, new Uri($"{path}?{query}", UriKind.Relative))
        {
            Content = Request is { } request
                ? new StringContent(body ?? ExamplesOf(request)[""].GetRawText(), new MediaTypeHeaderValue(type)) : null,
        };
    }

    private static JsonElement Only(JsonElement message) => message.GetProperty("content").EnumerateObject().Single().Value;

    private JsonElement Resolve(JsonElement example) => example.TryGetProperty("$ref", out var reference)
        ? reference.GetString()!.Split('/')[1..].Aggregate(Document, (element, name) => element.GetProperty(name)) : example;
}
