using System.Net;
using Microsoft.Extensions.Logging;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests;

/// <summary>A server that failed rests: calls go to another first, for how long, and in which order where all rest.</summary>
public sealed class ServerRestTests
{
    private static readonly Refusal Refused = new Refusal.Conflict(3, "refused by a server");
    private static readonly Refusal NotNow = new Refusal.Unavailable(TimeSpan.Zero, "not now");

    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedServers _servers = new();

    [Fact]
    public async Task Server_ThatAnswers_IsAskedUntilItFails()
    {
        var service = _servers.Service("abc", _time);
        _servers.IsAway("a");
        _servers.Refuses("b", Refused);
        _servers.Refuses("c", Refused);
        await service.InfoAsync();
        Assert.Equal("ab", _servers.Asked);

        // The first one is back, and nobody needs it.
        _servers.Refuses("a", Refused);
        _time.Advance(TimeSpan.FromHours(1));
        for (var i = 0; i < 3; i++) await service.InfoAsync();
        Assert.Equal("bbb", _servers.Asked);

        _servers.IsAway("b");
        await service.InfoAsync();
        await service.InfoAsync();
        Assert.Equal("bcc", _servers.Asked);
    }

    [Fact]
    public async Task Change_OfServers_IsLoggedOnce()
    {
        var log = new LogBook();
        var service = new HttpLeaseService(
            new HttpClient(_servers) { Timeout = Timeout.InfiniteTimeSpan }, [new("http://a"), new("http://b")], _time) { Logger = log };
        _servers.Refuses("a", Refused);
        _servers.Refuses("b", Refused);
        await service.InfoAsync();
        Assert.Empty(log.Lines);

        _servers.IsAway("a");
        for (var i = 0; i < 3; i++) await service.InfoAsync();

        Assert.Equal(
            (LogLevel.Warning, "Calls go to the lease server http://b/ from now on, since http://a/ does not answer them."),
            Assert.Single(log.Lines));
    }

    [Fact]
    public async Task Server_ThatFailed_RestsAndIsThenAsGoodAsAny()
    {
        var service = _servers.Service("ab", _time);
        _servers.IsAway("a");
        _servers.IsAway("b");
        await service.InfoAsync();
        Assert.Equal("ab", _servers.Asked);

        // Where all servers rest, the one that has rested longest is asked first; and all of them until one responds.
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
        _servers.Refuses("b", Refused);
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

        _servers.Refuses("b", Refused);
        if (otherIsSilent) _servers.IsSilent("a");
        _time.Advance(TimeSpan.FromSeconds(1));
        _ = service.InfoAsync().AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(250));

        var next = service.InfoAsync().AsTask();
        Assert.Equal("ab", _servers.Asked);
        Assert.Equal(Refused, (await next).Refusal);
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

        _servers.Refuses("b", Refused);
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
}
