using System.Globalization;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>Whatever a caller sends to a real engine: it is told which field is wrong, and nothing has changed.</summary>
public sealed class BadInputTests : IAsyncLifetime
{
    private const string Resource = "resource-a";

    private static readonly string[] BadNames =
    [
        "\"\"", Quoted('n', 513), "\"a\\u0000b\"", "\"a\\nb\"", "\"\\u007f\"", "\"a\u00c2\u0085\"",
        "\"" + string.Concat(Enumerable.Repeat("\\u20ac", 171)) + "\"",
    ];

    private static readonly string[] BadPaths =
        [.. BadNames, "\"/\"", "\"/a\"", "\"a/\"", "\"a//b\"", "\".\"", "\"..\"", "\"a/./b\"", "\"a/../b\"", "\"../a\""];

    private static readonly string[] BadTtls = ["0", "-1", "99", "86400001", "922337203685477", "-922337203685477"];
    private static readonly string[] BadDelays = ["-1", "86400001", "922337203685477", "-922337203685477"];
    private static readonly string[] BadTokens = ["0", "-1", "9007199254740992", "9223372036854775807", "-9223372036854775808"];
    private static readonly string[] BadRequestIds = ["\"\"", Quoted('i', 129), "\"a\\tb\""];

    private readonly EmbeddedLeases _leases = EmbeddedLeases.InMemory();
    private GatewayHost _host = null!;
    private string _token = "";

    public static TheoryData<string, string> Fields()
    {
        var data = new TheoryData<string, string>();
        foreach (var (endpoint, fields) in Shapes.ByEndpoint)
            foreach (var field in fields) data.Add(endpoint, field.Name);
        return data;
    }

