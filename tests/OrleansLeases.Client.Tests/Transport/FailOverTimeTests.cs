using System.Net;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests;

/// <summary>The time that a call spent at one server counts at the next: as less to wait, and as elapsed in the response.</summary>
public sealed class FailOverTimeTests
{
    private static readonly Refusal Refused = new Refusal.Conflict(3, "refused by a server");

    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedServers _servers = new();

    [Fact]
    public async Task Acquire_ThatWaits_WaitsAtTheNextServerForWhatIsLeft()
    {
        var broken = _servers.Waits("a");
        _servers.Refuses("b", Refused);
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
        await _servers.AskedAsync("ab");

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
