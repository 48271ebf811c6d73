using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>What was true a moment ago is nobody's to tell: no cache between keeps an answer, and no proxy keeps back an event.</summary>
public sealed class CachingTests
{
    [Theory]
    [MemberData(nameof(CallerTests.Routes), MemberType = typeof(CallerTests))]
    public async Task Answer_OfAnyRoute_IsNotToBeStored(string method, string path)
    {
        await using var host = await GatewayHost.StartAsync(new ScriptedLeases());
        foreach (var origin in new[] { null, "http://evil.example" })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            if (origin is not null) request.Headers.Add("Origin", origin);
            using var response = await host.Client.SendAsync(request);
            var isValidated = origin is null && path is "/openapi/v1.json" or "/" or "/dashboard/main.js";
            var expected = isValidated ? "no-cache" : "no-store";
            Assert.Equal(expected, response.Headers.CacheControl?.ToString());
        }
    }

    [Fact]
    public async Task Answer_WhereTheHostCachesAllOutput_IsNotCached()
    {
        var leases = new ScriptedLeases();
        await using var host = await GatewayHost.StartAsync(
            leases,
            services: services => services.AddOutputCache(cache => cache.AddBasePolicy(policy => policy.Expire(TimeSpan.FromHours(1)))),
            app: app =>
            {
                app.UseOutputCache();
                var made = 0;
                app.MapGet("/theirs", () => ++made);
            });
        foreach (var path in new[] { "/v1/leases/a", "/v1/leases", "/v1/history/a", "/v1/keys", "/v1/keys/a" })
        {
            leases.Asked.Clear();
            await host.GetAsync(path);
            await host.GetAsync(path);
            Assert.True(leases.Asked.Count == 2, path);
        }

        Assert.Equal(await host.Client.GetStringAsync("/theirs"), await host.Client.GetStringAsync("/theirs"));
    }

    [Fact]
    public async Task Watch_WhenOpened_TellsProxiesToKeepNothingBack()
    {
        await using var leases = Embedded.EmbeddedLeases.InMemory();
        await using var host = await GatewayHost.StartAsync(leases);
        using var response = await host.Client.GetAsync("/v1/watch?resource=a", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("no", Assert.Single(response.Headers.GetValues("X-Accel-Buffering")));
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
    }

    [Theory]
    [InlineData("", "", "..")]
    [InlineData("/base", "", "..")]
    [InlineData("/base", "/api/leases", "..")]
    public async Task Document_WhenAskedForAgain_IsServedFromMemoryWhoeverAsks(string pathBase, string group, string server)
    {
        await using var host = await GatewayHost.StartAsync(new ScriptedLeases(), pathBase, group);
        var path = $"{pathBase}{group}/openapi/v1.json";
        using var first = await host.Client.GetAsync(path);
        var document = await first.Content.ReadAsStringAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = "localhost:1";
        using var second = await host.Client.SendAsync(request);
        Assert.Equal(document, await second.Content.ReadAsStringAsync());
        Assert.Equal(
            server, System.Text.Json.JsonDocument.Parse(document).RootElement.GetProperty("servers")[0].GetProperty("url").GetString());

        using var again = new HttpRequestMessage(HttpMethod.Get, path);
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var third = await host.Client.SendAsync(again);
        Assert.Equal((HttpStatusCode.NotModified, ""), (third.StatusCode, await third.Content.ReadAsStringAsync()));
    }
}
