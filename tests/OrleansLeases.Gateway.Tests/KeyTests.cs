using System.Text;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>Keys and counters as they are on the wire, and everything a caller may get wrong about them.</summary>
public sealed class KeyTests : IAsyncLifetime
{
    private readonly EmbeddedLeases _leases = EmbeddedLeases.InMemory();
    private GatewayHost _host = null!;
    private long _token;

    private string Lease => $$"""{"resource":"r/s","owner":"ann","token":{{_token}}}""";

    public async Task InitializeAsync()
    {
        _host = await GatewayHost.StartAsync(_leases);
        var acquire = new AcquireRequest { Resource = "r/s", Owner = "ann", Ttl = TimeSpan.FromHours(1) };
        _token = (await _leases.AcquireAsync(acquire)).Value.Token;
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _leases.DisposeAsync();
    }

    [Fact]
    public async Task Key_FromPutToDelete_IsAsTheContractSays()
    {
        Assert.Equal("""{"key":"a/b","version":1}""", (await PutAsync("a/b", """{"value":"x"}""")).Body.ToString());
        Assert.Equal("""{"key":"a/b","value":"x","version":1}""", (await _host.GetAsync("/v1/keys/a/b")).Body.ToString());
        Assert.Equal(
            """{"key":"a/b","version":2}""",
            (await PutAsync("a%2Fb", $$"""{"value":"y","ifVersion":1,"lease":{{Lease}}}""")).Body.ToString());
        Assert.Equal(
            $$"""{"keys":[{"key":"a/b","value":"y","version":2,"lease":{{Lease}}}]}""",
            (await _host.GetAsync("/v1/keys?prefix=a")).Body.ToString());
        var conflict = await PutAsync("a/b", """{"value":"z","ifVersion":1}""");
        Assert.Equal(
            (409, "urn:orleans-leases:conflict", 2), (conflict.Status, conflict.Type, conflict.Body.GetProperty("current").GetInt32()));
        Assert.Equal(409, (await _host.SendAsync(HttpMethod.Delete, "/v1/keys/a/b?ifVersion=1")).Status);
        Assert.Equal(
            """{"key":"a/b","existed":true}""", (await _host.SendAsync(HttpMethod.Delete, "/v1/keys/a/b?ifVersion=2")).Body.ToString());
        var gone = await _host.GetAsync("/v1/keys/a/b");
        Assert.Equal((404, "urn:orleans-leases:not-found"), (gone.Status, gone.Type));
        Assert.Equal("""{"keys":[]}""", (await _host.GetAsync("/v1/keys")).Body.ToString());
    }

    [Fact]
    public async Task Counter_IsAsTheContractSays()
    {
        Assert.Equal(
            """{"key":"c","value":-5,"version":1,"replayed":false}""",
            (await _host.PostAsync("/v1/counters/c", """{"delta":-5,"requestId":"i"}""")).Body.ToString());
        Assert.Equal(
            """{"key":"c","value":-5,"version":1,"replayed":true}""",
            (await _host.PostAsync("/v1/counters/c", """{"delta":-5,"requestId":"i"}""")).Body.ToString());
        var overflow = await _host.PostAsync("/v1/counters/c", $$"""{"delta":{{long.MinValue}}}""");
        Assert.Equal((409, "urn:orleans-leases:conflict"), (overflow.Status, overflow.Type));
        Assert.Equal("""{"key":"c","value":"-5","version":1}""", (await _host.GetAsync("/v1/keys/c")).Body.ToString());
    }

    [Fact]
    public async Task BoundWrite_AfterTheLeaseHasEnded_IsNotHolder()
    {
        await _leases.ReleaseAsync(new ReleaseRequest { Resource = "r/s", Owner = "ann", Token = _token });

        var put = await PutAsync("a", $$"""{"value":"x","lease":{{Lease}}}""");
        var add = await _host.PostAsync("/v1/counters/a", $$"""{"delta":1,"lease":{{Lease}}}""");

        Assert.Equal(
            (409, "urn:orleans-leases:not-holder", "released"), (put.Status, put.Type, put.Body.GetProperty("reason").GetString()));
        Assert.Equal((409, "urn:orleans-leases:not-holder"), (add.Status, add.Type));
    }

