using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

public sealed class PathTests
{
    public static TheoryData<string, string> Served => new()
    {
        { "a", "a" },
        { "a/b/c", "a/b/c" },
        { "a%2Fb", "a/b" },
        { "a%2fb", "a/b" },
        { "a%252Fb", "a%2Fb" },
        { "a%25252F", "a%252F" },
        { "acquire", "acquire" },
        { "renew-batch", "renew-batch" },
        { "%C3%A9%F0%9F%94%92", "é🔒" },
        { "a+b", "a+b" },
        { "a%20b%3F%23%25", "a b?#%" },
        { "a:b@c;d=e&f", "a:b@c;d=e&f" },
        { "...", "..." },
        { "a..b/.c", "a..b/.c" },
        { "%2Fa", "/a" },
        { "/a", "/a" },
        { "a//b", "a//b" },
        { "a/", "a/" },
        { "%2E%2E%2Fa", "../a" },
        { "a%2F..%2Fb", "a/../b" },
        { "a/../b", "a/../b" },
        { "a/./b", "a/./b" },
    };

    public static TheoryData<string> Refused => new()
    {
        "/v1/leases/",
        "/v1/leases/.",
        "/v1/leases/..",
        "/v1/leases/a/..",
        "/v1/leases/%2e%2e/leases",
        "/v1/leases/../history/a",
        "/v1/history/../leases/a",
        "/v1/history",
        "/v1/leases/%",
        "/v1/leases/%4",
        "/v1/leases/%zz",
        "/v1/leases/%+1",
        "/v1/leases/%FF",
        "/v1/leases/a%C3",
        "/v1/leases/%ED%A0%80",
    };

