using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>How the dashboard is served. What it does in a browser is tested by OrleansLeases.Dashboard.Tests.</summary>
public sealed class DashboardTests
{
    private const string Prefix = "dashboard/";

    /// <summary>The paths of what the page loads.</summary>
    public static IReadOnlyList<string> Files { get; } =
    [
        .. from resource in typeof(LeaseGatewayExtensions).Assembly.GetManifestResourceNames()
           where resource.StartsWith(Prefix, StringComparison.Ordinal) && resource != $"{Prefix}index.html"
           select $"/{resource}",
    ];

    [Fact]
    public async Task File_OfThePage_IsServedWithItsTypeAndAStrictPolicy()
    {
        await using var host = await GatewayHost.StartAsync(new ScriptedLeases());
        Assert.True(Files.Count > 10);
        foreach (var file in Files.Append("/"))
        {
            using var response = await host.Client.GetAsync(file);
            var type = Path.GetExtension(file) switch
            {
                ".js" => "text/javascript", ".css" => "text/css", ".svg" => "image/svg+xml", _ => "text/html",
            };
            Assert.Equal((HttpStatusCode.OK, type), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
            Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("no-referrer", Assert.Single(response.Headers.GetValues("Referrer-Policy")));
            var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
            foreach (var directive in new[] { "default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'" })
                Assert.Contains(directive, policy.Split("; "));
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            // Nothing is loaded from elsewhere; names of XML are no addresses.
            var text = await response.Content.ReadAsStringAsync();
            var addresses = text.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
            Assert.DoesNotContain("://", addresses, StringComparison.Ordinal);
            Assert.DoesNotContain("innerHTML", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task File_WhenItIsKnown_IsNotSentAgain()
    {
        await using var host = await GatewayHost.StartAsync(new ScriptedLeases());
        foreach (var file in Files.Append("/"))
        {
            using var first = await host.Client.GetAsync(file);
            using var request = new HttpRequestMessage(HttpMethod.Get, file);
            request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
            using var second = await host.Client.SendAsync(request);
            Assert.Equal((HttpStatusCode.NotModified, ""), (second.StatusCode, await second.Content.ReadAsStringAsync()));
        }
    }

    [Theory]
    [InlineData("", "/leases", "/leases", "leases/")]
    [InlineData("/base", "", "/base", "base/")]
    [InlineData("/base", "/leases", "/base/leases", "leases/")]
    public async Task Page_BelowAPrefix_IsAtItsSlash(string pathBase, string group, string path, string location)
    {
        await using var host = await GatewayHost.StartAsync(new ScriptedLeases(), pathBase, group);
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var http = new HttpClient(handler) { BaseAddress = host.Address };

        using var redirect = await http.GetAsync(path);
        Assert.Equal(
            (HttpStatusCode.TemporaryRedirect, location), (redirect.StatusCode, redirect.Headers.Location?.OriginalString));
        Assert.Contains("<title>", await http.GetStringAsync($"{path}/"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync($"{path}/dashboard/main.js")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync($"{path}/v1/info/")).StatusCode);
    }

    [Fact]
    public async Task MapLeases_InAnApplication_LeavesItsPageAlone()
    {
        await using var host = await HostApplication.StartAsync(
            new ScriptedLeases(),
            services => services.AddLeaseGateway(),
            app =>
            {
                app.MapGet("/", () => "theirs");
                app.MapLeases();
                app.MapGroup("/leases").MapLeases().MapLeaseDashboard();
            });

        Assert.Equal("theirs", await host.Client.GetStringAsync("/"));
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.GetAsync("/dashboard/main.js")).StatusCode);
        Assert.Contains("<title>", await host.Client.GetStringAsync("/leases"), StringComparison.Ordinal);
        Assert.Contains("scripted", await host.Client.GetStringAsync("/leases/v1/info"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/", "document", true)]
    [InlineData("/", "iframe", false)]
    [InlineData("/", "script", false)]
    [InlineData("/", "empty", false)]
    [InlineData("/dashboard/main.js", "document", false)]
    [InlineData("/v1/leases/a", "document", false)]
    [InlineData("/openapi/v1.json", "document", false)]
    public async Task LinkOnAnotherSite_LeadsToThePageAndNothingElse(string path, string destination, bool isTaken)
    {
        await using var host = await GatewayHost.StartAsync(new ScriptedLeases());
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Sec-Fetch-Site", "cross-site");
        request.Headers.Add("Sec-Fetch-Mode", "navigate");
        request.Headers.Add("Sec-Fetch-Dest", destination);
        using var response = await host.Client.SendAsync(request);
        Assert.Equal(isTaken ? HttpStatusCode.OK : HttpStatusCode.Forbidden, response.StatusCode);

        using var rebound = new HttpRequestMessage(HttpMethod.Get, path);
        rebound.Headers.Host = "evil.example";
        rebound.Headers.Add("Sec-Fetch-Site", "cross-site");
        rebound.Headers.Add("Sec-Fetch-Dest", destination);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.Client.SendAsync(rebound)).StatusCode);
    }
}
