using System.Net;

namespace OrleansLeases.Client.Tests;

public sealed class RequestShapeTests
{
    [Fact]
    public async Task Acquire_WithEverything_SendsTheContractsBody()
    {
        var server = new ScriptedServer(HttpStatusCode.OK, Requests.Grant);
        var request = Requests.Acquire with
        {
            Mode = LeaseMode.Shared,
            Capacity = 3,
            Wait = TimeSpan.FromSeconds(25),
            LockDelay = TimeSpan.FromMilliseconds(1500),
            HoldAtLeast = TimeSpan.FromMilliseconds(2500),
            Metadata = new Dictionary<string, string> { ["host"] = "a" },
        };

        var grant = (await server.Service().AcquireAsync(request)).Value;

        Assert.Equal((HttpMethod.Post, "/v1/leases/acquire"), (server.Method, server.PathAndQuery));
        Assert.Equal(
            """{"resource":"jobs/nightly","owner":"ann","ttlMs":30000,"mode":"shared","capacity":3,"waitMs":"""
            + """25000,"lockDelayMs":1500,"holdAtLeastMs":2500,"metadata":{"host":"a"},"requestId":"r1"}""",
            server.Body);
        Assert.Equal((7L, TimeSpan.FromMilliseconds(29_990), TimeSpan.FromMilliseconds(12)), (grant.Token, grant.Remaining, grant.Elapsed));
    }

