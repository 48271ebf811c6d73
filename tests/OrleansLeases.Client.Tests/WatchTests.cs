using System.IO.Pipelines;
using System.Net;
using System.Text;
using System.Threading.Channels;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests;

/// <summary>A watch over connections that break: it goes on after the last event, or says resync.</summary>
public sealed class WatchTests
{
    private const string Granted =
        """{"resource":"jobs/nightly","sequence":4,"kind":"granted","owner":"ann","token":7,"at":"2030-01-01T00:00:00+00:00"}""";
    private const string Put = """{"key":"config/color","version":2,"kind":"key-put","at":"2030-01-01T00:00:00+00:00","value":"blue"}""";

    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(30);
    private static readonly WatchRequest OfResource = new() { Resource = "jobs/nightly" };

    private readonly ManualTimeProvider _time = new();
    private readonly Server _server = new();

    [Theory]
    [InlineData("a b/c", null, null, null, "/v1/watch?resource=a%20b%2Fc")]
    [InlineData("a", null, null, "17", "/v1/watch?resource=a&since=17")]
    [InlineData(null, "k", null, "17-4711", "/v1/watch?key=k&since=17-4711")]
    [InlineData(null, null, "", null, "/v1/watch?prefix=")]
    public async Task Watch_IsAskedForAsTheContractSays(string? resource, string? key, string? prefix, string? since, string expected)
    {
        _server.Accepts(1);
        var request = new WatchRequest
        {
            Resource = resource, Key = key, Prefix = prefix, Since = WatchPoint.TryParse(since, out var point) ? point : null,
        };
        await using var watch = (await Service().WatchAsync(request)).Value;
        Assert.Equal((expected, "text/event-stream"), await _server.AskedAsync());
    }

    [Fact]
    public async Task Events_AreReadWithTheirPlace()
    {
        _server.Accepts(1);
        await using var events = (await Service().WatchAsync(OfResource)).Value.GetAsyncEnumerator();
        await _server.AskedAsync();
        await _server.SendAsync(
            $":\n\nid: 3-5\nevent: state\ndata: {Requests.Info}\n\nevent: from-the-future\ndata: ?\n\nid: 4-5\nevent: granted\ndata: "
                + $"{Granted}\n\nevent: resync\ndata: {{}}\n\n");

        var state = Assert.IsType<WatchEvent.LeaseSnapshot>(await NextAsync(events));
        Assert.Equal((new WatchPoint(3, 5), "ann"), (state.ResumeFrom, state.Lease.Holders[0].Owner));
        var changed = Assert.IsType<WatchEvent.LeaseChanged>(await NextAsync(events));
        Assert.Equal((new WatchPoint(4, 5), LeaseEventKind.Granted, 7), (changed.ResumeFrom, changed.Lease.Kind, changed.Lease.Token));
        Assert.Null(Assert.IsType<WatchEvent.Resync>(await NextAsync(events)).ResumeFrom);
    }

    [Fact]
    public async Task Connection_ThatEnds_IsMadeAgain_AfterTheLastEvent()
    {
        _server.Accepts(2);
        await using var events = (await Service().WatchAsync(OfResource)).Value.GetAsyncEnumerator();
        Assert.Equal("/v1/watch?resource=jobs%2Fnightly", (await _server.AskedAsync()).Path);
        await _server.SendAsync($"id: 4-5\nevent: granted\ndata: {Granted}\n\nid: 5-5\nevent: gran");
        await NextAsync(events);
        _server.HangUp();
        var next = NextAsync(events);
        await PauseAsync(TimeSpan.FromMilliseconds(100));

        Assert.Equal("/v1/watch?resource=jobs%2Fnightly&since=4-5", (await _server.AskedAsync()).Path);
        await _server.SendAsync($"id: 5-5\nevent: granted\ndata: {Granted}\n\n");
        Assert.Equal(new WatchPoint(5, 5), (await next).ResumeFrom);
    }

