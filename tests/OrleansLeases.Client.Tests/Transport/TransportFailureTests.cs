using System.Net;
using System.Net.Sockets;
using System.Text;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests;

public sealed class TransportFailureTests
{
    [Theory]
    [MemberData(nameof(Requests.Changes), MemberType = typeof(Requests))]
    public async Task Change_WhenTheConnectionIsRefused_IsUnavailable(string verb, string? requestId)
    {
        _ = requestId;
        using var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{UnusedPort()}") };

        var refusal = await Requests.CallAsync(verb, new HttpLeaseService(http));

        Assert.Contains(http.BaseAddress.ToString(), Assert.IsType<Refusal.Unavailable>(refusal).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Requests.Changes), MemberType = typeof(Requests))]
    public async Task Change_WhenTheServerHangsUpAfterReading_IsUnknown(string verb, string? requestId)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var connections = 0;
        using var over = new CancellationTokenSource();
        var serving = HangUpAfterEachRequestAsync(listener, () => connections++, over.Token);
        using var http = new HttpClient { BaseAddress = new($"http://{listener.LocalEndpoint}") };

        var refusal = await Requests.CallAsync(verb, new HttpLeaseService(http));

        Assert.Equal(requestId, Assert.IsType<Refusal.OutcomeUnknown>(refusal).RequestId);
        Assert.Equal(1, connections);
        await over.CancelAsync();
        await serving;
    }

    [Theory]
    [MemberData(nameof(Requests.Changes), MemberType = typeof(Requests))]
    public async Task Change_WhenTheAnswerNeverComes_IsUnknownAfterTheCallTimeout(string verb, string? requestId)
    {
        var time = new ManualTimeProvider();
        var server = new ScriptedServer(NeverAnswer);
        var service = new HttpLeaseService(new HttpClient(server) { BaseAddress = new("http://leases.test") }, time)
        {
            CallTimeout = TimeSpan.FromSeconds(2),
        };

        var call = Requests.CallAsync(verb, service);
        time.Advance(TimeSpan.FromSeconds(2) - TimeSpan.FromTicks(1));
        Assert.False(call.IsCompleted);
        time.Advance(TimeSpan.FromTicks(1));

        var unknown = Assert.IsType<Refusal.OutcomeUnknown>(await call);
        Assert.Equal(requestId, unknown.RequestId);
        Assert.Contains("2 s", unknown.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Requests.Reads), MemberType = typeof(Requests))]
    public async Task Read_WhenTheAnswerNeverComes_IsUnavailable(string verb)
    {
        var time = new ManualTimeProvider();
        var call = Requests.CallAsync(verb, new ScriptedServer(NeverAnswer).Service(time: time));

        time.Advance(TimeSpan.FromSeconds(15));

        Assert.IsType<Refusal.Unavailable>(await call);
    }

    [Fact]
    public async Task Acquire_ThatWaits_MayTakeItsWaitBeyondTheCallTimeout()
    {
        var time = new ManualTimeProvider();
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        var server = new ScriptedServer((_, cancellationToken) => answer.Task.WaitAsync(cancellationToken));

        var call = server.Service(time: time).AcquireAsync(Requests.Acquire with { Wait = TimeSpan.FromSeconds(25) }).AsTask();
        time.Advance(TimeSpan.FromSeconds(39));
        answer.SetResult(ScriptedServer.Reply(HttpStatusCode.OK, Requests.Grant));

        Assert.Equal(7, (await call).Value.Token);
    }

    [Theory]
    [InlineData("acquire")]
    [InlineData("renew")]
    [InlineData("get")]
    public async Task Call_WhenCancelled_ThrowsWithTheCallersToken(string verb)
    {
        using var cancel = new CancellationTokenSource();
        var call = Requests.CallAsync(verb, new ScriptedServer(NeverAnswer).Service(), cancel.Token);

        await cancel.CancelAsync();

        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(cancel.Token, cancelled.CancellationToken);
    }

    public static TheoryData<int, string, string> NotTheContracts => new()
    {
        { 502, "text/html", "<html>Bad Gateway</html>" },
        { 503, "text/plain", "upstream connect error or disconnect/reset before headers" },
        { 504, "text/html", "" },
        { 200, "text/html", "<html>Welcome to this network</html>" },
        { 404, "application/json", "{}" },
        {
            500, "application/problem+json",
            """{"type":"https://tools.ietf.org/html/rfc9110#section-15.6.1","title":"An error","status":500}"""
        },
        { 409, "application/problem+json", """{"type":"urn:orleans-leases:not-holder","detail":"d","reason":"bored","lastToken":1}""" },
        { 503, "application/problem+json", "" },
        { 200, "application/json", "null" },
        { 200, "application/json", Requests.Grant[..40] },
        { 200, "application/json", Requests.Grant.Replace("\"token\":7", "\"token\":0", StringComparison.Ordinal) },
        { 200, "application/json", Requests.Grant.Replace("\"token\":7", "\"token\":9007199254740992", StringComparison.Ordinal) },
        { 200, "application/json", Requests.Grant.Replace("\"token\":7", "\"token\":\"7\"", StringComparison.Ordinal) },
        { 200, "application/json", Requests.Grant.Replace("29990", "-1", StringComparison.Ordinal) },
        { 200, "application/json", Requests.Grant.Replace("29990", "1.5", StringComparison.Ordinal) },
        { 200, "application/json", Requests.Grant.Replace("29990", "9223372036854775807", StringComparison.Ordinal) },
        { 200, "application/json", Requests.Grant.Replace("jobs/nightly", "jobs/other", StringComparison.Ordinal) },
        { 200, "application/json", Requests.Grant.Replace("\"ann\"", "null", StringComparison.Ordinal) },
        { 200, "application/json", Requests.Grant.Replace("r1", "r2", StringComparison.Ordinal) },
    };

    [Theory]
    [MemberData(nameof(NotTheContracts))]
    public async Task Acquire_WhenTheAnswerIsNotTheContracts_IsUnknownAndSaysWhatCame(int status, string mediaType, string body)
    {
        var server = new ScriptedServer((HttpStatusCode)status, body, mediaType);

        var unknown = Assert.IsType<Refusal.OutcomeUnknown>((await server.Service().AcquireAsync(Requests.Acquire)).Refusal);

        Assert.Equal("r1", unknown.RequestId);
        Assert.Contains($"status {status}, {mediaType}", unknown.Detail, StringComparison.Ordinal);
    }

    // Of an application around the gateway, or of a proxy: it says so instead of passing the request on.
    [Theory]
    [InlineData("7")]
    [InlineData("Tue, 01 Jan 2030 00:00:07 GMT")]
    public async Task Acquire_BeyondARateOfOthers_IsUnavailableForAsLongAsTheySay(string retryAfter)
    {
        var server = new ScriptedServer((_, _) => Task.FromResult(TooMany(HttpStatusCode.TooManyRequests, retryAfter)));

        var refusal = (await server.Service(time: new ManualTimeProvider()).AcquireAsync(Requests.Acquire)).Refusal;

        Assert.Equal(TimeSpan.FromSeconds(7), Assert.IsType<Refusal.Unavailable>(refusal).RetryAfter);
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("Tue, 01 Jan 2030 00:00:07 GMT", 7)]
    [InlineData("Mon, 01 Jan 2029 00:00:07 GMT", 0)]
    public async Task Read_WhenOthersSayWhenToAskAgain_HasThat(string retryAfter, int seconds)
    {
        var server = new ScriptedServer((_, _) => Task.FromResult(TooMany(HttpStatusCode.ServiceUnavailable, retryAfter)));

        var refusal = (await server.Service(time: new ManualTimeProvider()).GetAsync(new() { Resource = "r" })).Refusal;

        Assert.Equal(TimeSpan.FromSeconds(seconds), Assert.IsType<Refusal.Unavailable>(refusal).RetryAfter);
    }

    private static HttpResponseMessage TooMany(HttpStatusCode status, string retryAfter)
    {
        var response = ScriptedServer.Reply(status, "Too many.", "text/plain");
        response.Headers.TryAddWithoutValidation("Retry-After", retryAfter);
        return response;
    }

    [Theory]
    [MemberData(nameof(Requests.Reads), MemberType = typeof(Requests))]
    public async Task Read_WhenTheAnswerIsNotTheContracts_IsUnavailable(string verb)
    {
        var server = new ScriptedServer(HttpStatusCode.BadGateway, "<html>\u001b[2J</html>", "text/html");

        var unavailable = Assert.IsType<Refusal.Unavailable>(await Requests.CallAsync(verb, server.Service()));

        Assert.Contains("status 502", unavailable.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(unavailable.Detail, char.IsControl);
    }

    [Fact]
    public async Task RenewBatch_WithAnAnswerMissing_IsUnknown()
    {
        var server = new ScriptedServer(HttpStatusCode.OK, $$"""{"elapsedMs":3,"results":[{{Requests.Renewal}}]}""");

        Assert.IsType<Refusal.OutcomeUnknown>((await server.Service().RenewBatchAsync(Requests.RenewBatch)).Refusal);
    }

    [Fact]
    public async Task Get_WithFieldsOfALaterVersion_ReadsTheRest()
    {
        var server = new ScriptedServer(
            HttpStatusCode.OK, Requests.Info.Replace("\"sequence\"", "\"colour\":\"red\",\"sequence\"", StringComparison.Ordinal));

        var info = (await server.Service().GetAsync(new() { Resource = "jobs/nightly" })).Value;

        Assert.Equal((LeaseStatus.Held, 7L, "ann"), (info.State, info.LastToken, info.Holders[0].Owner));
    }

    private static async Task<HttpResponseMessage> NeverAnswer(HttpRequestMessage request, CancellationToken cancellationToken) =>
        await new TaskCompletionSource<HttpResponseMessage>().Task.WaitAsync(cancellationToken);

    private static int UnusedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task HangUpAfterEachRequestAsync(TcpListener listener, Action connected, CancellationToken over)
    {
        try
        {
            while (true)
            {
                using var connection = await listener.AcceptTcpClientAsync(over);
                connected();
                var seen = new StringBuilder();
                var buffer = new byte[4096];
                while (!(seen.ToString() is var text
                    && (text.Contains('}', StringComparison.Ordinal)
                        || text.EndsWith("Content-Length: 0\r\n\r\n", StringComparison.Ordinal))))
                    seen.Append(Encoding.UTF8.GetString(buffer, 0, await connection.GetStream().ReadAsync(buffer, over)));
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
        }
    }
}