    [Fact]
    public async Task IdempotencyKey_IsTheRequestId()
    {
        var body = Encoding.UTF8.GetBytes("""{"delta":1}""");
        await _host.PostAsync("/v1/counters/c", body, headers: ("Idempotency-Key", "id"));
        Assert.True(
            (await _host.PostAsync("/v1/counters/c", body, headers: ("Idempotency-Key", "id"))).Body.GetProperty("replayed").GetBoolean());
        var other = """{"delta":1,"requestId":"a"}"""u8.ToArray();
        (await _host.PostAsync("/v1/counters/c", other, headers: ("Idempotency-Key", "b"))).AssertInvalid("requestId");
    }

    public static TheoryData<string, string> BadPuts => new()
    {
        { "{}", "value" },
        { """{"value":null}""", "value" },
        { """{"value":1}""", "value" },
        { """{"value":"\ud800"}""", "value" },
        { """{"value":"x","value":"y"}""", "value" },
        { """{"value":"x","ifVersion":-1}""", "ifVersion" },
        { """{"value":"x","ifVersion":"1"}""", "ifVersion" },
        { """{"value":"x","ifVersion":1.5}""", "ifVersion" },
        { """{"value":"x","key":"a"}""", "key" },
        { """{"value":"x","requestId":""}""", "requestId" },
        { """{"value":"x","lease":{"resource":null,"owner":"ann","token":1}}""", "lease.resource" },
        { """{"value":"x","lease":"r"}""", "lease" },
        { """{"value":"x","lease":[]}""", "lease" },
        { """{"value":"x","lease":{"owner":"ann","token":1}}""", "lease.resource" },
        { """{"value":"x","lease":{"resource":"r","token":1}}""", "lease.owner" },
        { """{"value":"x","lease":{"resource":"r","owner":"ann"}}""", "lease.token" },
        { """{"value":"x","lease":{"resource":"r","owner":"ann","token":0}}""", "lease.token" },
        { """{"value":"x","lease":{"resource":"r","owner":"ann","token":"1"}}""", "lease.token" },
        { """{"value":"x","lease":{"resource":"r//s","owner":"ann","token":1}}""", "lease.resource" },
        { """{"value":"x","lease":{"resource":"r","owner":"\n","token":1}}""", "lease.owner" },
        { """{"value":"x","lease":{"resource":"r","owner":"ann","token":1,"ttlMs":1}}""", "lease.ttlMs" },
        { """{"value":"x","lease":{"resource":"r","owner":"ann","token":1,"\ud800":1}}""", "lease" },
        { """{"value":"x","lease":{"resource":"r","owner":"ann","token":1}},""", "body" },
        { "", "body" },
        { "[]", "body" },
        { """{"value":"x""", "body" },
    };

    [Theory]
    [MemberData(nameof(BadPuts))]
    public async Task Put_OfABadBody_NamesTheFieldAndChangesNothing(string body, string field)
    {
        Assert.NotEmpty((await PutAsync("a", body)).AssertInvalid(field));
        Assert.Equal(404, (await _host.GetAsync("/v1/keys/a")).Status);
    }

    public static TheoryData<string, string> BadAdditions => new()
    {
        { "{}", "delta" },
        { """{"delta":null}""", "delta" },
        { """{"delta":"1"}""", "delta" },
        { """{"delta":1.5}""", "delta" },
        { """{"delta":9223372036854775808}""", "delta" },
        { """{"delta":1,"value":"1"}""", "value" },
        { """{"delta":1,"ifVersion":1}""", "ifVersion" },
        { """{"delta":1,"lease":{}}""", "lease.token" },
    };

