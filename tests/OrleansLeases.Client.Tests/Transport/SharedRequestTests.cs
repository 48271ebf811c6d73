using System.Globalization;
using System.Net;
using System.Text.Json;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests;

/// <summary>Calls that come while several requests are under way go together in the next, and each is a call as if alone.</summary>
public sealed class SharedRequestTests
{
    private const int MostUnderWay = 4;

    private static readonly TimeSpan LongestGathering = TimeSpan.FromMilliseconds(20);

    private readonly ManualTimeProvider _time = new();
    private readonly RequestLog _server = new();

    [Fact]
    public async Task Call_WithFewUnderWay_GoesAtOnceByItself()
    {
        var service = _server.Service(_time);

        var first = service.AcquireAsync(Acquire("a")).AsTask();
        var second = service.GetKeyAsync("b").AsTask();

        Assert.Equal(["/v1/leases/acquire", "/v1/keys/b"], _server.Requests.Select(request => request.Path));
        _server.Requests[0].Answer(Grant("a"));
        _server.Requests[1].Answer("""{"key":"b","value":"x","version":1}""");
        Assert.Equal(7, (await first).Value.Token);
        Assert.Equal("x", (await second).Value.Value);
    }

    [Fact]
    public async Task Calls_WithManyUnderWay_GoTogetherInTheNextRequest()
    {
        var service = _server.Service(_time);
        Occupy(service);

        var acquire = service.AcquireAsync(Acquire("a")).AsTask();
        var release = service.ReleaseAsync(new() { Resource = "b", Owner = "ann", Token = 7 }).AsTask();
        var put = service.PutKeyAsync("c", new() { Value = "x", RequestId = "p" }).AsTask();
        var get = service.GetAsync(new() { Resource = "d", Consistent = true }).AsTask();
        var delete = service.DeleteKeyAsync("e", 3).AsTask();
        var missing = service.GetKeyAsync("f").AsTask();
        var add = service.AddToCounterAsync("g", new() { Delta = -1, RequestId = "g" }).AsTask();
        var transfer = service.TransferAsync(
            new() { Resource = "h", Owner = "ann", Token = 7, NewOwner = "bob", RequestId = "h" }).AsTask();
        var broken = service.BreakAsync(new() { Resource = "i", Grace = TimeSpan.Zero, Reason = "r", RequestId = "i" }).AsTask();
        Assert.Equal(9, service.Gathered);
        AnswerOccupied(0);

        var batch = await _server.CountAsync(MostUnderWay + 1);
        Assert.Equal("/v1/batch", batch.Path);
        string[] operations =
        [
            """{"op":"acquire","resource":"a","owner":"ann","ttlMs":30000,"mode":"exclusive","lockDelayMs":0,"requestId":"a"}""",
            """{"op":"release","resource":"b","owner":"ann","token":7}""",
            """{"op":"key-put","key":"c","value":"x","requestId":"p"}""",
            """{"op":"get","resource":"d","consistent":true}""",
            """{"op":"key-delete","key":"e","ifVersion":3}""",
            """{"op":"key-get","key":"f"}""",
            """{"op":"counter-add","key":"g","delta":-1,"requestId":"g"}""",
            """{"op":"transfer","resource":"h","owner":"ann","token":7,"newOwner":"bob","requestId":"h"}""",
            """{"op":"break","resource":"i","graceMs":0,"force":false,"reason":"r","requestId":"i"}""",
        ];
        Assert.Equal($$"""{"operations":[{{string.Join(',', operations)}}]}""", batch.Body);
        batch.AnswerEach(
            (200, Grant("a")),
            (200, """{"resource":"b","token":7,"replayed":false}"""),
            (200, """{"key":"c","version":4}"""),
            (200, """{"resource":"d","state":"free","holders":[],"lastToken":0,"waiters":0,"sequence":0}"""),
            (200, """{"key":"e","existed":true}"""),
            (404, """{"type":"urn:orleans-leases:not-found","title":"No such key","status":404,"detail":"none"}"""),
            (200, """{"key":"g","value":2,"version":1,"replayed":false}"""),
            (200, Grant("h", owner: "bob")),
            (200, """{"resource":"i","token":7,"endsInMs":0}"""));
        Assert.Equal("a", (await acquire).Value.Resource);
        Assert.Equal(7, (await release).Value.Token);
        Assert.Equal(4, (await put).Value.Version);
        Assert.Equal(LeaseStatus.Free, (await get).Value.State);
        Assert.True((await delete).Value.Existed);
        Assert.IsType<Refusal.NotFound>((await missing).Refusal);
        Assert.Equal(2, (await add).Value.Value);
        Assert.Equal("bob", (await transfer).Value.Owner);
        Assert.Equal(7, (await broken).Value.Token);
    }

