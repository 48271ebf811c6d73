using System.Net;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests.Mcp;

/// <summary>Several agents over HTTP, each with a key of its own.</summary>
public sealed class McpHttpTests(McpHttpWorld world) : IClassFixture<McpHttpWorld>
{
    [Fact]
    public async Task Agents_HaveTheRightsOfTheirKeys_AndTheirLeasesEndWithTheirSessions()
    {
        await using var bob = await world.ConnectAsync(world.KeyOf("bob"));
        await using (var ann = await world.ConnectAsync(world.KeyOf("ann")))
        {
            var held = await McpHttpWorld.CallAsync(ann, "acquire", "repo/main");
            var busy = await McpHttpWorld.CallAsync(bob, "acquire", "repo/main");
            var forbidden = await McpHttpWorld.CallAsync(ann, "acquire", "other");

            Assert.Equal(("held", "busy"), (held.Outcome, busy.Outcome));
            Assert.Matches("^ann/[^/]+$", held["lease"].GetProperty("owner").GetString()!);
            Assert.Equal(("forbidden", true), (forbidden.Outcome, forbidden.IsError));
            Assert.Contains("'hold' on 'other'", forbidden["detail"].GetString(), StringComparison.Ordinal);
        }

        Answer? next = null;
        await Eventually.TrueAsync(
            () => (next = McpHttpWorld.CallAsync(bob, "acquire", "repo/main").Result).Outcome == "held", () => $"{next}");
    }

    [Fact]
    public async Task Session_IsOfThePrincipalThatBeganIt()
    {
        var session = await world.BeginAsync(world.KeyOf("ann"));
        const string List = McpHttpWorld.List;

        using var own = await world.PostAsync(List, world.KeyOf("ann"), session);
        using var renewed = await world.PostAsync(List, world.KeyOf("ann-renewed"), session);
        using var others = await world.PostAsync(List, world.KeyOf("bob"), session);
        using var nobodys = await world.PostAsync(List, key: null, session);
        using var unknown = await world.PostAsync(List, "leases_0000000000000000_no", session);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (own.StatusCode, renewed.StatusCode));
        Assert.Equal(HttpStatusCode.Forbidden, others.StatusCode);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (nobodys.StatusCode, unknown.StatusCode));
    }

    [Theory]
    [InlineData("Host", "rebound.example.org")]
    [InlineData("Origin", "https://evil.example.org")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public async Task WebPage_OfAnotherOrigin_CannotCall(string header, string value)
    {
        using var refused = await world.PostAsync(McpHttpWorld.Initialize, world.KeyOf("ann"), header: (header, value));

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains(value, await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.False(refused.Headers.Contains("Mcp-Session-Id"));
    }
}