    [Fact]
    public async Task Acquire_WithoutRequestId_MakesOneThatTheUnknownOutcomeCarries()
    {
        var server = new ScriptedServer(new HttpRequestException(HttpRequestError.ResponseEnded));

        var result = await server.Service().AcquireAsync(Requests.Acquire with { RequestId = null });

        var unknown = Assert.IsType<Refusal.OutcomeUnknown>(result.Refusal);
        Assert.True(Guid.TryParseExact(unknown.RequestId, "N", out _));
        Assert.Contains($"\"requestId\":\"{unknown.RequestId}\"", server.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PutKey_WithEverything_SendsTheContractsBody()
    {
        var server = new ScriptedServer(HttpStatusCode.OK, """{"key":"a b","version":3}""");
        var request = new PutKeyRequest
        {
            Value = "x\u0000", Lease = new() { Resource = "r", Owner = "ann", Token = 7 }, IfVersion = 2, RequestId = "r1",
            Ttl = TimeSpan.FromMilliseconds(1500),
        };

        Assert.Equal(3, (await server.Service().PutKeyAsync("a b", request)).Value.Version);

        Assert.Equal((HttpMethod.Put, "/v1/keys/a%20b"), (server.Method, server.PathAndQuery));
        Assert.Equal(
            """{"value":"x\u0000","lease":{"resource":"r","owner":"ann","token":7},"ttlMs":1500,"ifVersion":2,"requestId":"r1"}""",
            server.Body);
    }

    [Theory]
    [InlineData("""{"key":"other","version":3}""")]
    [InlineData("""{"key":"a","version":0}""")]
    [InlineData("""{"version":3}""")]
    public async Task PutKey_WithAnAnswerToSomethingElse_IsNotKnown(string answer)
    {
        var server = new ScriptedServer(HttpStatusCode.OK, answer);

        var unknown = Assert.IsType<Refusal.OutcomeUnknown>((await server.Service().PutKeyAsync("a", new() { Value = "x" })).Refusal);

        Assert.Contains($"\"requestId\":\"{unknown.RequestId}\"", server.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("renew", "/v1/leases/renew")]
    [InlineData("renew-batch", "/v1/leases/renew-batch")]
    [InlineData("release", "/v1/leases/release")]
    [InlineData("transfer", "/v1/leases/transfer")]
    [InlineData("break", "/v1/leases/break")]
    [InlineData("get", "/v1/leases/jobs/nightly")]
    [InlineData("list", "/v1/leases")]
    [InlineData("history", "/v1/history/jobs/nightly")]
    [InlineData("put-key", "/v1/keys/jobs/nightly")]
    [InlineData("get-key", "/v1/keys/jobs/nightly")]
    [InlineData("delete-key", "/v1/keys/jobs/nightly?ifVersion=3")]
    [InlineData("add", "/v1/counters/jobs/nightly")]
    [InlineData("list-keys", "/v1/keys?prefix=a&pageSize=7&after=a%2Fb")]
    [InlineData("info", "/v1/info")]
    public async Task Call_OfEachVerb_GoesToItsAddress(string verb, string address)
    {
        var server = new ScriptedServer(HttpStatusCode.OK, "{}");

        await Requests.CallAsync(verb, server.Service());

        Assert.Equal(address, server.PathAndQuery);
    }

    [Theory]
    [InlineData("a b", "a%20b")]
    [InlineData("a/b", "a/b")]
    [InlineData("a%2Fb", "a%252Fb")]
    [InlineData("a?b#c", "a%3Fb%23c")]
    [InlineData("a\\b", "a%5Cb")]
    [InlineData("ü/€/😀", "%C3%BC/%E2%82%AC/%F0%9F%98%80")]
    [InlineData("-._~", "-._~")]
    [InlineData("a+b&c=d:e@f!g'(h)*;,$", "a%2Bb%26c%3Dd%3Ae%40f%21g%27%28h%29%2A%3B%2C%24")]
    [InlineData("%41", "%2541")]
    [InlineData("a/.hidden/..x/...", "a/.hidden/..x/...")]
    public async Task Get_WithAnyName_EncodesEachByteButTheUnreserved(string name, string encoded)
    {
        var server = new ScriptedServer(HttpStatusCode.OK, "{}");

        await server.Service().GetAsync(new() { Resource = name, Consistent = true });

        Assert.Equal($"/v1/leases/{encoded}?consistent=true", server.PathAndQuery);
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("./a")]
    [InlineData("a//b")]
    [InlineData("/a")]
    [InlineData("a/")]
    public async Task Get_WithAnotherAddressForAName_IsRefusedUnsent(string name)
    {
        var server = new ScriptedServer(HttpStatusCode.OK, "{}");

        var invalid = Assert.IsType<Refusal.InvalidRequest>((await server.Service().GetAsync(new() { Resource = name })).Refusal);
        Assert.IsType<Refusal.InvalidRequest>((await server.Service().HistoryAsync(name)).Refusal);

        Assert.Contains("resource", invalid.Errors.Keys);
        Assert.Null(server.Address);
    }

    [Fact]
    public async Task Call_WithHalfASurrogatePair_IsRefusedUnsent()
    {
        var server = new ScriptedServer(HttpStatusCode.OK, Requests.Grant);

        var result = await server.Service().AcquireAsync(Requests.Acquire with { Owner = "ann\ud800" });

        Assert.Contains("owner", Assert.IsType<Refusal.InvalidRequest>(result.Refusal).Errors.Keys);
        Assert.Null(server.Address);
    }

    [Fact]
    public async Task List_WithEveryFilter_SendsThemEncoded()
    {
        var server = new ScriptedServer(HttpStatusCode.OK, """{"leases":[],"next":"jobs/z","asOf":"2026-01-01T00:00:00Z"}""");

        var page = (await server.Service().ListAsync(
            new() { Prefix = "jobs/", Owner = "a&b", State = LeaseFilter.Any, PageSize = 5, After = "jobs/ü" })).Value;

        Assert.Equal("/v1/leases?prefix=jobs%2F&owner=a%26b&state=any&pageSize=5&after=jobs%2F%C3%BC", server.PathAndQuery);
        Assert.Equal("jobs/z", page.Next);
    }

    [Theory]
    [InlineData("http://leases.test/some/where")]
    [InlineData("http://leases.test/some/where/")]
    public async Task Call_WithAPathInTheBaseAddress_KeepsIt(string baseAddress)
    {
        var server = new ScriptedServer(HttpStatusCode.OK, "{}");

        await server.Service(baseAddress).InfoAsync();

        Assert.Equal("/some/where/v1/info", server.PathAndQuery);
    }

    [Fact]
    public void Constructor_WithoutBaseAddress_SaysWhatToSet()
    {
        using var http = new HttpClient();
        var refused = Assert.Throws<ArgumentException>(() => new HttpLeaseService(http));
        Assert.Contains("BaseAddress", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_WithATimeoutThatCutsWaits_SaysWhatToSet()
    {
        using var http = new HttpClient { BaseAddress = new("http://leases.test"), Timeout = TimeSpan.FromSeconds(5) };
        var refused = Assert.Throws<ArgumentException>(() => new HttpLeaseService(http));
        Assert.Contains("00:00:05", refused.Message, StringComparison.Ordinal);
    }
}
