using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

public sealed class BodyShapeTests : IAsyncLifetime
{
    private readonly ScriptedLeases _leases = new();
    private GatewayHost _host = null!;

    public static TheoryData<string, string> Fields()
    {
        var data = new TheoryData<string, string>();
        foreach (var (endpoint, fields) in Shapes.ByEndpoint)
            foreach (var field in fields) data.Add(endpoint, field.Name);
        return data;
    }

    public static TheoryData<string> Endpoints => [.. Shapes.ByEndpoint.Keys];

    public async Task InitializeAsync() => _host = await GatewayHost.StartAsync(_leases);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Theory]
    [MemberData(nameof(Fields))]
    public async Task Post_WhenFieldHasWrongShape_NamesTheField(string endpoint, string field)
    {
        var cases = Shapes.AllBad().Where(bad => (bad.Endpoint, bad.Field) == (endpoint, field)).ToList();
        Assert.NotEmpty(cases);
        foreach (var (_, _, value) in cases)
        {
            var reply = await PostAsync(endpoint, Shapes.BodyWith(endpoint, field, value));
            Assert.NotEmpty(reply.AssertInvalid(field));
            Assert.Single(reply.Body.GetProperty("errors").EnumerateObject());
        }

        Assert.Empty(_leases.Asked);
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public async Task Post_WhenFieldHasRightShape_AsksTheService(string endpoint, string field)
    {
        var good = Shapes.ByEndpoint[endpoint].Single(one => one.Name == field).Good;
        var escaped = Shapes.BodyWith(endpoint, field, good).Replace(
            $"\"{field}\":", $"\"\\u{(int)field[0]:x4}{field[1..]}\":", StringComparison.Ordinal);
        Assert.Equal(200, (await PostAsync(endpoint, Shapes.BodyWith(endpoint, field, good))).Status);
        Assert.Equal(200, (await PostAsync(endpoint, escaped)).Status);
        Assert.Equal(2, _leases.Asked.Count);
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public async Task Post_WhenAnOptionalFieldIsNull_ItIsAbsent(string endpoint, string field)
    {
        if (Shapes.ByEndpoint[endpoint].Single(one => one.Name == field).Required) return;
        Assert.Equal(200, (await PostAsync(endpoint, Shapes.BodyWith(endpoint, "", ""))).Status);
        Assert.Equal(200, (await PostAsync(endpoint, Shapes.BodyWith(endpoint, field, "null"))).Status);
        var asked = _leases.Asked.ToArray();
        Assert.Equal(asked[0], asked[1]);
        (await PostAsync(endpoint, $$"""{"{{field}}":null,{{Shapes.BodyWith(endpoint, field, Shapes.Twice)[1..]}}""")).AssertInvalid(field);
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Post_WhenTheQuerySaysSomething_NamesIt(string endpoint)
    {
        var body = Shapes.BodyWith(endpoint, "", "");
        (await PostAsync($"{endpoint}?token=1&extra", body)).AssertInvalid("token");
        (await PostAsync($"{endpoint}?extra", body)).AssertInvalid("extra");
        Assert.Empty(_leases.Asked);
        Assert.Equal(200, (await PostAsync($"{endpoint}?", body)).Status);
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Post_WhenFieldIsUnknown_NamesIt(string endpoint)
    {
        var body = Shapes.BodyWith(endpoint, "", "");
        Assert.Contains(
            "it takes",
            (await PostAsync(endpoint, body[..^1] + ",\"extra\":{\"a\":[1]}}")).AssertInvalid("extra"),
            StringComparison.Ordinal);
        (await PostAsync(endpoint, body[..^1] + ",\"Undelivered\":true,\"undelivered\":true}")).AssertInvalid("undelivered");
        (await PostAsync(endpoint, body[..^1] + ",\"\":1}")).AssertInvalid("");
        (await PostAsync(endpoint, body[..^1] + ",\"\\ud800\":1}")).AssertInvalid("body");
        (await PostAsync(endpoint, body[..^1] + ",\"\u00ff\":1}")).AssertInvalid("body");
        Assert.Empty(_leases.Asked);
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Post_WhenBodyIsNoObject_SaysSo(string endpoint)
    {
        foreach (var body in new[] { "[]", "1", "\"a\"", "null", "true", new string('[', 500_000) + new string(']', 500_000) })
            Assert.Contains("takes a JSON object", (await PostAsync(endpoint, body)).AssertInvalid("body"), StringComparison.Ordinal);
        Assert.Contains("is empty", (await PostAsync(endpoint, "")).AssertInvalid("body"), StringComparison.Ordinal);
        Assert.Empty(_leases.Asked);
    }

    [Theory]
    [InlineData(" ", 1, 2)]
    [InlineData("{", 1, 2)]
    [InlineData("{\"resource\":\"a\",\n\"owner\":tru}", 2, 12)]
    [InlineData("{\"resource\":\"a\"} x", 1, 18)]
    [InlineData("{\"resource\":\"a\"}{}", 1, 17)]
    [InlineData("{\"resource\":\"a\",}", 1, 17)]
    [InlineData("{'resource':1}", 1, 2)]
    [InlineData("// a\n{}", 1, 1)]
    [InlineData("\u00ef\u00bb\u00bf{}", 1, 1)]
    [InlineData("{\"resource\":\"a\\x\"}", 1, 16)]
    [InlineData("{\"resource\":01}", 1, 14)]
    [InlineData("{\"resource\":\"a\u0001\"}", 1, 15)]
    [InlineData("{\"resource\":NaN}", 1, 13)]
    [InlineData("\0", 1, 1)]
    public async Task Post_WhenBodyIsNotJson_SaysWhere(string body, int line, int position)
    {
        foreach (var endpoint in Shapes.ByEndpoint.Keys)
            Assert.Contains(
                $"line {line}, byte {position}:", (await PostAsync(endpoint, body)).AssertInvalid("body"), StringComparison.Ordinal);
        Assert.Empty(_leases.Asked);
    }

    [Fact]
    public async Task Post_WhenMuchIsWrong_TellsAllOfIt()
    {
        var reply = await PostAsync(
            "acquire", """{"owner":1,"ttlMs":"30s","mode":"both","capacity":2.5,"metadata":{"a":1,"b":"c","d":null},"x":1}""");
        foreach (var field in new[] { "resource", "owner", "ttlMs", "mode", "capacity", "metadata.a", "metadata.d", "x" })
            reply.AssertInvalid(field);
        Assert.Equal(8, reply.Body.GetProperty("errors").EnumerateObject().Count());
        Assert.Contains("a string", reply.AssertInvalid("ttlMs"), StringComparison.Ordinal);
        Assert.Contains("'exclusive', 'shared'", reply.AssertInvalid("mode"), StringComparison.Ordinal);
        Assert.Contains("2.5", reply.AssertInvalid("capacity"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_WhenMetadataEntryIsWrong_NamesTheEntry()
    {
        foreach (var value in new[]
        {
            """{"a":null}""", """{"a":1}""", """{"a":{"b":"c"}}""", """{"a":["b"]}""", """{"a":"b","a":"b"}""", "{\"a\":\"\u00ff\"}",
            """{"a":"\ud800"}""",
        })
            (await PostAsync("acquire", Shapes.BodyWith("acquire", "metadata", value))).AssertInvalid("metadata.a");
        Assert.Empty(_leases.Asked);
    }

    [Fact]
    public async Task RenewBatch_WhenAnItemIsWrong_NamesTheItemAndItsField()
    {
        var good = Shapes.Object(Shapes.Renew);
        foreach (var field in Shapes.Renew)
        {
            foreach (var value in field.Bad.Append(Shapes.Twice).Concat(field.Required ? [Shapes.Missing] : []))
            {
                var bad = Shapes.Object(Shapes.Renew, field.Name, value);
                (await PostAsync("renew-batch", $$"""{"leases":[{{good}},{{bad}},{{good}}]}""")).AssertInvalid($"leases[1].{field.Name}");
            }
        }

        (await PostAsync("renew-batch", $$"""{"leases":[{{good}},{{good[..^1]}},"extra":1}]}""")).AssertInvalid("leases[1].extra");
        (await PostAsync("renew-batch", $$"""{"leases":[{{good[..^1]}},"\ud800":1}]}""")).AssertInvalid("leases[0]");
        foreach (var value in new[] { "null", "1", "[]", "\"a\"" })
            (await PostAsync("renew-batch", $$"""{"leases":[{{good}},{{value}}]}""")).AssertInvalid("leases[1]");
        (await PostAsync("renew-batch", $$"""{"leases":[{{good}}],"extra":1}""")).AssertInvalid("extra");
        Assert.Empty(_leases.Asked);
    }

    [Fact]
    public async Task Post_WhenEverythingIsWrong_AnswersBriefly()
    {
        var fields = string.Join(",", Enumerable.Range(0, 60_000).Select(i => $"\"f{i}\":1"));
        var reply = await PostAsync("acquire", $$"""{{{fields}}}""");
        Assert.Equal(400, reply.Status);
        Assert.InRange(reply.Body.GetProperty("errors").EnumerateObject().Count(), 10, 100);
        var longName = new string('n', 500_000);
        Assert.InRange((await PostAsync("acquire", $$"""{"{{longName}}":1}""")).Body.GetRawText().Length, 100, 5_000);
        Assert.InRange((await PostAsync("acquire", $$"""{"ttlMs":{{new string('9', 500_000)}}}""")).Body.GetRawText().Length, 100, 5_000);
    }

    private Task<Reply> PostAsync(string endpoint, string body) => _host.PostAsync($"/v1/leases/{endpoint}", Shapes.Bytes(body));
}