    [Fact]
    public async Task Call_ThatGathersWithNoOther_GoesByItself()
    {
        var service = _server.Service(_time);
        Occupy(service);

        var call = service.GetKeyAsync("b").AsTask();
        AnswerOccupied(0);

        var request = await _server.CountAsync(MostUnderWay + 1);
        Assert.Equal("/v1/keys/b", request.Path);
        request.Answer("""{"key":"b","value":"x","version":1}""");
        Assert.Equal("x", (await call).Value.Value);
    }

    [Fact]
    public async Task Calls_BehindRequestsThatTakeLong_GoAllTheSame()
    {
        var service = _server.Service(_time);
        Occupy(service);

        var calls = GetKeys(service, "a", "b");
        _time.Advance(LongestGathering);

        var batch = await _server.CountAsync(MostUnderWay + 1);
        Assert.Equal(["key-get a", "key-get b"], batch.Operations);
        AnswerKeys(batch, "a", "b");
        await Task.WhenAll(calls);
    }

    [Fact]
    public async Task Renewals_WaitForNoOtherKindOfCall()
    {
        var service = _server.Service(_time);
        Occupy(service);
        _ = service.GetKeyAsync("gathers").AsTask();

        for (var i = 0; i < MostUnderWay; i++) _ = service.RenewAsync(Renew($"{i}")).AsTask();
        var (first, second) = (service.RenewAsync(Renew("x")).AsTask(), service.RenewAsync(Renew("y")).AsTask());
        Assert.All(_server.Requests.Skip(MostUnderWay), request => Assert.Equal("/v1/leases/renew", request.Path));
        _server.Requests[MostUnderWay].Answer(Renewal("0"));

        var batch = await _server.CountAsync((2 * MostUnderWay) + 1);
        Assert.Equal(["renew x", "renew y"], batch.Operations);
        batch.AnswerEach((200, Renewal("x")), (200, Renewal("y")));
        Assert.Equal(("x", "y"), ((await first).Value.Resource, (await second).Value.Resource));
    }

    [Fact]
    public async Task Calls_ThatMayTakeLong_KeepRequestsOfTheirOwn()
    {
        var service = _server.Service(_time);
        Occupy(service);

        _ = service.AcquireAsync(Acquire("a") with { Wait = TimeSpan.FromSeconds(1) }).AsTask();
        _ = service.RenewBatchAsync(new() { Leases = [Renew("a")] }).AsTask();
        _ = service.ListAsync(new()).AsTask();
        _ = service.HistoryAsync("a").AsTask();
        _ = service.ListKeysAsync(new()).AsTask();
        _ = service.WatchAsync(new() { Resource = "a" }).AsTask();
        _ = service.InfoAsync().AsTask();

        await _server.CountAsync(MostUnderWay + 7);
        Assert.Equal(0, service.Gathered);
    }

    [Fact]
    public async Task Call_CancelledWhileItGathers_IsNeverSent()
    {
        var service = _server.Service(_time);
        Occupy(service);
        using var cancellation = new CancellationTokenSource();

        var cancelled = service.AcquireAsync(Acquire("gone"), cancellation.Token).AsTask();
        var calls = GetKeys(service, "a", "b");
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        AnswerOccupied(0);

        var batch = await _server.CountAsync(MostUnderWay + 1);
        Assert.Equal(["key-get a", "key-get b"], batch.Operations);
        AnswerKeys(batch, "a", "b");
        await Task.WhenAll(calls);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Acquire_CancelledOnItsWay_EndsAtOnceAndItsGrantIsGivenBack(bool hasOwnId)
    {
        var service = _server.Service(_time);
        Occupy(service);
        using var cancellation = new CancellationTokenSource();
        var acquire = service.AcquireAsync(Acquire("a"), hasOwnId, cancellation.Token).AsTask();
        var calls = GetKeys(service, "b");
        AnswerOccupied(0);
        var batch = await _server.CountAsync(MostUnderWay + 1);

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => acquire);
        Assert.False(batch.IsGone);
        batch.AnswerEach((200, Grant("a")), (200, """{"key":"b","value":"x","version":1}"""));
        await Task.WhenAll(calls);

        // A repeat of an id that others know may have been answered with the grant.
        if (!hasOwnId)
        {
            Assert.Equal(MostUnderWay + 1, _server.Requests.Count);
            return;
        }

        var release = await _server.CountAsync(MostUnderWay + 2);
        Assert.Equal(("/v1/leases/release", """{"resource":"a","owner":"ann","token":7}"""), (release.Path, release.Body));
    }

