using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>Nothing that is not a written answer looks like a success, and no exception's text leaves.</summary>
public sealed class UnansweredTests
{
    private const string Secret = "secret of the inside";
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(30);

    public static TheoryData<string, string> Calls
    {
        get
        {
            var data = new TheoryData<string, string> { { "PUT", "/v1/keys/a" }, { "POST", "/v1/counters/a" }, { "DELETE", "/v1/keys/a" } };
            foreach (var word in Shapes.ByEndpoint.Keys) data.Add("POST", $"/v1/leases/{word}");
            foreach (var path in new[]
            {
                "/v1/keys/a", "/v1/keys", "/v1/leases/a", "/v1/leases", "/v1/history/a", "/v1/watch?resource=a", "/v1/info",
                "/health/ready",
            })
                data.Add("GET", path);
            return data;
        }
    }

    // As a limit on the time of requests does it: the token fires, the caller is still there.
    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Call_WhenGivenUpThoughItsCallerIsThere_IsAnswered(string method, string path)
    {
        await using var host = await GatewayHost.StartAsync(new StuckLeases(), around: async (context, next) =>
        {
            using var limit = new CancellationTokenSource();
            context.RequestAborted = limit.Token;
            await limit.CancelAsync();
            await next(context);
        });
        AssertUnavailable(method, await AskAsync(host, method, path));
        Assert.Empty(host.Log.Errors);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Call_WhenTheServiceFails_TellsAnIdThatTheLogHas(string method, string path)
    {
        await using var host = await GatewayHost.StartAsync(new StuckLeases { Failure = new InvalidOperationException(Secret) });
        var reply = AssertUnavailable(method, await AskAsync(host, method, path));
        var failure = reply.Body.GetProperty("detail").GetString()!.Split("under ")[1][..8];
        Assert.Matches("^[0-9a-f]{8}$", failure);
        Assert.DoesNotContain("secret", reply.Body.GetRawText(), StringComparison.OrdinalIgnoreCase);
        var logged = Assert.Single(host.Log.Errors);
        Assert.Contains(failure, logged, StringComparison.Ordinal);
        Assert.Contains(Secret, logged, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_WhenItsAnswerCannotBeWritten_IsNoSuccess()
    {
        // A word that the wire does not have.
        var leases = new ScriptedLeases
        {
            OnGet = _ => ScriptedLeases.Free("a") with { State = (LeaseStatus)99 },
            OnTransfer = request =>
                ScriptedLeases.Grant(new AcquireRequest { Resource = "a", Owner = "o", Ttl = TimeSpan.Zero, Mode = (LeaseMode)99 }),
        };
        await using var host = await GatewayHost.StartAsync(leases);
        AssertUnavailable("GET", await AskAsync(host, "GET", "/v1/leases/a"));
        AssertUnavailable("POST", await AskAsync(host, "POST", "/v1/leases/transfer"));
        Assert.Equal(2, host.Log.Errors.Count());
    }

    // By the host's own means: its default limit is not for these calls.
    [Fact]
    public async Task Call_WhenTheHostLimitsItsTime_IsToldThatTheOutcomeIsUnknown()
    {
        using var limit = new CancellationTokenSource();
        var leases = new ScriptedLeases
        {
            OnAcquire = async (_, cancellation) =>
            {
                await limit.CancelAsync();
                cancellation.ThrowIfCancellationRequested();
                throw new InvalidOperationException("Not reached.");
            },
        };
        await using var host = await GatewayHost.StartAsync(leases, around: (context, next) =>
        {
            context.RequestAborted = limit.Token;
            return next(context);
        });
        var reply = await host.PostAsync(
            "/v1/leases/acquire", """{"resource":"a","owner":"o","ttlMs":1000,"waitMs":25000,"requestId":"id"}""");
        Assert.Equal(
            (503, "urn:orleans-leases:outcome-unknown", "id"), (reply.Status, reply.Type, reply.Body.GetProperty("requestId").GetString()));
    }

    [Fact]
    public async Task Acquire_WhenGrantedAsItIsGivenUp_IsNoSuccess()
    {
        var leases = new ScriptedLeases();
        await using var host = await GatewayHost.StartAsync(leases, around: async (context, next) =>
        {
            context.RequestAborted = new CancellationToken(canceled: true);
            await next(context);
        });
        AssertUnavailable("POST", await AskAsync(host, "POST", "/v1/leases/acquire"));
        Assert.Single(leases.Asked.OfType<LeaseGrant>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Watch_WhenItBreaks_IsCutOffAndNotEnded(bool atOnce)
    {
        var leases = new ScriptedLeases { OnWatch = _ => new LeaseWatch(BreakingAsync(atOnce), new Ended()) };
        await using var host = await GatewayHost.StartAsync(leases);
        await using var connection = await host.ConnectAsync();
        await connection.SendAsync("GET /v1/watch?resource=a HTTP/1.1\r\nHost: localhost\r\n\r\n");
        var read = await ReadOrCutOffAsync(connection);
        Assert.DoesNotContain("\r\n0\r\n", read, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", read, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(Secret, Assert.Single(host.Log.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("80000000\r\n")]
    [InlineData("7fffffff\r\n{}")]
    [InlineData("2\r\n{")]
    public async Task Change_WhenItsBodyBreaksOff_IsNoSuccess(string body)
    {
        var leases = new ScriptedLeases();
        await using var host = await GatewayHost.StartAsync(leases);
        foreach (var (method, path) in new[] { ("POST", "/v1/leases/acquire"), ("POST", "/v1/counters/a"), ("PUT", "/v1/keys/a") })
        {
            await using var connection = await host.ConnectAsync();
            await connection.SendAsync(
                $"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                + body);
            connection.EndSending();
            var reply = await ReadOrCutOffAsync(connection);
            if (reply.Length > 0) Assert.Matches("^HTTP/1.1 4[0-9][0-9] ", reply);
        }

        Assert.Empty(leases.Asked);
        Assert.Empty(host.Log.Errors);
    }

    private static async Task<string> ReadOrCutOffAsync(RawConnection connection)
    {
        try
        {
            return await connection.ReadAsync().WaitAsync(WaitTimeout);
        }
        catch (IOException e) when (e.InnerException is SocketException)
        {
            return "";
        }
    }

    private static Reply AssertUnavailable(string method, string raw)
    {
        var reply = Reply.Parse(raw);
        Assert.Equal(
            (503, "application/problem+json", method == "GET" ? "urn:orleans-leases:unavailable" : "urn:orleans-leases:outcome-unknown"),
            (reply.Status, reply.ContentType, reply.Type));
        return reply;
    }

    private static async Task<string> AskAsync(GatewayHost host, string method, string path)
    {
        var word = path.Split('/')[^1];
        var body = method is "GET" or "DELETE" ? ""
            : Shapes.ByEndpoint.ContainsKey(word) ? Shapes.BodyWith(word, "", "")
            : method == "PUT" ? """{"value":"v"}""" : """{"delta":1}""";
        await using var connection = await host.ConnectAsync();
        await connection.SendBodyAsync(method, path, body);
        return await connection.ReadAsync().WaitAsync(WaitTimeout);
    }

    private static async IAsyncEnumerable<WatchEvent> BreakingAsync(bool atOnce)
    {
        if (!atOnce) await Task.Yield();
        if (Secret.Length > 0) throw new InvalidOperationException(Secret);
        yield break;
    }

    private sealed class Ended : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
