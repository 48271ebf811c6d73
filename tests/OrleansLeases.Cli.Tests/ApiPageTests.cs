using System.Net;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>The page of the OpenAPI document, which a server has where it is there to be developed against.</summary>
[Collection(nameof(HostilePageTests))]
public sealed class ApiPageTests(ApiPageTests.World world) : IClassFixture<ApiPageTests.World>
{
    [Fact]
    public async Task Page_IsThereInDevelopmentAlone()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(world.Production, "/docs")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(world.Production, "/docs/")).Status);

        var page = await GetAsync(world.Development, "/docs");

        Assert.Equal(HttpStatusCode.OK, page.Status);
        // Neither a script of its own making nor anything of another host.
        Assert.Matches("default-src 'none'; script-src 'self' 'nonce-[A-Za-z0-9+/]{22}=='; ", page.Policy);
        Assert.DoesNotMatch("unsafe-eval|https?:|[*]", page.Policy);
        Assert.NotEqual(page.Policy, (await GetAsync(world.Development, "/docs")).Policy);
        Assert.Contains("Scalar.AspNetCore", await world.LoadedAsync(0), StringComparison.Ordinal);
        Assert.DoesNotContain("Scalar.AspNetCore", await world.LoadedAsync(1), StringComparison.Ordinal);
        // The dashboard's stays as it is.
        Assert.Equal((await GetAsync(world.Production, "/")).Policy, (await GetAsync(world.Development, "/")).Policy);
    }

    [ChromiumFact]
    public async Task Page_InABrowser_ShowsTheOperations_AndAsksNoOtherHost()
    {
        var (page, log) = await Chromium.LoadAsync($"{world.Development}/docs");

        Assert.Contains("Hands a lease to a new owner", page, StringComparison.Ordinal);
        // It is the server that it calls.
        Assert.Contains($">{world.Development}<", page, StringComparison.Ordinal);
        // What the policy refuses, and what fails, the browser says on its console.
        Assert.DoesNotMatch("Content Security Policy|Failed to load|Uncaught", log);
        Assert.Contains("@scalar/api-reference", log, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Status, string Policy)> GetAsync(string server, string path)
    {
        using var http = new HttpClient();
        using var response = await http.GetAsync(new Uri(server + path));
        return (
            response.StatusCode, response.Headers.TryGetValues("Content-Security-Policy", out var policies) ? policies.Single() : "");
    }

    /// <summary>A server of each kind.</summary>
    public sealed class World : IAsyncLifetime
    {
        private ServerProcess[] _servers = [];

        public string Development => _servers[0].Address;

        public string Production => _servers[1].Address;

        /// <summary>What a server has loaded.</summary>
        public Task<string> LoadedAsync(int server) => _servers[server].Tool.LoadedAsync();

        public async Task InitializeAsync() => _servers = await Task.WhenAll(
            ServerProcess.StartWithAsync([("ASPNETCORE_ENVIRONMENT", "Development")], "--memory"), ServerProcess.StartAsync("--memory"));

        public async Task DisposeAsync()
        {
            foreach (var server in _servers) await server.DisposeAsync();
        }
    }
}