    [Fact]
    public async Task Acquire_WhoseSharedRequestIsSilent_IsAskedForAtTheNextServer()
    {
        var service = _server.Service(_time, "a", "b");
        Occupy(service);
        var acquire = service.AcquireAsync(Acquire("a")).AsTask();
        // It is asked for at one server alone, and has all the time there is.
        var delete = service.DeleteKeyAsync("k").AsTask();
        AnswerOccupied(0);
        var batch = await _server.CountAsync(MostUnderWay + 1);

        _time.Advance(service.ServerTimeout);
        await Eventually.TrueAsync(() => _server.Requests.Any(request => (request.Server, request.Path) == ("b", "/v1/leases/acquire")));
        _server.Requests.Single(request => (request.Server, request.Path) == ("b", "/v1/leases/acquire")).Answer(Grant("a"));
        Assert.Equal(7, (await acquire).Value.Token);

        batch.AnswerEach((200, Grant("a")), (200, """{"key":"k","existed":true}"""));
        Assert.True((await delete).Value.Existed);
    }

    [Fact]
    public async Task Request_ThatNobodyWaitsFor_Ends()
    {
        var service = _server.Service(_time);
        Occupy(service);
        using var cancellation = new CancellationTokenSource();
        Task[] calls = [service.GetKeyAsync("a", cancellation.Token).AsTask(), service.GetKeyAsync("b", cancellation.Token).AsTask()];
        AnswerOccupied(0);
        var batch = await _server.CountAsync(MostUnderWay + 1);

        await cancellation.CancelAsync();

        foreach (var call in calls) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await Eventually.TrueAsync(() => batch.IsGone);
    }

    [Fact]
    public async Task Calls_WhoseTimeIsOver_DoNotKnowWhatBecameOfThem()
    {
        var service = _server.Service(_time);
        Occupy(service);
        var (first, second) = (service.AcquireAsync(Acquire("a")).AsTask(), service.AcquireAsync(Acquire("b")).AsTask());
        _time.Advance(LongestGathering);
        await _server.CountAsync(MostUnderWay + 1);

        _time.Advance(service.CallTimeout);

        Assert.Equal("a", Assert.IsType<Refusal.OutcomeUnknown>((await first).Refusal).RequestId);
        Assert.Equal("b", Assert.IsType<Refusal.OutcomeUnknown>((await second).Refusal).RequestId);
    }

    [Fact]
    public async Task Calls_WhoseRequestBreaks_FailEachInItsWay()
    {
        var service = _server.Service(_time);
        Occupy(service);
        var acquire = service.AcquireAsync(Acquire("a")).AsTask();
        var get = service.GetKeyAsync("b").AsTask();
        AnswerOccupied(0);
        (await _server.CountAsync(MostUnderWay + 1)).Break(new HttpRequestException(HttpRequestError.ResponseEnded, "It broke off."));

        Assert.Equal("a", Assert.IsType<Refusal.OutcomeUnknown>((await acquire).Refusal).RequestId);
        Assert.IsType<Refusal.Unavailable>((await get).Refusal);
    }

