using System.Net;
using System.Text.Json;
using OrleansLeases.Cli.Mcp;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cli.Tests.Mcp;

/// <summary>Whose a session is, how many there are, and what ends with it.</summary>
public sealed class McpSessionTests(McpHttpWorld world) : IClassFixture<McpHttpWorld>
{
    [Fact]
    public async Task Session_BeyondTheBound_DoesNotBegin_AndEndsNobodys()
    {
        var (key, anns) = (world.KeyOf("crowd"), await world.BeginAsync(world.KeyOf("ann")));
        using var stream = await world.SendAsync(HttpMethod.Get, world.KeyOf("ann"), anns);
        // What begins no session takes no place.
        for (var i = 0; i < 3; i++)
        {
            using var none = await world.PostAsync("{", key);
            using var other = await world.PostAsync(McpHttpWorld.List, key);
            Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (none.StatusCode, other.StatusCode));
        }

        var sessions = await Task.WhenAll(Enumerable.Range(0, SessionRoom.MostOfOne).Select(_ => world.BeginAsync(key)));
        using var refused = await world.PostAsync(McpHttpWorld.Initialize, key);
        using var first = await world.PostAsync(McpHttpWorld.List, key, sessions[0]);
        using var ann = await world.PostAsync(McpHttpWorld.List, world.KeyOf("ann"), anns);
        await world.BeginAsync(world.KeyOf("bob"));

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        var problem = JsonDocument.Parse(await refused.Content.ReadAsStringAsync()).RootElement;
        Assert.StartsWith("'crowd' has 100 sessions, the most", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first.StatusCode, ann.StatusCode));

        using var ended = await world.SendAsync(HttpMethod.Delete, key, sessions[1]);
        await world.BeginAsync(key);

        // Those without a connection end by themselves.
        await Eventually.TrueAsync(
            () => world.PostAsync(McpHttpWorld.Initialize, key).Result.IsSuccessStatusCode, () => "No place was given back.");
    }

    [Fact]
    public async Task Key_ThatIsRevoked_NeitherUsesNorEndsASession_ThatGoesOnWithAnother()
    {
        var (old, renewed) = (await world.MakeKeyAsync("cat"), await world.MakeKeyAsync("cat"));
        var session = await world.BeginAsync(old);
        Assert.Equal("held", await world.OutcomeAsync(renewed, session, "acquire", """{"resource":"repo/cat"}"""));
        using var before = await world.PostAsync(McpHttpWorld.List, old, session);
        await world.RevokeAsync(old);

        using var listed = await world.PostAsync(McpHttpWorld.List, old, session);
        using var ended = await world.SendAsync(HttpMethod.Delete, old, session);
        using var begun = await world.PostAsync(McpHttpWorld.Initialize, old);

        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        Assert.All([listed, ended, begun], call => Assert.Equal(HttpStatusCode.Unauthorized, call.StatusCode));
        Assert.Equal("released", await world.OutcomeAsync(renewed, session, "release", """{"resource":"repo/cat"}"""));
    }

    [Fact]
    public async Task Stream_OfAKeyThatIsRevoked_Ends()
    {
        var key = await world.MakeKeyAsync("eve");
        var session = await world.BeginAsync(key);
        using var stream = await world.SendAsync(HttpMethod.Get, key, session);
        Assert.Equal(HttpStatusCode.OK, stream.StatusCode);

        await world.RevokeAsync(key);

        await Assert.ThrowsAnyAsync<IOException>(
            async () => await (await stream.Content.ReadAsStreamAsync()).ReadAsync(new byte[1]).AsTask().WaitAsync(Eventually.Limit));
    }

    [Fact]
    public void Credential_ThatWasJudgedEarlier_ReplacesNoLaterOne()
    {
        var credential = new AgentCredential("ann", "first");
        var before = credential.Current;
        credential.Renew(credential.Current, "renewed");

        credential.Renew(before, "old");

        Assert.Equal("renewed", credential.Current);
        Assert.True(credential.Is("renewed"));
        Assert.False(credential.Is("first"));
        Assert.False(credential.Is(null));
    }

    [Fact]
    public void Room_IsOfAllPrincipalsTogether_AndAPlaceIsGivenBackOnce()
    {
        var room = new SessionRoom();
        var places = Enumerable.Range(0, SessionRoom.MostInAll)
            .Select(i => room.TryTake(i < 500 ? Callers.Anonymous : $"p{i}", out _)!).ToList();

        Assert.Null(room.TryTake("another", out var full));
        Assert.Contains("1,000 sessions", full!.Detail, StringComparison.Ordinal);
        places[0].Dispose();
        places[0].Dispose();
        Assert.NotNull(room.TryTake("another", out _));
        Assert.Null(room.TryTake("another", out _));
    }

    // The protocol tells a tool nothing of it.
    [Fact]
    public async Task Call_WhoseCallerIsGone_Ends()
    {
        const string Watch = """{"prefix":"repo/","max_wait_seconds":600}""";
        const string Short = """{"prefix":"repo/","max_wait_seconds":1}""";
        var key = world.KeyOf("dan");
        var session = await world.BeginAsync(key);
        var outcome = "";
        bool Is(string expected) => (outcome = world.OutcomeAsync(key, session, "watch", Short).Result) == expected;
        using (var watches = await world.CallAsync(key, session, "watch", Watch))
        {
            using var reader = new StreamReader(await watches.Content.ReadAsStreamAsync());
            while (await reader.ReadLineAsync() is { } line && !line.Contains("nothing has changed yet", StringComparison.Ordinal))
            {
            }

            Assert.True(Is("limit-reached"), outcome);
        }

        await Eventually.TrueAsync(() => Is("nothing"), () => $"It goes on: {outcome}");
    }

    [Fact]
    public async Task Server_ThatIsToldToEnd_ReleasesAllLeases_ThoughCallsAreUnderWay()
    {
        var (mcp, endpoint) = await McpHttpWorld.StartAsync(world.KeyOf("bob"), world.Server);
        await using var stopped = mcp;
        var (ann, bob) = (world.KeyOf("ann"), world.KeyOf("bob"));
        var (anns, bobs) = (await world.BeginAsync(ann, endpoint), await world.BeginAsync(bob, endpoint));
        Assert.Equal("held", await world.OutcomeAsync(ann, anns, "acquire", """{"resource":"repo/stop"}""", endpoint));
        using var waits = await world.CallAsync(
            bob, bobs, "wait_for", """{"resource":"repo/stop","max_wait_seconds":600}""", endpoint);

        Signals.Send(mcp.Id, Signals.Terminate);
        var result = await mcp.ResultAsync();

        Assert.Equal(0, result.Code);
        var shown = await Tool.RunAsync(world.Server, [("LEASES_TOKEN", ann)], "get", "repo/stop", "--json");
        Assert.Equal("free", JsonDocument.Parse(shown.Out).RootElement.GetProperty("state").GetString());
    }
}
