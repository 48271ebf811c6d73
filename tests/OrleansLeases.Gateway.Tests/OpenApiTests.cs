using System.Text.Json;
using System.Text.RegularExpressions;
using OrleansLeases.Gateway.OpenApi;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

public sealed partial class OpenApiTests
{
    private static readonly string[] OfChange = ["200", "400", "401", "403", "409", "413", "415", "429", "503"];
    private static readonly string[] OfRead = ["200", "400", "401", "403", "429", "503"];

    [Fact]
    public async Task Document_WhenFetched_ListsEveryEndpointWithItsStatuses()
    {
        var statuses = (
            from path in (await DocumentAsync()).GetProperty("paths").EnumerateObject()
            from operation in path.Value.EnumerateObject()
            select (
                Name: $"{operation.Name} {path.Name}",
                Statuses: operation.Value.GetProperty("responses").EnumerateObject().Select(response => response.Name).ToArray()))
            .ToDictionary(operation => operation.Name, operation => operation.Statuses);
        Assert.Equal(
            new Dictionary<string, string[]>
            {
                ["post /v1/leases/acquire"] = OfChange,
                ["post /v1/leases/renew"] = OfChange,
                ["post /v1/leases/renew-batch"] = ["200", "400", "401", "403", "413", "415", "429", "503"],
                ["post /v1/leases/release"] = OfChange,
                ["post /v1/leases/transfer"] = OfChange,
                ["post /v1/leases/break"] = OfChange,
                ["post /v1/batch"] = ["200", "400", "401", "403", "413", "415", "429", "503"],
                ["get /v1/leases"] = OfRead,
                ["get /v1/leases/{resource}"] = OfRead,
                ["get /v1/history/{resource}"] = OfRead,
                ["put /v1/keys/{key}"] = OfChange,
                ["get /v1/keys/{key}"] = ["200", "400", "401", "403", "404", "429", "503"],
                ["delete /v1/keys/{key}"] = ["200", "400", "401", "403", "409", "429", "503"],
                ["get /v1/keys"] = OfRead,
                ["post /v1/counters/{key}"] = OfChange,
                ["get /v1/watch"] = OfRead,
                ["get /health/live"] = ["200", "429", "503"],
                ["get /health/ready"] = ["200", "429", "503"],
                ["get /v1/whoami"] = ["200", "401", "403", "429"],
                ["post /v1/tokens"] = ["200", "400", "401", "403", "413", "415", "429", "503"],
                ["get /v1/tokens"] = ["200", "400", "401", "403", "429", "503"],
                ["delete /v1/tokens/{id}"] = ["200", "400", "401", "403", "429", "503"],
                ["delete /v1/proof-keys"] = ["200", "400", "401", "403", "429", "503"],
                ["get /v1/info"] = ["200", "401", "403", "429", "503"],
                ["get /v1/members"] = ["200", "401", "403", "429", "503"],
            },
            statuses);
    }

    [Fact]
    public async Task Document_WhenFetched_TellsWhatTheReaderTakes()
    {
        var document = await DocumentAsync();
        var schemas = document.GetProperty("components").GetProperty("schemas");
        foreach (var (endpoint, fields) in Shapes.ByEndpoint)
        {
            var body = document.GetProperty("paths").GetProperty($"/v1/leases/{endpoint}").GetProperty("post").GetProperty("requestBody");
            var content = body.GetProperty("content").GetProperty("application/json");
            var name = content.GetProperty("schema").GetProperty("$ref").GetString()!.Split('/')[^1];
            var schema = schemas.GetProperty(name);
            Assert.False(schema.GetProperty("additionalProperties").GetBoolean());
            Assert.Equal(
                fields.Select(field => field.Name).Order(),
                schema.GetProperty("properties").EnumerateObject().Select(property => property.Name).Order());
            Assert.Equal(
                fields.Where(field => field.Required).Select(field => field.Name).Order(),
                schema.GetProperty("required").EnumerateArray().Select(property => property.GetString()!).Order());
        }
    }

    [Fact]
    public async Task Document_WhenFetched_TellsTheTypesOfTheWire()
    {
        var schemas = (await DocumentAsync()).GetProperty("components").GetProperty("schemas");
        foreach (var property in schemas.EnumerateObject()
            .Where(schema => schema.Value.TryGetProperty("properties", out _))
            .SelectMany(schema => schema.Value.GetProperty("properties").EnumerateObject()))
        {
            if (property.Name.EndsWith("Ms", StringComparison.Ordinal))
                Assert.Equal(
                    ("integer", "int64"),
                    (property.Value.GetProperty("type").GetString(), property.Value.GetProperty("format").GetString()));
            Assert.True(
                !property.Value.TryGetProperty("type", out var type) || type.ValueKind == JsonValueKind.String, property.ToString());
        }

        Assert.Equal("""["exclusive","shared"]""", Compact(schemas.GetProperty("LeaseMode").GetProperty("enum")));
        Assert.Equal("string", schemas.GetProperty("LeaseMode").GetProperty("type").GetString());
        var results = schemas.GetProperty("RenewBatchReply").GetProperty("properties").GetProperty("results").GetProperty("items");
        Assert.Equal("""{"$ref":"#/components/schemas/RenewalOrRefusal"}""", Compact(results));
        Assert.Equal(
            FieldsOf(schemas, "LeaseRenewal").Concat(FieldsOf(schemas, "Refusal")).Order(),
            FieldsOf(schemas, "RenewalOrRefusal").Order());
        Assert.Equal(
            """["type","title","status","detail"]""", Compact(schemas.GetProperty("Refusal").GetProperty("required")));
    }

