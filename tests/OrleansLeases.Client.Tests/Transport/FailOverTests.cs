using System.Net;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests;

/// <summary>A service at several addresses: which of them is asked, what is asked again, and what is not.</summary>
public sealed class FailOverTests
{
    private static readonly Refusal Told = new Refusal.Conflict(3, "told by a server");
    private static readonly Refusal NotNow = new Refusal.Unavailable(TimeSpan.Zero, "not now");

    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedServers _servers = new();

    public static TheoryData<string> Calls => new([.. Verbs(Requests.Changes), .. Verbs(Requests.Reads)]);

    public static TheoryData<string> Repeatable => new(Verbs(Requests.Changes).Where(verb => verb != "delete-key"));

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Call_WhereTheFirstServerIsAway_IsAnsweredByTheNext(string verb)
    {
        _servers.IsAway("a");
        _servers.Refuses("b", Told);

        Assert.Equal(Told, await Requests.CallAsync(verb, _servers.Service("ab", _time)));
        Assert.Equal("ab", _servers.Asked);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Call_WhereTheFirstServerIsUnavailable_IsAnsweredByTheNext(string verb)
    {
        _servers.Refuses("a", NotNow);
        _servers.Refuses("b", Told);

        Assert.Equal(Told, await Requests.CallAsync(verb, _servers.Service("ab", _time)));
        Assert.Equal("ab", _servers.Asked);
    }

    [Theory]
    [MemberData(nameof(Repeatable))]
    public async Task Change_WhoseAnswerIsLost_IsMadeAgainAtTheNext(string verb)
    {
        _servers.LosesAnswers("a");
        _servers.Refuses("b", Told);

        Assert.Equal(Told, await Requests.CallAsync(verb, _servers.Service("ab", _time)));
        Assert.Equal("ab", _servers.Asked);
        Assert.Equal(_servers.Bodies[0], _servers.Bodies[1]);
    }

    [Fact]
    public async Task Acquire_WithoutRequestId_HasTheSameOneAtEachServer()
    {
        _servers.LosesAnswers("a");
        _servers.Refuses("b", Told);

        await _servers.Service("ab", _time).AcquireAsync(Requests.Acquire with { RequestId = null });

        Assert.Contains("requestId", _servers.Bodies[0], StringComparison.Ordinal);
        Assert.Equal(_servers.Bodies[0], _servers.Bodies[1]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Delete_ThatMayHaveBeenCarriedOut_IsNotMadeAgain(bool silent)
    {
        if (silent) _servers.IsSilent("a");
        else _servers.LosesAnswers("a");
        _servers.Refuses("b", Told);

        var call = Requests.CallAsync("delete-key", _servers.Service("ab", _time));
        _time.Advance(TimeSpan.FromSeconds(15));

        // The first server has all the time there is, since there is no second one for it.
        Assert.Contains(
            silent ? "(15 s)" : "broke off", Assert.IsType<Refusal.OutcomeUnknown>(await call).Detail, StringComparison.Ordinal);
        Assert.Equal("a", _servers.Asked);
    }

    [Fact]
    public async Task Server_ThatAnswers_IsAskedUntilItFails()
    {
        var service = _servers.Service("abc", _time);
        _servers.IsAway("a");
        _servers.Refuses("b", Told);
        _servers.Refuses("c", Told);
        await service.InfoAsync();
        Assert.Equal("ab", _servers.Asked);

        // The first one is back, and nobody needs it.
        _servers.Refuses("a", Told);
        _time.Advance(TimeSpan.FromHours(1));
        for (var i = 0; i < 3; i++) await service.InfoAsync();
        Assert.Equal("bbb", _servers.Asked);

        _servers.IsAway("b");
        await service.InfoAsync();
        await service.InfoAsync();
        Assert.Equal("bcc", _servers.Asked);
    }

    [Fact]
    public async Task Server_ThatFailed_RestsAndIsThenAsGoodAsAny()
    {
        var service = _servers.Service("ab", _time);
        _servers.IsAway("a");
        _servers.IsAway("b");
        await service.InfoAsync();
        Assert.Equal("ab", _servers.Asked);

        // Where all rest, whoever has rested most; and as long as nobody answers, all of them.
        await service.InfoAsync();
        Assert.Equal("ab", string.Concat(_servers.Asked.Order()));
        _time.Advance(TimeSpan.FromSeconds(45));
        await service.InfoAsync();
        Assert.Equal("ab", _servers.Asked);
    }

    [Fact]
    public async Task Servers_ThatAreAllUnavailable_AreNotAllAskedByEveryCall()
    {
        var service = _servers.Service("abc", _time);
        foreach (var server in (string[])["a", "b", "c"]) _servers.Refuses(server, NotNow);
        Assert.IsType<Refusal.Unavailable>((await service.InfoAsync()).Refusal);
        Assert.Equal("abc", _servers.Asked);

        for (var i = 0; i < 10; i++) await service.InfoAsync();

        Assert.Equal(10, _servers.Asked.Length);
    }

    [Fact]
    public async Task Server_ThatSaysWhenToAskAgain_RestsUntilThen()
    {
        var service = _servers.Service("ab", _time);
        _servers.Refuses("a", new Refusal.Unavailable(TimeSpan.FromSeconds(20), "shutting down"));
        _servers.Refuses("b", Told);
        await service.InfoAsync();
        Assert.Equal("ab", _servers.Asked);

        // Were it not for that, it would be asked again by now, since the other one rests as well.
        _servers.Refuses("b", NotNow);
        _time.Advance(TimeSpan.FromSeconds(19));
        await service.InfoAsync();
        Assert.Equal("b", _servers.Asked);

        _time.Advance(TimeSpan.FromSeconds(12));
        await service.InfoAsync();
        Assert.StartsWith("b", _servers.Asked, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Server_ThatIsBackWhileAllRest_IsFoundByTheNextCallButOne(bool otherIsSilent)
    {
        var service = _servers.Service("ab", _time);
        _servers.Refuses("a", new Refusal.Unavailable(TimeSpan.FromSeconds(20), "shutting down"));
        _servers.Refuses("b", new Refusal.Unavailable(TimeSpan.FromSeconds(30), "shutting down"));
        await service.InfoAsync();
        Assert.Equal("ab", _servers.Asked);

        _servers.Refuses("b", Told);
        if (otherIsSilent) _servers.IsSilent("a");
        _time.Advance(TimeSpan.FromSeconds(1));
        _ = service.InfoAsync().AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(250));

        var next = service.InfoAsync().AsTask();
        Assert.Equal("ab", _servers.Asked);
        Assert.Equal(Told, (await next).Refusal);
    }

    [Fact]
    public async Task Server_ThatFailed_IsNotAskedFirstAgain_HoweverLongTheOtherTookToAnswer()
    {
        var service = _servers.Service("ab", _time);
        _servers.IsAway("a");
        var answer = _servers.Waits("b");
        var call = service.AcquireAsync(Requests.Acquire with { Wait = TimeSpan.FromSeconds(25) }).AsTask();
        _time.Advance(TimeSpan.FromSeconds(20));
        answer.SetResult(ScriptedServer.Reply(HttpStatusCode.OK, Requests.Grant));
        await call;
        Assert.Equal("ab", _servers.Asked);

        _servers.Refuses("b", Told);
        await service.InfoAsync();

        Assert.Equal("b", _servers.Asked);
    }

    [Fact]
    public async Task Failures_OfCallsThatWereUnderWay_CountOnce()
    {
        var service = _servers.Service("ab", _time);
        var answer = _servers.Waits("a");
        _servers.IsAway("b");
        var calls = Enumerable.Range(0, 50).Select(_ => service.InfoAsync().AsTask()).ToArray();
        _time.Advance(TimeSpan.FromMilliseconds(10));
        answer.SetException(new HttpRequestException(HttpRequestError.ResponseEnded, "The server was killed"));
        await Task.WhenAll(calls);
        _ = _servers.Asked;
        _servers.Refuses("a", NotNow);
        _servers.Refuses("b", NotNow);

        // One failure is 1.5 s at most; the rest of fifty would be the longest, and others would be asked first.
        _time.Advance(TimeSpan.FromSeconds(1.6));
        await service.InfoAsync();

        Assert.Equal("ab", _servers.Asked);
    }

    [Fact]
    public async Task Server_ThatIsSilent_IsGivenUpForTheNext_AndTheLastHasTheRestOfTheTime()
    {
        _servers.IsSilent("a");
        _servers.IsSilent("b");
        var call = Requests.CallAsync("acquire", _servers.Service("ab", _time));

        _time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        Assert.Equal("a", _servers.Asked);
        _time.Advance(TimeSpan.FromTicks(1));
        await AskedAsync("b");
        _time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        Assert.False(call.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));

        var unknown = Assert.IsType<Refusal.OutcomeUnknown>(await call);
        Assert.Equal("r1", unknown.RequestId);
        Assert.Equal("http://a/ did not answer in time (5 s). http://b/ did not answer in time (10 s).", unknown.Detail);
    }

    [Fact]
    public async Task Server_ThatIsSilent_IsSparedByLaterCallsAtOnce()
    {
        var service = _servers.Service("ab", _time);
        var late = _servers.Waits("a");
        _servers.Refuses("b", Told);
        var first = service.InfoAsync().AsTask();

        _time.Advance(TimeSpan.FromMilliseconds(250));
        await service.InfoAsync();
        Assert.Equal("ab", _servers.Asked);
        Assert.False(first.IsCompleted);

        // The first call waits on, and is answered.
        late.SetResult(
            ScriptedServer.Reply(
                HttpStatusCode.NotFound, """{"type":"urn:orleans-leases:not-found","title":"t","status":404,"detail":"late"}"""));
        Assert.Equal(new Refusal.NotFound("late"), (await first).Refusal);
    }

    [Fact]
    public async Task Server_ThatAnswersOthers_IsNotSparedForOneSlowCall()
    {
        var service = _servers.Service("ab", _time);
        _servers.IsSilent("a");
        var slow = service.GetAsync(new() { Resource = "slow" }).AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(200));
        _servers.Refuses("a", Told);
        await service.InfoAsync();
        _time.Advance(TimeSpan.FromMilliseconds(200));

        await service.InfoAsync();

        Assert.Equal("aaa", _servers.Asked);
        Assert.False(slow.IsCompleted);
    }

    [Fact]
    public async Task Acquire_ThatWaits_IsNoSilence()
    {
        var service = _servers.Service("ab", _time);
        _servers.IsSilent("a");
        _ = service.AcquireAsync(Requests.Acquire with { Wait = TimeSpan.FromSeconds(20) }).AsTask();
        _time.Advance(TimeSpan.FromSeconds(20));
        _servers.Refuses("a", Told);
        await service.InfoAsync();
        Assert.Equal("aa", _servers.Asked);
    }

    [Fact]
    public async Task Acquire_ThatWaits_WaitsAtTheNextServerForWhatIsLeft()
    {
        var broken = _servers.Waits("a");
        _servers.Refuses("b", Told);
        var call = _servers.Service("ab", _time).AcquireAsync(Requests.Acquire with { Wait = TimeSpan.FromSeconds(25) }).AsTask();
        _time.Advance(TimeSpan.FromSeconds(10));
        broken.SetException(new HttpRequestException(HttpRequestError.ResponseEnded, "The server was killed"));
        await call;

        Assert.Contains("\"waitMs\":25000", _servers.Bodies[0], StringComparison.Ordinal);
        Assert.Contains("\"waitMs\":15000", _servers.Bodies[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("acquire")]
    [InlineData("transfer")]
    [InlineData("renew")]
    [InlineData("renew-batch")]
    public async Task Reply_OfTheSecondServer_CountsTheTimeBeforeItWasAskedAsHeld(string verb)
    {
        var service = _servers.Service("ab", _time);
        var late = _servers.Waits("a");
        var answer = _servers.Waits("b");
        var call = TimesAsync(verb, service);
        _time.Advance(TimeSpan.FromSeconds(5));
        await AskedAsync("ab");

        // What the one that was given up says, and how long the other one takes, changes nothing.
        late.SetResult(ScriptedServer.Reply(HttpStatusCode.OK, ReplyTo(verb).Replace("29990", "29999", StringComparison.Ordinal)));
        _time.Advance(TimeSpan.FromSeconds(2));
        answer.SetResult(ScriptedServer.Reply(HttpStatusCode.OK, ReplyTo(verb)));

        Assert.All(
            await call,
            time => Assert.Equal((TimeSpan.FromSeconds(5) + TimeSpan.FromMilliseconds(12), TimeSpan.FromMilliseconds(29_990)), time));
    }

    [Fact]
    public async Task Reply_OfTheFirstServer_IsLeftAsItIs()
    {
        var answer = _servers.Waits("a");
        var call = TimesAsync("renew", _servers.Service("ab", _time));
        _time.Advance(TimeSpan.FromSeconds(4));
        answer.SetResult(ScriptedServer.Reply(HttpStatusCode.OK, ReplyTo("renew")));

        Assert.All(await call, time => Assert.Equal(TimeSpan.FromMilliseconds(12), time.Elapsed));
    }

    public static TheoryData<string, string> LastWords => new()
    {
        { "away", "Connection refused" },
        { "unavailable", "not now" },
        { "limit", "too many wait" },
        { "unauthorized", "the credential has run out" },
        { "forbidden", "not for this name" },
        { "invalid", "ttlMs is too long" },
        { "unknown", "the disk was full" },
    };

    [Theory]
    [MemberData(nameof(LastWords))]
    public async Task Change_ThatMayHaveBeenCarriedOut_IsNotKnown_WhateverTheLastServerSays(string last, string words)
    {
        _servers.LosesAnswers("a");
        if (last == "away") _servers.IsAway("b");
        else _servers.Refuses("b", last switch
        {
            "unavailable" => NotNow,
            "limit" => new Refusal.LimitReached("waiters", TimeSpan.FromSeconds(1), "too many wait"),
            "unauthorized" => new Refusal.Unauthorized("the credential has run out"),
            "forbidden" => new Refusal.Forbidden("not for this name"),
            "invalid" => new Refusal.InvalidRequest(new Dictionary<string, string[]> { ["ttlMs"] = ["is too long"] }, "ttlMs is too long"),
            _ => new Refusal.OutcomeUnknown(null, "the disk was full"),
        });

        var unknown = Assert.IsType<Refusal.OutcomeUnknown>(await Requests.CallAsync("acquire", _servers.Service("ab", _time)));

        Assert.Equal("r1", unknown.RequestId);
        Assert.Contains("broke off", unknown.Detail, StringComparison.Ordinal);
        Assert.Contains(words, unknown.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Requests.Changes), MemberType = typeof(Requests))]
    public async Task Change_WhoseBodyWasSent_IsNotKnown_ThoughAHandlersSecondAttemptIsRefused(string verb, string? requestId)
    {
        _servers.Does("a", (_, _) => throw new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused"));

        var unknown = Assert.IsType<Refusal.OutcomeUnknown>(await Requests.CallAsync(verb, _servers.Service("a", _time)));

        Assert.Equal(requestId, unknown.RequestId);
    }

    [Fact]
    public async Task Change_ThatWasNotSent_IsUnavailable_HoweverLongTheConnectionTook()
    {
        _servers.IsBehindABlackHole("a");
        _servers.IsAway("b");
        var call = Requests.CallAsync("acquire", _servers.Service("ab", _time));
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Contains("Connection refused", Assert.IsType<Refusal.Unavailable>(await call).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_WhenCancelled_AsksNoOtherServer()
    {
        using var cancel = new CancellationTokenSource();
        var service = _servers.Service("abc", _time);
        _servers.LosesAnswers("a");
        var hungUp = new TaskCompletionSource();
        _servers.Does("b", async (_, stop) =>
        {
            stop.Register(hungUp.SetResult);
            return await new TaskCompletionSource<HttpResponseMessage>().Task.WaitAsync(stop);
        });
        _servers.Refuses("c", Told);
        var call = Requests.CallAsync("acquire", service, cancel.Token);
        await AskedAsync("ab");

        await cancel.CancelAsync();

        Assert.Equal(cancel.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call)).CancellationToken);
        await hungUp.Task;
        Assert.Equal("", _servers.Asked);
    }

    [Fact]
    public async Task Server_ThatIsSilentForAsLongAsItsCallersWait_IsSparedByTheNextCall()
    {
        var service = _servers.Service("ab", _time);
        _servers.IsSilent("a");
        _servers.Refuses("b", Told);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(4), _time);
        var call = Requests.CallAsync("release", service, timeout.Token);
        _time.Advance(TimeSpan.FromSeconds(4));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

        _ = service.InfoAsync().AsTask();

        Assert.Equal("ab", _servers.Asked);
    }

    [Fact]
    public async Task Server_WhoseCallerIsImpatient_IsNotSpared()
    {
        var service = _servers.Service("ab", _time);
        _servers.IsSilent("a");
        using var cancel = new CancellationTokenSource();
        var call = Requests.CallAsync("release", service, cancel.Token);
        _time.Advance(TimeSpan.FromMilliseconds(249));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        _servers.Refuses("a", Told);

        await service.InfoAsync();

        Assert.Equal("aa", _servers.Asked);
    }

    [Fact]
    public async Task Call_WhereAHandlerOfTheApplicationThrows_IsToldAsARefusal()
    {
        _servers.Does("a", (_, _) => throw new NotSupportedException("The circuit is open."));

        var unknown = Assert.IsType<Refusal.OutcomeUnknown>(await Requests.CallAsync("renew", _servers.Service("a", _time)));

        Assert.Contains("NotSupportedException: The circuit is open.", unknown.Detail, StringComparison.Ordinal);
    }

    public static TheoryData<string[], string> BadServers => new()
    {
        { [], "servers is empty; name the address of a server, such as http://127.0.0.1:7400." },
        { ["http://a", "ftp://b"], "servers[1] is 'ftp://b'; write an absolute http or https address" },
        { ["http://a", "http://A:80/"], "servers[1] is 'http://A:80/', which is there before; name it once." },
        { ["http://a/?tenant=1"], "servers[0] is 'http://a/?tenant=1'; leave out what follows the path." },
        { ["http://ann:secret@a"], "servers[0] names a user" },
    };

    [Theory]
    [MemberData(nameof(BadServers))]
    public void Constructor_WithBadServers_SaysWhichAndWhatToWrite(string[] servers, string message)
    {
        using var http = new HttpClient(_servers);
        var refused = Assert.Throws<ArgumentException>(() => new HttpLeaseService(http, servers.Select(server => new Uri(server))));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(86_401)]
    public void Constructor_WithAServerTimeoutOutOfBounds_NamesIt(int seconds)
    {
        using var http = new HttpClient(_servers);
        var refused = Assert.Throws<ArgumentOutOfRangeException>(
            () => new HttpLeaseService(http, [new("http://a")]) { ServerTimeout = TimeSpan.FromSeconds(seconds) });
        Assert.Contains($"ServerTimeout is {TimeSpan.FromSeconds(seconds)}", refused.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Verbs(IEnumerable<object?[]> data) => data.Select(row => (string)row[0]!);

    private Task AskedAsync(string servers)
    {
        var asked = "";
        return Eventually.TrueAsync(() => (asked += _servers.Asked) == servers);
    }

    private static string ReplyTo(string verb) => verb switch
    {
        "acquire" => Requests.Grant,
        "transfer" => Requests.Grant.Replace("\"ann\"", "\"bob\"", StringComparison.Ordinal),
        "renew" => Renewal(7, "jobs/nightly"),
        _ => $$"""{"elapsedMs":12,"results":[{{Renewal(7, "jobs/nightly")}},{{Renewal(8, "jobs/weekly")}}]}""",
    };

    private static string Renewal(long token, string resource) => Requests.Renewal
        .Replace("\"elapsedMs\":0", "\"elapsedMs\":12", StringComparison.Ordinal)
        .Replace("\"token\":7", $"\"token\":{token}", StringComparison.Ordinal)
        .Replace("jobs/nightly", resource, StringComparison.Ordinal);

    private static async Task<(TimeSpan Elapsed, TimeSpan Remaining)[]> TimesAsync(string verb, HttpLeaseService service)
    {
        switch (verb)
        {
            case "acquire":
                var granted = (await service.AcquireAsync(Requests.Acquire)).Value;
                return [(granted.Elapsed, granted.Remaining)];
            case "transfer":
                var transferred = (await service.TransferAsync(Requests.Transfer)).Value;
                return [(transferred.Elapsed, transferred.Remaining)];
            case "renew":
                var renewed = (await service.RenewAsync(Requests.Renew)).Value;
                return [(renewed.Elapsed, renewed.Remaining)];
            default:
                var batch = (await service.RenewBatchAsync(Requests.RenewBatch)).Value;
                return
                [
                    (batch.Elapsed, TimeSpan.FromMilliseconds(29_990)),
                    .. batch.Results.Select(result => (result.Value.Elapsed, result.Value.Remaining)),
                ];
        }
    }
}
