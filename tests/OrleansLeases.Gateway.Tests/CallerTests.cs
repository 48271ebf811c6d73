using System.Text;
using Microsoft.AspNetCore.Builder;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>What a web page can send from its reader's machine, as Chromium sends it, and the names that a server goes by.</summary>
public sealed class CallerTests : IAsyncLifetime
{
    private readonly ScriptedLeases _leases = new();
    private GatewayHost _host = null!;

    /// <summary>Every route of the gateway, and one that is none.</summary>
    public static TheoryData<string, string> Routes => new()
    {
        { "POST", "/v1/leases/acquire" },
        { "POST", "/v1/leases/renew" },
        { "POST", "/v1/leases/renew-batch" },
        { "POST", "/v1/leases/release" },
        { "POST", "/v1/leases/transfer" },
        { "POST", "/v1/leases/break" },
        { "POST", "/v1/batch" },
        { "PUT", "/v1/keys/a" },
        { "POST", "/v1/counters/a" },
        { "DELETE", "/v1/keys/a" },
        { "DELETE", "/v1/proof-keys" },
        { "GET", "/v1/keys/a" },
        { "GET", "/v1/keys" },
        { "GET", "/v1/leases/a" },
        { "GET", "/v1/leases" },
        { "GET", "/v1/history/a" },
        { "GET", "/v1/watch?resource=a" },
        { "GET", "/v1/info" },
        { "GET", "/health/live" },
        { "GET", "/health/ready" },
        { "GET", "/openapi/v1.json" },
        { "GET", "/" },
        { "GET", "/dashboard/main.js" },
        { "OPTIONS", "/v1/leases/acquire" },
        { "HEAD", "/v1/info" },
        { "GET", "/nothing" },
    };