    [Theory]
    [InlineData("LeaseEvent", "at kind owner reason resource sequence token")]
    [InlineData("KeyChange", "at key kind lease reason value version")]
    [InlineData("KeyInfo", "key lease value version")]
    public async Task Document_WhenFetched_TellsTheDataOfEvents(string name, string fields)
    {
        var schema = (await DocumentAsync()).GetProperty("components").GetProperty("schemas").GetProperty(name);
        var properties = schema.GetProperty("properties").EnumerateObject().Select(property => property.Name);
        Assert.Equal(fields, string.Join(' ', properties.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task Document_WhenFetched_RefersOnlyToWhatItHas()
    {
        var document = await DocumentAsync();
        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        var components =
            from kind in document.GetProperty("components").EnumerateObject()
            from component in kind.Value.EnumerateObject()
            select $"#/components/{kind.Name}/{component.Name}";
        var references = References(document).ToHashSet();
        Assert.Subset(components.ToHashSet(), references);
        Assert.NotEmpty(references);
    }

    [Fact]
    public async Task Document_WhenFetched_TellsTheFieldsOfABatch()
    {
        var schemas = (await DocumentAsync()).GetProperty("components").GetProperty("schemas");
        Assert.Equal(
            """{"$ref":"#/components/schemas/BatchOperation"}""",
            Compact(schemas.GetProperty("BatchRequest").GetProperty("properties").GetProperty("operations").GetProperty("items")));
        Assert.Equal(
            """{"$ref":"#/components/schemas/BatchResult"}""",
            Compact(schemas.GetProperty("BatchReply").GetProperty("properties").GetProperty("results").GetProperty("items")));
        Assert.Equal("elapsedMs results", string.Join(' ', FieldsOf(schemas, "BatchReply").Order(StringComparer.Ordinal)));
        var operation = schemas.GetProperty("BatchOperation");
        Assert.False(operation.GetProperty("additionalProperties").GetBoolean());
        Assert.Equal("""["op"]""", Compact(operation.GetProperty("required")));
        Assert.Equal(
            """["acquire","break","counter-add","get","key-delete","key-get","key-put","release","renew","transfer"]""",
            Compact(operation.GetProperty("properties").GetProperty("op").GetProperty("enum")));
        string[] requests =
        [
            "AcquireRequest", "RenewRequest", "ReleaseRequest", "TransferRequest", "BreakRequest", "PutKeyRequest", "AddToCounterRequest",
        ];
        Assert.Equal(
            requests.SelectMany(request => FieldsOf(schemas, request)).Except(["waitMs"]).Concat(["op", "key", "consistent"])
                .Order(StringComparer.Ordinal),
            FieldsOf(schemas, "BatchOperation").Order(StringComparer.Ordinal));
        Assert.Equal("body status", string.Join(' ', FieldsOf(schemas, "BatchResult").Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task Document_ThatIsAskedForTwiceAtOnce_IsMadeOnce_AndAgainAfterAFailure()
    {
        using var go = new ManualResetEventSlim();
        var endpoint = new DocumentEndpoint(_ =>
        {
            go.Wait();
            throw new InvalidOperationException("No document.");
        });

        var first = endpoint.DocumentAsync();
        Assert.Same(first, endpoint.DocumentAsync());
        go.Set();
        await Assert.ThrowsAsync<InvalidOperationException>(() => first);
        var again = endpoint.DocumentAsync();
        Assert.NotSame(first, again);
        await Assert.ThrowsAsync<InvalidOperationException>(() => again);
    }

    // What Redocly's rules and generators of clients stumble over.
    [Fact]
    public async Task Document_WhenFetched_IsFitForItsReaders()
    {
        var document = await DocumentAsync();
        Assert.Equal("""[{},{"bearer":[]}]""", Compact(document.GetProperty("security")));
        var schemas = Everything(document.GetProperty("components"));
        Assert.DoesNotContain(schemas, one => one.Name is "oneOf" or "anyOf");
        var descriptions = Everything(document)
            .Where(one => one.Name is "description" or "summary" && one.Value.ValueKind == JsonValueKind.String)
            .ToList();
        Assert.True(descriptions.Count > 50);
        // As the framework writes a reference to a member out of a comment.
        Assert.All(
            descriptions,
            one => Assert.DoesNotMatch(@"\b[A-Z]\w+\.[A-Z]\w+|<see|\b(int|long|string|bool|TimeSpan) [A-Z]", one.Value.GetString()!));
    }

    [RedoclyFact]
    public async Task Document_ByRedoclysRules_HasNoErrors()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(await DocumentAsync()));
        var (code, text) = await Redocly.LintAsync(file);
        File.Delete(file);
        Assert.True(code == 0, text);
        // Nothing refers to the schemas of what a watch streams as text.
        Assert.Equal(["KeyChange", "KeyInfo"], Unused().Matches(text).Select(match => match.Groups[1].Value).Order());
        Assert.Contains("You have 2 warnings.", text, StringComparison.Ordinal);
    }

    private static IEnumerable<JsonProperty> Everything(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => Everything(property.Value).Prepend(property)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Everything),
        _ => [],
    };

    private static IEnumerable<string> FieldsOf(JsonElement schemas, string name) =>
        schemas.GetProperty(name).GetProperty("properties").EnumerateObject().Select(property => property.Name);

    private static string Compact(JsonElement element) => JsonSerializer.Serialize(element);

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property =>
            property.Name == "$ref" ? [property.Value.GetString()!] : References(property.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };

    private static async Task<JsonElement> DocumentAsync()
    {
        await using var host = await GatewayHost.StartAsync(new ScriptedLeases());
        using var document = JsonDocument.Parse(await host.Client.GetStringAsync("/openapi/v1.json"));
        return document.RootElement.Clone();
    }

    [GeneratedRegex("Component: \"(\\w+)\" is never used")]
    private static partial Regex Unused();
}
