using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests;

/// <summary>A service with several addresses: which requests are repeated at the next server, and which outcome is reported.</summary>
public sealed class FailOverTests
{
    private static readonly Refusal Refused = new Refusal.Conflict(3, "refused by a server");
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
        _servers.Refuses("b", Refused);

        Assert.Equal(Refused, await Requests.CallAsync(verb, _servers.Service("ab", _time)));
        Assert.Equal("ab", _servers.Asked);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Call_WhereTheFirstServerIsUnavailable_IsAnsweredByTheNext(string verb)
    {
        _servers.Refuses("a", NotNow);
        _servers.Refuses("b", Refused);

        Assert.Equal(Refused, await Requests.CallAsync(verb, _servers.Service("ab", _time)));
        Assert.Equal("ab", _servers.Asked);
    }

    [Theory]
    [MemberData(nameof(Repeatable))]
    public async Task Change_WhoseAnswerIsLost_IsMadeAgainAtTheNext(string verb)
    {
        _servers.LosesAnswers("a");
        _servers.Refuses("b", Refused);

        Assert.Equal(Refused, await Requests.CallAsync(verb, _servers.Service("ab", _time)));
        Assert.Equal("ab", _servers.Asked);
        Assert.Equal(_servers.Bodies[0], _servers.Bodies[1]);
    }

    [Fact]
    public async Task Acquire_WithoutRequestId_HasTheSameOneAtEachServer()
    {
        _servers.LosesAnswers("a");
        _servers.Refuses("b", Refused);

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
        _servers.Refuses("b", Refused);

        var call = Requests.CallAsync("delete-key", _servers.Service("ab", _time));
        _time.Advance(TimeSpan.FromSeconds(15));

        // The first server has all the time there is, since there is no second one for it.
        Assert.Contains(
            silent ? "(15 s)" : "broke off", Assert.IsType<Refusal.OutcomeUnknown>(await call).Detail, StringComparison.Ordinal);
        Assert.Equal("a", _servers.Asked);
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
        _servers.Refuses("c", Refused);
        var call = Requests.CallAsync("acquire", service, cancel.Token);
        await _servers.AskedAsync("ab");

        await cancel.CancelAsync();

        Assert.Equal(cancel.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call)).CancellationToken);
        await hungUp.Task;
        Assert.Equal("", _servers.Asked);
    }

    [Fact]
    public async Task Call_WhereAHandlerOfTheApplicationThrows_IsToldAsARefusal()
    {
        _servers.Does("a", (_, _) => throw new NotSupportedException("The circuit is open."));

        var unknown = Assert.IsType<Refusal.OutcomeUnknown>(await Requests.CallAsync("renew", _servers.Service("a", _time)));

        Assert.Contains("NotSupportedException: The circuit is open.", unknown.Detail, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Verbs(IEnumerable<object?[]> data) => data.Select(row => (string)row[0]!);
}