    [Fact]
    public async Task Connection_OfAPrefix_ThatEnds_IsMadeAgain_WithResync()
    {
        _server.Accepts(2);
        await using var events = (await Service().WatchAsync(new() { Prefix = "" })).Value.GetAsyncEnumerator();
        await _server.AskedAsync();
        await _server.SendAsync($"id: 0\n\nevent: key-put\ndata: {Put}\n\n");
        var put = Assert.IsType<WatchEvent.KeyChanged>(await NextAsync(events));
        Assert.Equal((null, "blue"), (put.ResumeFrom, put.Key.Value));
        _server.HangUp();
        var next = NextAsync(events);
        await PauseAsync(TimeSpan.FromMilliseconds(100));

        Assert.IsType<WatchEvent.Resync>(await next);
        await _server.AskedAsync();
        await _server.SendAsync($"id: 0\n\nevent: key-put\ndata: {Put}\n\n");
        Assert.IsType<WatchEvent.KeyChanged>(await NextAsync(events));
    }

    [Fact]
    public async Task Connection_ThatIsSilent_IsMadeAgain_UnlessThereAreComments()
    {
        _server.Accepts(2);
        await using var events = (await Service().WatchAsync(OfResource)).Value.GetAsyncEnumerator();
        await _server.AskedAsync();
        var next = NextAsync(events);
        await PassAsync(TimeSpan.FromSeconds(45) - TimeSpan.FromTicks(1));
        await _server.SendAsync(":\n\n");
        await UntilAsync(() => _time.NextTimerIn == TimeSpan.FromSeconds(45));
        Assert.Equal(1, _server.Connections);

        await PassAsync(TimeSpan.FromSeconds(45));
        await PauseAsync(TimeSpan.FromMilliseconds(100));

        await _server.AskedAsync();
        await _server.SendAsync($"id: 4-5\nevent: granted\ndata: {Granted}\n\n");
        await next;
    }

    [Fact]
    public async Task Server_ThatIsAway_IsAskedAgainMoreAndMoreRarely()
    {
        _server.Accepts(1);
        await using var events = (await Service().WatchAsync(OfResource)).Value.GetAsyncEnumerator();
        await _server.AskedAsync();
        var next = NextAsync(events);
        _server.HangUp();
        foreach (var pause in (int[])[100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000])
        {
            await PauseAsync(TimeSpan.FromMilliseconds(pause));
        }

        await UntilAsync(() => _server.Connections == 10);
        _server.Accepts(1);
        await PauseAsync(TimeSpan.FromSeconds(10));
        await _server.AskedAsync();
        await _server.SendAsync($"id: 4-5\nevent: granted\ndata: {Granted}\n\n");

        await next;
        Assert.Equal(11, _server.Connections);
    }

    [Fact]
    public async Task Server_ThatSendsWhatIsNoEvent_IsAskedAgain()
    {
        _server.Accepts(2);
        await using var events = (await Service().WatchAsync(OfResource)).Value.GetAsyncEnumerator();
        await _server.AskedAsync();
        await _server.SendAsync("id: 4-5\nevent: granted\ndata: {\"resource\":7}\n\n");
        var next = NextAsync(events);
        await PauseAsync(TimeSpan.FromMilliseconds(100));
        await _server.AskedAsync();
        await _server.SendAsync($"id: 4-5\nevent: granted\ndata: {Granted}\n\n");
        await next;
    }