    public async Task InitializeAsync()
    {
        _host = await GatewayHost.StartAsync(_leases);
        var granted = await _host.PostAsync(
            "/v1/leases/acquire", $$"""{"resource":"{{Resource}}","owner":"owner-a","ttlMs":3600000,"requestId":"first"}""");
        _token = granted.Body.GetProperty("token").GetInt64().ToString(CultureInfo.InvariantCulture);
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _leases.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public async Task Post_WhenFieldIsWrong_NamesItAndChangesNothing(string endpoint, string field)
    {
        var before = await StateAsync();
        var shapes = Shapes.AllBad().Where(bad => (bad.Endpoint, bad.Field) == (endpoint, field)).Select(bad => bad.Value);
        foreach (var value in shapes.Concat(OutOfBounds(endpoint, field)))
        {
            // With the token in force, so that nothing but the field stands in the way of a change.
            var body = Shapes.BodyWith(endpoint, field, value).Replace("\"token\":1,", $"\"token\":{_token},", StringComparison.Ordinal);
            var reply = await _host.PostAsync($"/v1/leases/{endpoint}", Shapes.Bytes(body));
            Assert.NotEmpty(reply.AssertInvalid(field));
        }

        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task RenewBatch_WhenAnItemIsOutOfBounds_RefusesThatItem()
    {
        foreach (var field in Shapes.Renew)
        {
            foreach (var value in OutOfBounds("renew", field.Name))
            {
                var bad = Shapes.Object(Shapes.Renew, field.Name, value);
                var reply = await _host.PostAsync("/v1/leases/renew-batch", Shapes.Bytes($$"""{"leases":[{{bad}}]}"""));
                Assert.Equal(200, reply.Status);
                Assert.True(
                    reply.Body.GetProperty("results")[0].GetProperty("errors").TryGetProperty(field.Name, out _), reply.Body.ToString());
            }
        }
    }

    [Fact]
    public async Task Acquire_WhenFieldsDoNotGoTogether_NamesTheField()
    {
        (await PostAcquireAsync("\"mode\":\"exclusive\",\"capacity\":2")).AssertInvalid("capacity");
        (await PostAcquireAsync("\"mode\":\"shared\",\"lockDelayMs\":1")).AssertInvalid("lockDelayMs");
        (await PostAcquireAsync("\"mode\":\"shared\",\"holdAtLeastMs\":1")).AssertInvalid("holdAtLeastMs");
        foreach (var capacity in new[] { "0", "-1", "1001" })
            (await PostAcquireAsync($"\"mode\":\"shared\",\"capacity\":{capacity}")).AssertInvalid("capacity");
        var entries = string.Join(",", Enumerable.Range(0, 17).Select(i => $"\"k{i}\":\"v\""));
        (await PostAcquireAsync($"\"metadata\":{{{entries}}}")).AssertInvalid("metadata");
        (await PostAcquireAsync($"\"metadata\":{{\"k\":{Quoted('v', 2048)}}}")).AssertInvalid("metadata");
    }

    [Theory]
    [InlineData("/v1/leases/", "resource")]
    [InlineData("/v1/leases/a%2F", "resource")]
    [InlineData("/v1/leases/%2Fa", "resource")]
    [InlineData("/v1/leases/a//b", "resource")]
    [InlineData("/v1/leases/a/../resource-a", "resource")]
    [InlineData("/v1/leases/x/../../leases/resource-a", "resource")]
    [InlineData("/v1/leases/%2e%2e%2fleases%2fresource-a", "resource")]
    [InlineData("/v1/leases/a%0Ab", "resource")]
    [InlineData("/v1/history/", "resource")]
    [InlineData("/v1/history/.", "resource")]
    [InlineData("/v1/history/a%2F%2Fb", "resource")]
    [InlineData("/v1/leases?pageSize=0", "pageSize")]
    [InlineData("/v1/leases?pageSize=1001", "pageSize")]
    [InlineData("/v1/leases?pageSize=-1", "pageSize")]
    [InlineData("/v1/leases?owner=", "owner")]
    [InlineData("/v1/leases?owner=%0A", "owner")]
    [InlineData("/v1/leases?prefix=%00", "prefix")]
    [InlineData("/v1/leases?after=%00", "after")]
    public async Task Get_WhenSomethingIsOutOfBounds_NamesIt(string target, string field)
    {
        await using var connection = await _host.ConnectAsync();
        await connection.SendGetAsync(target);
        Reply.Parse(await connection.ReadAsync()).AssertInvalid(field);
    }

    [Fact]
    public async Task Get_WhenNameIsTooLong_NamesTheResource()
    {
        (await _host.GetAsync("/v1/leases/" + new string('n', 513))).AssertInvalid("resource");
        (await _host.GetAsync("/v1/history/" + new string('n', 513))).AssertInvalid("resource");
        (await _host.GetAsync("/v1/leases?prefix=" + new string('n', 513))).AssertInvalid("prefix");
        (await _host.GetAsync("/v1/leases?after=" + new string('n', 513))).AssertInvalid("after");
        Assert.Equal(200, (await _host.GetAsync("/v1/leases/" + new string('n', 512))).Status);
    }

    private static string[] OutOfBounds(string endpoint, string field) => field switch
    {
        "resource" => BadPaths,
        "owner" or "newOwner" or "reason" => BadNames,
        "ttlMs" => BadTtls,
        "waitMs" => [.. BadDelays, "25001"],
        "lockDelayMs" or "holdAtLeastMs" or "graceMs" => BadDelays,
        "token" => BadTokens,
        "requestId" => BadRequestIds,
        "capacity" => ["0", "-1", "1001", "2"],
        "leases" => ["[]", $"[{string.Join(",", Enumerable.Repeat(Shapes.Object(Shapes.Renew), 1001))}]"],
        "mode" or "metadata" or "force" or "proof" => [],
        _ => throw new ArgumentOutOfRangeException(nameof(field), field, $"What is out of bounds for it at {endpoint}?"),
    };

    private static string Quoted(char character, int length) => $"\"{new string(character, length)}\"";

    private Task<Reply> PostAcquireAsync(string fields) =>
        _host.PostAsync("/v1/leases/acquire", $$"""{"resource":"b","owner":"o","ttlMs":30000,{{fields}}}""");

    // All that is stored, less what only tells the passing of time.
    private async Task<string> StateAsync()
    {
        var state = (await _host.GetAsync($"/v1/leases/{Resource}?consistent=true")).Body;
        var all = (await _host.GetAsync("/v1/leases?state=any")).Body.GetProperty("leases");
        var history = (await _host.GetAsync($"/v1/history/{Resource}")).Body;
        return $"{state.GetProperty("sequence")} {state.GetProperty("lastToken")} {state.GetProperty("waiters")} "
            + $"{all.GetArrayLength()} {history}";
    }
}
