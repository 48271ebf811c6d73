using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

public sealed class ChangeTests : IAsyncLifetime
{
    private readonly ScriptedLeases _leases = new();
    private GatewayHost _host = null!;

    public async Task InitializeAsync() => _host = await GatewayHost.StartAsync(_leases);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Acquire_WhenEveryFieldIsGiven_AsksForAllOfIt()
    {
        var reply = await _host.PostAsync("/v1/leases/acquire", """
            {"resource":"a/\u00e9\ud83d\udd12","owner":"o","ttlMs":30000,"mode":"shared","capacity":3,"waitMs":5,"lockDelayMs":6,
            "holdAtLeastMs":7,"metadata":{"k":"v","":"w","\u0041":"x"},"requestId":"id"}
            """);
        var asked = Assert.IsType<AcquireRequest>(Assert.Single(_leases.Asked));
        Assert.Equal([("", "w"), ("A", "x"), ("k", "v")], asked.Metadata!.Select(entry => (entry.Key, entry.Value)).Order());
        Assert.Equal(
            new AcquireRequest
            {
                Resource = "a/é🔒",
                Owner = "o",
                Ttl = TimeSpan.FromSeconds(30),
                Mode = LeaseMode.Shared,
                Capacity = 3,
                Wait = TimeSpan.FromMilliseconds(5),
                LockDelay = TimeSpan.FromMilliseconds(6),
                HoldAtLeast = TimeSpan.FromMilliseconds(7),
                RequestId = "id",
            },
            asked with { Metadata = null });
        Assert.Equal((200, "application/json"), (reply.Status, reply.ContentType));
        Assert.Equal(
            """{"resource":"a/\u00E9\uD83D\uDD12","owner":"o","token":7,"mode":"shared","ttlMs":30000,"remainingMs":30000"""
            + ""","elapsedMs":1,"renewAfterMs":10000,"requestId":"id","replayed":false}""",
            reply.Body.GetRawText());
    }

    [Fact]
    public async Task Acquire_WhenLittleIsGiven_AsksForTheDefaults()
    {
        await _host.PostAsync("/v1/leases/acquire", """{"resource":"a","owner":"o","ttlMs":-1}""");
        Assert.Equal(new AcquireRequest { Resource = "a", Owner = "o", Ttl = TimeSpan.FromMilliseconds(-1) }, Assert.Single(_leases.Asked));
    }

    [Fact]
    public async Task Renew_WhenEveryFieldIsGiven_AsksForAllOfIt()
    {
        var reply = await _host.PostAsync("/v1/leases/renew", """{"resource":"a","owner":"o","token":9007199254740991,"ttlMs":100}""");
        Assert.Equal(
            new RenewRequest { Resource = "a", Owner = "o", Token = 9007199254740991, Ttl = TimeSpan.FromMilliseconds(100) },
            Assert.Single(_leases.Asked));
        Assert.Equal(
            """{"resource":"a","token":9007199254740991,"ttlMs":100,"remainingMs":100,"elapsedMs":0,"renewAfterMs":10000}""",
            reply.Body.GetRawText());
    }

    [Fact]
    public async Task RenewBatch_WhenOneIsRefused_AnswersEachInOrder()
    {
        _leases.OnRenew = request => request.Token == 2
            ? new Refusal.NotHolder(NotHolderReason.NeverHeld, 1, "Never.")
            : new LeaseRenewal
            {
                Resource = request.Resource,
                Token = request.Token,
                Ttl = TimeSpan.FromSeconds(1),
                Remaining = TimeSpan.FromSeconds(1),
                Elapsed = TimeSpan.Zero,
                RenewAfter = TimeSpan.Zero,
                Breaking = new BreakNotice { EndsIn = TimeSpan.FromSeconds(2), Reason = "why" },
            };
        var reply = await _host.PostAsync("/v1/leases/renew-batch", """
            {"leases":[{"resource":"a","owner":"o","token":1,"ttlMs":100},{"resource":"b","owner":"p","token":2}]}
            """);
        var asked = Assert.IsType<RenewBatchRequest>(Assert.Single(_leases.Asked));
        Assert.Equal(
            [
                new RenewRequest { Resource = "a", Owner = "o", Token = 1, Ttl = TimeSpan.FromMilliseconds(100) },
                new RenewRequest { Resource = "b", Owner = "p", Token = 2 },
            ],
            asked.Leases);
        Assert.Equal(200, reply.Status);
        Assert.Equal(
            """{"elapsedMs":0,"results":[{"resource":"a","token":1,"ttlMs":1000,"remainingMs":1000,"elapsedMs":0,"renewAfterMs":0"""
            + ""","breaking":{"endsInMs":2000,"reason":"why"}}"""
            + """,{"type":"urn:orleans-leases:not-holder","title":"Not the holder","status":409"""
            + ""","detail":"Never.","reason":"never-held","lastToken":1}]}""",
            reply.Body.GetRawText());
    }