    [Fact]
    public async Task Server_ThatRefusesToGoOn_EndsTheWatchWithItsReason()
    {
        _server.Accepts(1);
        await using var events = (await Service().WatchAsync(OfResource)).Value.GetAsyncEnumerator();
        await _server.AskedAsync();
        var next = events.MoveNextAsync().AsTask();
        _server.Refuses(
            HttpStatusCode.Forbidden, """{"type":"urn:orleans-leases:forbidden","title":"t","status":403,"detail":"Not for you."}""");
        _server.HangUp();
        await PauseAsync(TimeSpan.FromMilliseconds(100));

        Assert.Contains(
            "Not for you.", (await Assert.ThrowsAsync<InvalidOperationException>(() => next.WaitAsync(WaitTimeout))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WhereTheAnswerIsNoStream_IsUnavailable()
    {
        _server.Refuses(HttpStatusCode.OK, "<html>Hello</html>");
        Assert.Contains(
            "<html>", Assert.IsType<Refusal.Unavailable>((await Service().WatchAsync(OfResource)).Refusal).Detail,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_ThatIsDisposedOfUnread_ClosesItsConnection()
    {
        _server.Accepts(1);
        var watch = (await Service().WatchAsync(OfResource)).Value;
        await _server.AskedAsync();
        await watch.DisposeAsync();
        Assert.Throws<InvalidOperationException>(() => watch.GetAsyncEnumerator());
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            while (true) await _server.SendAsync(":\n\n").WaitAsync(WaitTimeout);
        });
    }

    private HttpLeaseService Service() =>
        new(new HttpClient(_server) { BaseAddress = new("http://leases.test"), Timeout = Timeout.InfiniteTimeSpan }, _time);

    private static async Task<WatchEvent> NextAsync(IAsyncEnumerator<WatchEvent> events)
    {
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(WaitTimeout), "The watch ended.");
        return events.Current;
    }

    /// <summary>Waits until the client sleeps for a time, and lets it pass.</summary>
    private async Task PassAsync(TimeSpan time)
    {
        await UntilAsync(() => _time.NextTimerIn is { } due && due >= time && due <= time + TimeSpan.FromTicks(1));
        _time.Advance(time);
    }

    /// <summary>Waits until the client pauses for a time, or at most half as long again, and lets that pass.</summary>
    private async Task PauseAsync(TimeSpan least)
    {
        await UntilAsync(() => _time.NextTimerIn is { } due && due >= least && due < least * 1.5);
        _time.Advance(_time.NextTimerIn!.Value);
    }

    private static async Task UntilAsync(Func<bool> happened)
    {
        using var timeout = new CancellationTokenSource(WaitTimeout);
        while (!happened()) await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, timeout.Token);
    }

    /// <summary>Streams what the test sends, or refuses.</summary>
    private sealed class Server : HttpMessageHandler
    {
        private readonly Channel<(string Path, string Accept, PipeWriter Stream)> _asked =
            Channel.CreateUnbounded<(string, string, PipeWriter)>();
        private volatile Func<HttpResponseMessage>? _refusal;
        private PipeWriter? _stream;
        private int _accepts;
        private int _connections;

        public int Connections => Volatile.Read(ref _connections);

        public void Accepts(int connections) => Volatile.Write(ref _accepts, connections);

        public void Refuses(HttpStatusCode status, string body) => _refusal = () => ScriptedServer.Reply(status, body);

        /// <summary>The next connection; what is sent from now on goes there.</summary>
        public async Task<(string Path, string Accept)> AskedAsync()
        {
            var (path, accept, stream) = await _asked.Reader.ReadAsync().AsTask().WaitAsync(WaitTimeout);
            _stream = stream;
            return (path, accept);
        }

        public async Task SendAsync(string text)
        {
            if ((await _stream!.WriteAsync(Encoding.UTF8.GetBytes(text))).IsCompleted) throw new IOException("Nobody reads.");
        }

        public void HangUp() => _stream!.Complete(new IOException("The connection was reset."));

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var refuse = _refusal;
            var accepted = refuse is null && Interlocked.Decrement(ref _accepts) >= 0;
            // Counted once it is decided, so that a test that has seen it may change what comes of the next.
            Interlocked.Increment(ref _connections);
            if (refuse is not null) return Task.FromResult(refuse());
            if (!accepted)
            {
                return Task.FromException<HttpResponseMessage>(
                    new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused"));
            }

            var stream = new Pipe();
            _asked.Writer.TryWrite((request.RequestUri!.PathAndQuery, request.Headers.Accept.ToString(), stream.Writer));
            var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(stream.Reader.AsStream()) };
            response.Content.Headers.ContentType = new("text/event-stream");
            return Task.FromResult(response);
        }
    }
}