    public static TheoryData<string, string> TakingBodies
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var row in Routes)
                if ((string)row[0] is "POST" or "PUT") data.Add((string)row[0], (string)row[1]);
            return data;
        }
    }

    public async Task InitializeAsync() => _host = await GatewayHost.StartAsync(_leases);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    // fetch with a string, with bytes, with a form; sendBeacon with a blob; a form of plain text.
    [Theory]
    [MemberData(nameof(TakingBodies))]
    public async Task Change_WhenBodyIsNotCalledJson_IsRefused(string method, string path)
    {
        const string Everything =
            """{"resource":"a","owner":"o","ttlMs":1000,"token":1,"graceMs":0,"reason":"r","value":"v","delta":1}""";
        foreach (var type in new[]
        {
            null, "", "text/plain;charset=UTF-8", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a",
            "text/plain; application/json",
        })
        {
            foreach (var body in new[] { "{}", "", Everything })
            {
                var reply = Reply.Parse(await AskAsync(_host, method, path, type is null ? "" : $"Content-Type: {type}\r\n", body));
                Assert.Contains("Content-Type: application/json", reply.AssertInvalid("contentType", 415), StringComparison.Ordinal);
            }
        }

        Assert.Empty(_leases.Asked);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Call_WhenAPageOfAnotherOriginMakesIt_IsForbidden(string method, string path)
    {
        var port = _host.Address.Port;
        foreach (var headers in new[]
        {
            "Origin: http://evil.example\r\n", "Origin: null\r\n", "Origin: https://localhost\r\n",
            $"Origin: http://localhost:{port + 1}\r\n",
            $"Origin: http://localhost:{port}\r\nOrigin: http://evil.example\r\n", "Origin:\r\n",
            "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n",
            $"Sec-Fetch-Site: cross-site\r\nOrigin: http://localhost:{port}\r\n",
            "Sec-Fetch-Site: same-site\r\nOrigin: http://localhost:1\r\n", "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n",
        })
            AssertForbidden(await AskAsync(_host, method, path, "Content-Type: application/json\r\n" + headers));
        Assert.Empty(_leases.Asked);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site: same-origin\r\n")]
    [InlineData("Sec-Fetch-Site: none\r\n")]
    [InlineData("Sec-Fetch-Site: same-origin\r\nOrigin: https://proxy.example\r\n")]
    [InlineData("Origin: http://{host}\r\n")]
    [InlineData("Origin: https://app.example\r\n")]
    [InlineData("Sec-Fetch-Site: cross-site\r\nOrigin: https://app.example\r\n")]
    public async Task Call_WhenAPageOfItsOwnOrAnAllowedOriginMakesIt_IsTaken(string headers)
    {
        await using var host = await GatewayHost.StartAsync(_leases, options: gateway => gateway.AllowedOrigins.Add("https://app.example"));
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(host, "GET", "/v1/leases/a", headers), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Call_WhenTheNameIsNotTheServers_IsForbidden(string method, string path)
    {
        foreach (var name in new[]
        {
            "evil.example", $"evil.example:{_host.Address.Port}", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1",
            "localhost.", "[2001:db8::1]",
        })
            AssertForbidden(await AskAsync(_host, method, path, "Content-Type: application/json\r\n", name: name));
        Assert.Empty(_leases.Asked);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:7400")]
    [InlineData("127.0.0.1")]
    [InlineData("127.8.9.1:1")]
    [InlineData("[::1]:7400")]
    [InlineData("leases.example:7400")]
    [InlineData("a.inner.example")]
    [InlineData("")]
    public async Task Call_WhenTheNameIsTheServersOrAllowed_IsTaken(string name)
    {
        await using var host = await GatewayHost.StartAsync(_leases, options: Allow("leases.example", "*.inner.example"));
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(host, "GET", "/v1/leases/a", name: name), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_WhenOthersReachTheServer_IsTakenByAnyNameUnlessSomeAreAllowed()
    {
        await using var open = await GatewayHost.StartAsync(_leases, url: "http://0.0.0.0:0");
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(open, "GET", "/v1/leases/a", name: "any.example"), StringComparison.Ordinal);
        await using var named = await GatewayHost.StartAsync(_leases, url: "http://0.0.0.0:0", options: Allow("leases.example"));
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(named, "GET", "/v1/leases/a", name: "leases.example"), StringComparison.Ordinal);
        AssertForbidden(await AskAsync(named, "GET", "/v1/leases/a", name: "any.example"));
        await using var any = await GatewayHost.StartAsync(_leases, options: Allow("*"));
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(any, "GET", "/v1/leases/a", name: "any.example"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("leases.example:7400")]
    [InlineData("http://leases.example")]
    [InlineData("a b")]
    [InlineData("*.*.example")]
    [InlineData("")]
    public async Task MapLeases_WhenAnAllowedNameIsNone_SaysWhich(string name)
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => GatewayHost.StartAsync(_leases, options: Allow(name)));
        Assert.Contains($"AllowedHosts has '{name}'; it takes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("app.example")]
    [InlineData("https://app.example/path")]
    [InlineData("*")]
    public async Task MapLeases_WhenAnAllowedOriginIsNone_SaysWhich(string origin)
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(
            () => GatewayHost.StartAsync(_leases, options: gateway => gateway.AllowedOrigins.Add(origin)));
        Assert.Contains($"AllowedOrigins has '{origin}'; it takes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_ToAnotherEndpointOfTheApplication_IsNotOurs()
    {
        await using var host = await GatewayHost.StartAsync(_leases, app: app => app.MapPost("/theirs", () => "theirs"));
        var reply = await AskAsync(
            host, "POST", "/theirs", "Content-Type: text/plain\r\nOrigin: http://other.example\r\n", "a", "other.example");
        Assert.StartsWith("HTTP/1.1 200", reply, StringComparison.Ordinal);
        Assert.DoesNotContain("Cache-Control", reply, StringComparison.Ordinal);
    }

    private static Action<LeaseGatewayOptions> Allow(params string[] names) => gateway =>
    {
        foreach (var name in names) gateway.AllowedHosts.Add(name);
    };

    private static void AssertForbidden(string reply)
    {
        Assert.StartsWith("HTTP/1.1 403", reply, StringComparison.Ordinal);
        Assert.DoesNotContain("Access-Control", reply, StringComparison.OrdinalIgnoreCase);
        // The answer to a HEAD ends there.
        if (!reply.EndsWith("\r\n\r\n", StringComparison.Ordinal)) Assert.Equal("urn:orleans-leases:forbidden", Reply.Parse(reply).Type);
    }

    private static async Task<string> AskAsync(
        GatewayHost host, string method, string path, string headers = "", string body = "", string name = "localhost")
    {
        await using var connection = await host.ConnectAsync();
        // The server asks that the name and the port of an origin's own be those that it was called by.
        if (headers.Contains("localhost:", StringComparison.Ordinal) && name == "localhost") name = $"localhost:{host.Address.Port}";
        headers = headers.Replace("{host}", name, StringComparison.Ordinal);
        var length = body.Length > 0 || method is "POST" or "PUT" ? $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n" : "";
        await connection.SendAsync($"{method} {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n{length}{headers}\r\n{body}");
        return await connection.ReadAsync();
    }
}