    [Fact]
    public async Task Release_WhenAsked_IsAskedFor()
    {
        var reply = await _host.PostAsync("/v1/leases/release", """{"resource":"a","owner":"o","token":1}""");
        Assert.Equal(new ReleaseRequest { Resource = "a", Owner = "o", Token = 1 }, Assert.Single(_leases.Asked));
        Assert.Equal("""{"resource":"a","token":1,"replayed":false}""", reply.Body.GetRawText());
    }

    [Fact]
    public async Task Transfer_WhenEveryFieldIsGiven_AsksForAllOfIt()
    {
        var reply = await _host.PostAsync(
            "/v1/leases/transfer", """{"resource":"a","owner":"o","token":1,"newOwner":"p","ttlMs":100,"requestId":"id"}""");
        Assert.Equal(
            new TransferRequest
            {
                Resource = "a", Owner = "o", Token = 1, NewOwner = "p", Ttl = TimeSpan.FromMilliseconds(100), RequestId = "id",
            },
            Assert.Single(_leases.Asked));
        Assert.Equal(("p", 2), (reply.Body.GetProperty("owner").GetString(), reply.Body.GetProperty("token").GetInt32()));
    }

    [Fact]
    public async Task Break_WhenEveryFieldIsGiven_AsksForAllOfIt()
    {
        var reply = await _host.PostAsync(
            "/v1/leases/break", """{"resource":"a","token":1,"graceMs":100,"force":true,"reason":"why","requestId":"id"}""");
        Assert.Equal(
            new BreakRequest
            {
                Resource = "a", Token = 1, Grace = TimeSpan.FromMilliseconds(100), Force = true, Reason = "why", RequestId = "id",
            },
            Assert.Single(_leases.Asked));
        Assert.Equal("""{"resource":"a","token":1,"endsInMs":100}""", reply.Body.GetRawText());
    }

    [Theory]
    [InlineData("acquire")]
    [InlineData("transfer")]
    [InlineData("break")]
    public async Task IdempotencyKey_WhenGiven_IsTheRequestId(string endpoint)
    {
        var without = Shapes.BodyWith(endpoint, "", "");
        var same = Shapes.BodyWith(endpoint, "requestId", "\"id\"");
        Assert.Equal("id", await AskedIdAsync(endpoint, without, "id"));
        Assert.Equal("id", await AskedIdAsync(endpoint, same, "id"));
        Assert.Null(await AskedIdAsync(endpoint, without));

        foreach (var keys in new[] { ["other"], ["id", "id"], ["\u00e9"], ["ID"], [""], new[] { "a\tb" } })
            Assert.Contains(
                "Idempotency-Key", (await SendAsync(endpoint, same, keys)).AssertInvalid("requestId"), StringComparison.Ordinal);
        Assert.Empty(_leases.Asked);
    }

    [Fact]
    public async Task IdempotencyKey_WhenBytesAreNotUtf8_IsABadRequest()
    {
        await using var connection = await _host.ConnectAsync();
        await connection.SendPostAsync("/v1/leases/acquire", Shapes.BodyWith("acquire", "", ""), "Idempotency-Key: a\u00ff\r\n");
        Assert.StartsWith("HTTP/1.1 400", await connection.ReadAsync(), StringComparison.Ordinal);
        Assert.Empty(_leases.Asked);
    }

    [Theory]
    [InlineData("renew")]
    [InlineData("renew-batch")]
    [InlineData("release")]
    public async Task IdempotencyKey_WhenCallIsIdempotentByItsToken_IsLeftAlone(string endpoint) =>
        Assert.Equal(200, (await SendAsync(endpoint, Shapes.BodyWith(endpoint, "", ""), "id")).Status);

    private async Task<string?> AskedIdAsync(string endpoint, string body, params string[] keys)
    {
        Assert.Equal(200, (await SendAsync(endpoint, body, keys)).Status);
        Assert.True(_leases.Asked.TryDequeue(out var asked));
        return asked switch
        {
            AcquireRequest acquire => acquire.RequestId,
            TransferRequest transfer => transfer.RequestId,
            _ => Assert.IsType<BreakRequest>(asked).RequestId,
        };
    }

    // Raw, because no client would send two of these headers, or one that is not ASCII.
    private async Task<Reply> SendAsync(string endpoint, string body, params string[] keys)
    {
        await using var connection = await _host.ConnectAsync();
        var headers = string.Concat(keys.Select(key => $"Idempotency-Key: {key}\r\n"));
        await connection.SendPostAsync($"/v1/leases/{endpoint}", body, headers.Replace("\u00e9", "\u00c3\u00a9", StringComparison.Ordinal));
        return Reply.Parse(await connection.ReadAsync());
    }
}