    [Theory]
    [MemberData(nameof(BadAdditions))]
    public async Task Add_OfABadBody_NamesTheFieldAndChangesNothing(string body, string field)
    {
        Assert.NotEmpty((await _host.PostAsync("/v1/counters/a", body)).AssertInvalid(field));
        Assert.Equal(404, (await _host.GetAsync("/v1/keys/a")).Status);
    }

    [Theory]
    [InlineData("/v1/keys/", "key")]
    [InlineData("/v1/keys/a//b", "key")]
    [InlineData("/v1/keys/a/../b", "key")]
    [InlineData("/v1/keys/..", "key")]
    [InlineData("/v1/keys/%FF", "key")]
    [InlineData("/v1/keys/a%0Ab", "key")]
    [InlineData("/v1/keys/a?consistent=true", "consistent")]
    [InlineData("/v1/keys?pageSize=0", "pageSize")]
    [InlineData("/v1/keys?pageSize=x", "pageSize")]
    [InlineData("/v1/keys?prefix=%00", "prefix")]
    [InlineData("/v1/keys?after=%00", "after")]
    [InlineData("/v1/keys?owner=ann", "owner")]
    public async Task Get_WhenSomethingIsWrong_NamesIt(string target, string field)
    {
        await using var connection = await _host.ConnectAsync();
        await connection.SendGetAsync(target);
        Reply.Parse(await connection.ReadAsync()).AssertInvalid(field);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("x")]
    [InlineData("1.0")]
    [InlineData("9223372036854775808")]
    public async Task Delete_OfABadVersion_NamesIt(string version) =>
        (await _host.SendAsync(HttpMethod.Delete, $"/v1/keys/a?ifVersion={version}")).AssertInvalid("ifVersion");

    [Fact]
    public async Task Write_WithItsConditionInTheWrongPlace_IsRefused_NotUnconditional()
    {
        var before = (await PutAsync("a", """{"value":"1"}""")).Body.GetProperty("version").GetInt64();
        (await PutAsync("a?ifVersion=7", """{"value":"2"}""")).AssertInvalid("ifVersion");
        (await _host.PostAsync("/v1/counters/a?requestId=i", """{"delta":1}""")).AssertInvalid("requestId");
        (await DeleteAsync("a", """{"ifVersion":7}""", chunked: false)).AssertInvalid("body");
        (await DeleteAsync("a", """{"ifVersion":7}""", chunked: true)).AssertInvalid("body");
        Assert.Equal(before, (await _host.GetAsync("/v1/keys/a")).Body.GetProperty("version").GetInt64());
        Assert.Equal(200, (await DeleteAsync("a", "", chunked: false)).Status);
    }

    [Theory]
    [InlineData("POST", "/v1/keys/a", "GET, PUT, DELETE")]
    [InlineData("POST", "/v1/keys", "GET")]
    [InlineData("GET", "/v1/counters/a", "POST")]
    public async Task Call_OfAnotherMethod_IsToldWhichThereAre(string method, string path, string allowed)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await _host.Client.SendAsync(request);
        Assert.Equal((405, allowed), ((int)response.StatusCode, string.Join(", ", response.Content.Headers.Allow)));
    }

    [Fact]
    public async Task Value_OfControlCharacters_FitsIntoABody()
    {
        // Six bytes for each character, and still within the bound of a body.
        var value = string.Concat(Enumerable.Repeat("\\u0001", 65_536));
        Assert.Equal(200, (await PutAsync("a", $$"""{"value":"{{value}}"}""")).Status);
        (await PutAsync("a", $$"""{"value":"{{value}}x"}""")).AssertInvalid("value");
        Assert.Equal(65_536, (await _host.GetAsync("/v1/keys/a")).Body.GetProperty("value").GetString()!.Length);
    }

    private async Task<Reply> DeleteAsync(string key, string body, bool chunked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/v1/keys/{key}")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.TransferEncodingChunked = chunked;
        return await Reply.ReadAsync(await _host.Client.SendAsync(request));
    }

    private async Task<Reply> PutAsync(string key, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/v1/keys/{key}")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        return await Reply.ReadAsync(await _host.Client.SendAsync(request));
    }
}
