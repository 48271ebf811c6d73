using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Access;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>
/// The examples of the OpenAPI document, held against its schemas and against what a server takes and answers, so that none is out of date.
/// </summary>
public sealed partial class OpenApiExampleTests : IAsyncLifetime
{
    private readonly ManualTimeProvider _time = new();
    private readonly AccessFolder _folder = new();
    private readonly (string Id, string Token) _root = ApiKeyText.New();
    private readonly (string Id, string Token) _ci = ApiKeyText.New();
    private readonly EmbeddedLeases _leases;
    private GatewayHost _host = null!;
    private DocumentSchemas _schemas = null!;
    private DocumentOperation[] _operations = [];

    public OpenApiExampleTests() => _leases = EmbeddedLeases.InMemory(time: _time);

    public async Task InitializeAsync()
    {
        string Key((string Id, string Token) key, string principal) => ApiKeyText.Entry(
            key.Id, key.Token, new() { Name = principal, Principal = principal }, _time.GetUtcNow());
        _folder.Write("access.json", $$"""
            {
              "rules": [ { "principal": "root", "prefix": "", "verbs": ["read", "hold", "break", "keys", "admin"], "owners": ["*"] } ],
              "keys": [ {{Key(_root, "root")}}, {{Key(_ci, "ci")}} ]
            }
            """);
        _host = await _folder.StartAsync(_leases, _time);
        using var json = JsonDocument.Parse(await _host.Client.GetStringAsync("/openapi/v1.json"));
        _schemas = new(json.RootElement.Clone());
        _operations = DocumentOperation.AllOf(json.RootElement.Clone());
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _leases.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public void Examples_OfEachRequestAndAnswer_AreAsTheirSchemasSay()
    {
        foreach (var operation in _operations)
        {
            var answers = operation.Refusals.Select(refusal => refusal.Status).Append(200).Select(operation.Answer);
            foreach (var content in operation.Request is { } request ? answers.Append(request) : answers)
            {
                var examples = operation.ExamplesOf(content);
                Assert.True(examples.Count > 0, $"{operation.Id} has something without an example.");
                foreach (var (word, example) in examples)
                    _schemas.Check(example, content.GetProperty("schema"), $"{operation.Id} {word}");
            }
        }
    }

    [Fact]
    public void Refusals_OfEachOperation_AreThoseItMayAnswer_WithTheirFieldsAndHeaders()
    {
        foreach (var operation in _operations)
        foreach (var (status, response) in operation.Refusals)
        {
            var waits = false;
            foreach (var (word, problem) in operation.ExamplesOf(operation.Answer(status)))
            {
                var refusal = problem.Deserialize(LeaseJson.Default.Refusal)!;
                Assert.Equal(status, problem.GetProperty("status").GetInt32());
                waits |= refusal is Refusal.LimitReached or Refusal.Unavailable;
                if (status is 413 or 415) continue;
                Assert.Equal(RefusalConverter.WordOf(refusal.Code), word);
                Assert.True(
                    JsonElement.DeepEquals(problem, JsonSerializer.SerializeToElement(refusal, LeaseJson.Default.Refusal)), $"{problem}");
            }

            // Which those are stands in the description, and another test has the statuses of each.
            var described = Words().Matches(response.GetProperty("description").GetString()!).Select(word => word.Value);
            var known = Enum.GetValues<RefusalCode>().Select(RefusalConverter.WordOf).Intersect(described);
            if (status is not (413 or 415)) Assert.Equal(known.Order(), operation.ExamplesOf(operation.Answer(status)).Keys.Order());
            Assert.Equal(waits, response.TryGetProperty("headers", out var headers) && headers.TryGetProperty("Retry-After", out _));
        }
    }

    [Fact]
    public async Task Requests_AreTaken_AndTheAnswersAreAsTheSchemasSay()
    {
        var refused = new List<string>();
        foreach (var operation in _operations)
        {
            using var response = await SendAsync(operation.Call(), _root.Token);
            var status = (int)response.StatusCode;
            var schema = operation.Answer(status).GetProperty("schema");
            if (response.Content.Headers.ContentType!.MediaType == "text/event-stream") continue;
            using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
            _schemas.Check(answer.RootElement, schema, $"{operation.Id} {status}");
            if (status != 200) refused.Add($"{operation.Id} {status}");
        }

        // The token of the examples is not in force here, and what it would have bound is not there.
        Assert.Equal(
            ["breakLease 409", "getKey 404", "putKey 409", "releaseLease 409", "renewLease 409", "transferLease 409"], refused.Order());
    }

    [Fact]
    public async Task Refusals_OfCallers_AreWhatAServerAnswers()
    {
        foreach (var operation in _operations)
        {
            await AssertAnswerAsync(operation, "unauthorized", operation.Call(), token: null);
            if (operation.Refusal("forbidden") is not { } forbidden) continue;
            var call = operation.Call();
            var isOfPages = forbidden.GetProperty("detail").GetString()!.Contains("Sec-Fetch-Site", StringComparison.Ordinal);
            if (isOfPages) call.Headers.Add("Sec-Fetch-Site", "cross-site");
            await AssertAnswerAsync(operation, "forbidden", call, isOfPages ? _root.Token : _ci.Token);
        }
    }

    [Fact]
    public async Task Refusals_OfMalformedCalls_AreWhatAServerAnswers()
    {
        foreach (var operation in _operations)
        {
            var query = operation.Request is null ? "colour=red" : "";
            await AssertAnswerAsync(operation, "invalid-request", operation.Call(body: "{}", query));
            await AssertAnswerAsync(operation, "wrong-media-type", operation.Call(type: "text/plain"));
            var large = operation.Call(body: new string(' ', (1024 * 1024) + 1));
            large.Headers.ExpectContinue = true;
            await AssertAnswerAsync(operation, "body-too-large", large);
        }
    }

    [Fact]
    public async Task Refusals_OfTheService_AreInItsWords()
    {
        _host.Client.DefaultRequestHeaders.Authorization = new("Bearer", _root.Token);
        var held = await AcquireAsync("""
            "resource":"orders/42","owner":"worker-2"
            """);
        AssertWords("acquireLease", "held", await AcquireAsync("""
            "resource":"orders/42","owner":"worker-1"
            """));
        _time.Advance(TimeSpan.FromMinutes(1));
        AssertWords("renewLease", "not-holder", await _host.PostAsync(
            "/v1/leases/renew", $$"""{"resource":"orders/42","owner":"worker-2","token":{{held.Body.GetProperty("token")}}}"""));

        await AcquireAsync("""
            "resource":"orders/42","owner":"worker-2","mode":"shared","capacity":3
            """);
        var own = await AcquireAsync("""
            "resource":"orders/42","owner":"worker-1","mode":"shared","capacity":3,"requestId":"a"
            """);
        AssertWords("acquireLease", "conflict", await AcquireAsync("""
            "resource":"orders/42","owner":"worker-3","mode":"shared","capacity":2
            """));
        AssertWords("transferLease", "conflict", await AcquireAsync("""
            "resource":"orders/42","owner":"worker-1","requestId":"a"
            """));
        AssertWords("transferLease", "held", await _host.PostAsync(
            "/v1/leases/transfer",
            $$"""{"resource":"orders/42","owner":"worker-1","token":{{own.Body.GetProperty("token")}},"newOwner":"worker-2"}"""));

        AssertWords("getKey", "not-found", await _host.GetAsync("/v1/keys/leaders/42"));
        foreach (var key in new[] { "leaders/42", "orders/done" })
            (await _host.Client.PutAsJsonAsync($"/v1/keys/{key}", new { value = "a" })).EnsureSuccessStatusCode();
        AssertWords("deleteKey", "conflict", await _host.SendAsync(HttpMethod.Delete, "/v1/keys/leaders/42?ifVersion=77"));
        AssertWords("addToCounter", "conflict", await _host.PostAsync("/v1/counters/orders/done", """{"delta":1}"""));
    }

    private Task<Reply> AcquireAsync(string fields) => _host.PostAsync("/v1/leases/acquire", $$"""{"ttlMs":30000,{{fields}}}""");

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage call, string? token)
    {
        if (token is not null) call.Headers.Authorization = new("Bearer", token);
        return _host.Client.SendAsync(call, HttpCompletionOption.ResponseHeadersRead);
    }

    private Task AssertAnswerAsync(DocumentOperation operation, string word, HttpRequestMessage call) =>
        AssertAnswerAsync(operation, word, call, _root.Token);

    /// <summary>Makes a call where an example says how it is refused, and compares.</summary>
    private async Task AssertAnswerAsync(DocumentOperation operation, string word, HttpRequestMessage call, string? token)
    {
        if (operation.Refusal(word) is not { } example) return;
        using var response = await SendAsync(call, token);
        var reply = await Reply.ReadAsync(response);
        Assert.Equal("application/problem+json", reply.ContentType);
        Assert.True(JsonElement.DeepEquals(example, reply.Body), $"{operation.Id} has\n{example} and answers\n{reply.Body}");
    }

    /// <summary>Compares a refusal with its example, but for the numbers in both.</summary>
    private void AssertWords(string id, string word, Reply reply)
    {
        var example = _operations.Single(operation => operation.Id == id).Refusal(word)!.Value;
        string Shape(JsonElement problem) => Digits().Replace(JsonSerializer.Serialize(problem), "0");
        Assert.Equal(Shape(example), Shape(reply.Body));
    }

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();

    [GeneratedRegex("[a-z-]+")]
    private static partial Regex Words();
}