    // Names that are out of bounds, such as '/a' or 'a/../b', reach the service as they are: it refuses them.
    [Theory]
    [MemberData(nameof(Served))]
    public async Task Get_WhenNameIsEncoded_AsksForTheDecodedName(string encoded, string name)
    {
        var leases = new ScriptedLeases();
        await using var host = await GatewayHost.StartAsync(leases);
        var path = $"/v1/leases/{encoded}";
        foreach (var target in new[] { path, $"{path}?consistent=true", $"http://localhost{path}" })
        {
            Assert.StartsWith("HTTP/1.1 200", await AskAsync(host, target), StringComparison.Ordinal);
            Assert.True(leases.Asked.TryDequeue(out var asked), target);
            Assert.Equal(new GetLeaseRequest { Resource = name, Consistent = target.Contains('?', StringComparison.Ordinal) }, asked);
        }

        Assert.StartsWith("HTTP/1.1 200", await AskAsync(host, $"/v1/history/{encoded}"), StringComparison.Ordinal);
        Assert.Equal(name, Assert.Single(leases.Asked));
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Get_WhenPathIsNoName_NamesTheResource(string target)
    {
        var leases = new ScriptedLeases();
        await using var host = await GatewayHost.StartAsync(leases);
        var reply = await AskAsync(host, target);
        Assert.StartsWith("HTTP/1.1 400", reply, StringComparison.Ordinal);
        Assert.Contains("""errors":{"resource":[""", reply, StringComparison.Ordinal);
        Assert.Empty(leases.Asked);
    }

    // Routing takes them all for a path of the contract; a proxy's rules do not.
    [Theory]
    [InlineData("POST", "/V1/Leases/BREAK")]
    [InlineData("POST", "/v1/leases/BREAK")]
    [InlineData("POST", "/v1/leases/%62reak")]
    [InlineData("POST", "/v1/%6ceases/break")]
    [InlineData("POST", "/v1/./leases/break")]
    [InlineData("POST", "/x/../v1/leases/break")]
    [InlineData("POST", "/v1/leases/x/../break")]
    [InlineData("POST", "/v1/leases/x/%2e%2e/break")]
    [InlineData("POST", "/v1/leases/break/")]
    [InlineData("POST", "/v1/leases//break")]
    [InlineData("POST", "//v1/leases/break")]
    [InlineData("POST", "http://localhost/V1/leases/break")]
    [InlineData("PUT", "/v1/KEYS/a")]
    [InlineData("DELETE", "/v1/Keys/a")]
    [InlineData("DELETE", "/%76%31/keys/a")]
    [InlineData("POST", "/v1/Counters/a")]
    [InlineData("GET", "/V1/leases/a")]
    [InlineData("GET", "/v1/LEASES")]
    [InlineData("GET", "/v1/history%2Fa")]
    [InlineData("GET", "/v1/%68istory/a")]
    [InlineData("GET", "/v1/Watch?resource=a")]
    [InlineData("GET", "/v1/watch/?resource=a")]
    [InlineData("GET", "/v1/info/")]
    [InlineData("GET", "/V1/INFO")]
    [InlineData("GET", "/Health/Ready")]
    [InlineData("GET", "/health/live/")]
    [InlineData("GET", "/OpenApi/v1.json")]
    public async Task Call_WhenPathIsNotTheContractsToTheLetter_LeadsNowhere(string method, string target)
    {
        var leases = new ScriptedLeases();
        foreach (var (pathBase, group) in new[] { ("", ""), ("/base", "/api") })
        {
            await using var host = await GatewayHost.StartAsync(leases, pathBase, group);
            await using var connection = await host.ConnectAsync();
            var path = target.StartsWith('/')
                ? pathBase + group + target
                : target.Replace("localhost", "localhost" + pathBase + group, StringComparison.Ordinal);
            var body = method == "GET" ? "" : Shapes.BodyWith("break", "", "");
            await connection.SendBodyAsync(method, path, body);
            Assert.Matches("^HTTP/1.1 4(00|04|05) ", await connection.ReadAsync());
            Assert.Empty(leases.Asked);
        }
    }

    [Theory]
    [InlineData("/base", "")]
    [InlineData("", "/api")]
    [InlineData("/base/of", "/api")]
    public async Task Get_WhenMappedBelowAPath_AsksForTheDecodedName(string pathBase, string group)
    {
        var leases = new ScriptedLeases();
        await using var host = await GatewayHost.StartAsync(leases, pathBase, group);
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(host, $"{pathBase}{group}/v1/leases/a%2Fb/%252F"), StringComparison.Ordinal);
        Assert.Equal(new GetLeaseRequest { Resource = "a/b/%2F" }, Assert.Single(leases.Asked));
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(host, $"{pathBase}{group}/v1/leases"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/nothing")]
    [InlineData("GET", "/dashboard")]
    [InlineData("GET", "/dashboard/")]
    [InlineData("GET", "/dashboard/index.html")]
    [InlineData("POST", "/v1/nothing")]
    [InlineData("GET", "/v1/locks/a")]
    public async Task Call_WhenPathIsUnknown_IsAProblem(string method, string path)
    {
        await using var host = await GatewayHost.StartAsync(new ScriptedLeases());
        (await host.SendAsync(new HttpMethod(method), path)).AssertInvalid("path", 404);
    }

    [Theory]
    [InlineData("POST", "/v1/leases/a", "GET")]
    [InlineData("DELETE", "/v1/leases/acquire", "GET, POST")]
    [InlineData("PUT", "/v1/leases", "GET")]
    [InlineData("POST", "/", "GET")]
    [InlineData("DELETE", "/dashboard/main.js", "GET")]
    [InlineData("POST", "/v1/history/a", "GET")]
    [InlineData("POST", "/v1/info", "GET")]
    [InlineData("POST", "/health/live", "GET")]
    [InlineData("DELETE", "/openapi/v1.json", "GET")]
    public async Task Call_WhenMethodIsWrong_IsAProblemThatTellsTheRightOnes(string method, string path, string allowed)
    {
        await using var host = await GatewayHost.StartAsync(new ScriptedLeases());
        var reply = await host.SendAsync(new HttpMethod(method), path);
        Assert.Contains(allowed, reply.AssertInvalid("method", 405), StringComparison.Ordinal);
        Assert.Equal(allowed, reply.Allow);
    }

    private static async Task<string> AskAsync(GatewayHost host, string target)
    {
        await using var connection = await host.ConnectAsync();
        await connection.SendGetAsync(target);
        return await connection.ReadAsync();
    }
}