    [Fact]
    public async Task Calls_WhoseServerIsAway_GoOnToTheNextEachByItself()
    {
        var service = _server.Service(_time, "a", "b");
        Occupy(service);
        var acquire = service.AcquireAsync(Acquire("a")).AsTask();
        var delete = service.DeleteKeyAsync("b").AsTask();
        var get = service.GetKeyAsync("c").AsTask();
        AnswerOccupied(0);
        (await _server.CountAsync(MostUnderWay + 1)).Break(new HttpRequestException(HttpRequestError.ResponseEnded, "It broke off."));

        // A delete that may have been made is not made again.
        Assert.IsType<Refusal.OutcomeUnknown>((await delete).Refusal);
        await _server.CountAsync(MostUnderWay + 3);
        var repeats = _server.Requests.Skip(MostUnderWay + 1).ToDictionary(request => request.Path);
        Assert.All(repeats.Values, request => Assert.Equal("b", request.Server));
        Assert.Contains("\"requestId\":\"a\"", repeats["/v1/leases/acquire"].Body, StringComparison.Ordinal);
        repeats["/v1/leases/acquire"].Answer(Grant("a"));
        repeats["/v1/keys/c"].Answer("""{"key":"c","value":"x","version":1}""");
        Assert.Equal(7, (await acquire).Value.Token);
        Assert.Equal("x", (await get).Value.Value);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.MethodNotAllowed)]
    [InlineData(HttpStatusCode.Forbidden)]
    public async Task Calls_ToAServerThatKnowsNoBatch_GoByThemselvesForEver(HttpStatusCode status)
    {
        var service = _server.Service(_time);
        Occupy(service);
        var calls = GetKeys(service, "a", "b");
        AnswerOccupied(0);
        (await _server.CountAsync(MostUnderWay + 1)).Answer("<html>", status);

        await _server.CountAsync(MostUnderWay + 3);
        Assert.Equal(["/v1/keys/a", "/v1/keys/b"], _server.Requests.Skip(MostUnderWay + 1).Select(request => request.Path).Order());
        foreach (var request in _server.Requests.Skip(MostUnderWay + 1)) request.Answer(Key(request.Path[^1..]));
        await Task.WhenAll(calls);

        _time.Advance(TimeSpan.FromDays(1));
        _ = GetKeys(service, "c", "d", "e", "f", "g", "h");
        await _server.CountAsync(MostUnderWay + 9);
    }

    [Fact]
    public async Task Calls_ThatAreTooManyForTheServer_GoByThemselvesAndThenFewerTogether()
    {
        var service = _server.Service(_time);
        Occupy(service);
        var calls = GetKeys(service, "a", "b", "c", "d");
        AnswerOccupied(0);
        (await _server.CountAsync(MostUnderWay + 1)).Answer("{}", HttpStatusCode.BadRequest);
        await _server.CountAsync(MostUnderWay + 5);
        foreach (var request in _server.Requests.Skip(MostUnderWay + 1)) request.Answer(Key(request.Path[^1..]));
        await Task.WhenAll(calls);

        // With the three that are under way still, one goes by itself.
        _ = GetKeys(service, "e", "f", "g", "h");
        _time.Advance(LongestGathering);

        await _server.CountAsync(MostUnderWay + 8);
        Assert.Equal(
            ["/v1/batch", "/v1/keys/e", "/v1/keys/h"],
            _server.Requests.Skip(MostUnderWay + 5).Select(request => request.Path).Order(StringComparer.Ordinal));
        Assert.Equal(["key-get f", "key-get g"], _server.Requests.Last(request => request.Path == "/v1/batch").Operations);
    }

    [Theory]
    [InlineData(HttpStatusCode.OK, "<html>")]
    [InlineData(HttpStatusCode.OK, "{}")]
    [InlineData(HttpStatusCode.OK, "[]")]
    [InlineData(HttpStatusCode.OK, """{"results":7}""")]
    [InlineData(HttpStatusCode.OK, """{"results":[7,7]}""")]
    [InlineData(HttpStatusCode.OK, """{"results":[{"status":200,"body":{"key":"a","value":"x","version":1}}]}""")]
    [InlineData(HttpStatusCode.OK, """{"results":[{"status":"200","body":{}},{"status":200,"body":{}}]}""")]
    [InlineData(HttpStatusCode.OK, """{"results":[{"status":200},{"body":{}}]}""")]
    [InlineData(HttpStatusCode.OK, """{"results":[{"status":200,"body":{"key":"z"}},{"status":500,"body":null}]}""")]
    [InlineData(HttpStatusCode.BadGateway, "<html>")]
    public async Task Calls_WhoseAnswerIsSomebodyElses_HaveNone(HttpStatusCode status, string body)
    {
        var service = _server.Service(_time);
        Occupy(service);
        var (acquire, get) = (service.AcquireAsync(Acquire("a")).AsTask(), service.GetKeyAsync("b").AsTask());
        AnswerOccupied(0);
        (await _server.CountAsync(MostUnderWay + 1)).Answer(body, status);

        var unknown = Assert.IsType<Refusal.OutcomeUnknown>((await acquire).Refusal);
        Assert.Equal("a", unknown.RequestId);
        Assert.Contains("not a lease server's", unknown.Detail, StringComparison.Ordinal);
        Assert.IsType<Refusal.Unavailable>((await get).Refusal);
    }

    [Fact]
    public async Task Calls_AfterOneThatWasNotAnswered_GoByThemselvesForAWhile()
    {
        var service = _server.Service(_time);
        Occupy(service);
        var calls = GetKeys(service, "a", "b");
        AnswerOccupied(0);
        (await _server.CountAsync(MostUnderWay + 1)).AnswerEach(
            (503, """{"type":"urn:orleans-leases:unavailable","title":"","status":503,"detail":"silent"}"""), (200, Key("b")));
        await Task.WhenAll(calls);

        _ = GetKeys(service, "c", "d", "e", "f", "g", "h");
        await _server.CountAsync(MostUnderWay + 7);
        _time.Advance(TimeSpan.FromSeconds(5));
        _ = GetKeys(service, "i", "j");
        Assert.Equal(2, service.Gathered);
    }

    [Fact]
    public async Task Batch_IsOneRequest_ButForRenewalsAndRepeatedNames()
    {
        var service = _server.Service(_time);

        var batch = service.BatchAsync(new()
        {
            Operations =
            [
                new BatchOperation.GetKey("a"), new BatchOperation.Renew(Renew("r")), new BatchOperation.GetKey("b"),
                new BatchOperation.GetKey("a"), new BatchOperation.Renew(Renew("s")),
            ],
        }).AsTask();

        await _server.CountAsync(2);
        var (others, renewals) = _server.Requests[0].Operations.First().StartsWith("key", StringComparison.Ordinal)
            ? (_server.Requests[0], _server.Requests[1])
            : (_server.Requests[1], _server.Requests[0]);
        Assert.Equal(["key-get a", "key-get b"], others.Operations);
        Assert.Equal(["renew r", "renew s"], renewals.Operations);
        AnswerKeys(others, "a", "b");
        renewals.AnswerEach((200, Renewal("r")), (200, Renewal("s")));
        (await _server.CountAsync(3)).Answer(Key("a"));

        var results = (await batch).Value.Results;
        Assert.Equal(["a", "b", "a"], results.Select(result => result.Content).OfType<KeyValue>().Select(value => value.Key));
        Assert.Equal(("r", "s"), (results[1].As<LeaseRenewal>().Value.Resource, results[4].As<LeaseRenewal>().Value.Resource));
    }

    [Fact]
    public async Task Batch_Cancelled_GivesBackWhatItWasGranted()
    {
        var service = _server.Service(_time);
        using var cancellation = new CancellationTokenSource();
        var acquire = new BatchOperation.Acquire(Acquire("a") with { RequestId = null });
        var batch = service.BatchAsync(
            new() { Operations = [acquire, new BatchOperation.GetKey("b"), new BatchOperation.GetKey("b")] }, cancellation.Token).AsTask();
        var request = await _server.CountAsync(1);
        using var asked = JsonDocument.Parse(request.Body);
        var id = asked.RootElement.GetProperty("operations")[0].GetProperty("requestId").GetString()!;
        request.AnswerEach((200, Grant("a", id: id)), (200, Key("b")));
        await _server.CountAsync(2);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => batch);
        Assert.Equal("/v1/leases/release", (await _server.CountAsync(3)).Path);
    }

    private static AcquireRequest Acquire(string resource) =>
        new() { Resource = resource, Owner = "ann", Ttl = TimeSpan.FromSeconds(30), RequestId = resource };

    private static RenewRequest Renew(string resource) => new() { Resource = resource, Owner = "ann", Token = 7 };

    private static string Grant(string resource, string owner = "ann", string? id = null) =>
        $$"""
        {"resource":"{{resource}}","owner":"{{owner}}","token":7,"mode":"exclusive","ttlMs":30000,"remainingMs":29990,
        "elapsedMs":12,"renewAfterMs":10000,"requestId":"{{id ?? resource}}","replayed":false}
        """;

    private static string Renewal(string resource) =>
        $$"""{"resource":"{{resource}}","token":7,"ttlMs":30000,"remainingMs":29990,"elapsedMs":0,"renewAfterMs":10000}""";

    private static string Key(string key) => $$"""{"key":"{{key}}","value":"x","version":1}""";

    /// <summary>Makes as many calls as go by themselves, and answers none.</summary>
    private static void Occupy(HttpLeaseService service)
    {
        for (var i = 0; i < MostUnderWay; i++) _ = service.GetKeyAsync(i.ToString(CultureInfo.InvariantCulture)).AsTask();
    }

    private static Task[] GetKeys(HttpLeaseService service, params string[] keys) =>
        [.. keys.Select(key => service.GetKeyAsync(key).AsTask())];

    private static void AnswerKeys(RequestLog.Request batch, params string[] keys) =>
        batch.AnswerEach([.. keys.Select(key => (200, Key(key)))]);

    private void AnswerOccupied(int number) => _server.Requests[number].Answer(Key(number.ToString(CultureInfo.InvariantCulture)));
}
