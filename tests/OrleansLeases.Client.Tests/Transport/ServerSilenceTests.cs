using System.Net;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests;

/// <summary>A server that does not respond: when a call turns to the next, and when later calls avoid it.</summary>
public sealed class ServerSilenceTests
{
    private static readonly Refusal Refused = new Refusal.Conflict(3, "refused by a server");

    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedServers _servers = new();

    [Fact]
    public async Task Server_ThatIsSilent_IsGivenUpForTheNext_AndTheLastHasTheRestOfTheTime()
    {
        _servers.IsSilent("a");
        _servers.IsSilent("b");
        var call = Requests.CallAsync("acquire", _servers.Service("ab", _time));

        _time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        Assert.Equal("a", _servers.Asked);
        _time.Advance(TimeSpan.FromTicks(1));
        await _servers.AskedAsync("b");
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
        _servers.Refuses("b", Refused);
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
        _servers.Refuses("a", Refused);
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
        _servers.Refuses("a", Refused);
        await service.InfoAsync();
        Assert.Equal("aa", _servers.Asked);
    }

    [Fact]
    public async Task Server_ThatIsSilentForAsLongAsItsCallersWait_IsSparedByTheNextCall()
    {
        var service = _servers.Service("ab", _time);
        _servers.IsSilent("a");
        _servers.Refuses("b", Refused);
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
        _servers.Refuses("a", Refused);

        await service.InfoAsync();

        Assert.Equal("aa", _servers.Asked);
    }
}
