using System.Threading.Channels;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>Events as they are on the wire, how a client comes back, and how a stream ends.</summary>
public sealed class WatchTests : IAsyncLifetime
{
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(30);

    private readonly ManualTimeProvider _time = new();
    private readonly EmbeddedLeases _leases;
    private readonly string _history;
    private GatewayHost _host = null!;

    public WatchTests()
    {
        // Nothing is swept, so that the only timer is the stream's.
        _leases = EmbeddedLeases.InMemory(new() { Retain = TimeSpan.Zero }, _time);
        // An engine without a disk begins another history whenever it starts, by its clock.
        _history = $"{(_time.GetUtcNow() - new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero)).TotalMilliseconds}";
    }

    public async Task InitializeAsync() => _host = await GatewayHost.StartAsync(_leases, time: _time);

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _leases.DisposeAsync();
    }

    [Fact]
    public async Task Stream_OfAResource_IsAsTheContractSays()
    {
        using var events = await EventReader.OpenAsync(_host, "resource=a/b");
        Assert.Equal(":", await events.NextAsync());
        Assert.Equal(
            $$"""
            id: 0-{{_history}}
            event: state
            data: {"resource":"a/b","state":"free","holders":[],"lastToken":0,"waiters":0,"sequence":0}
            """,
            await events.NextAsync());

        var token = await AcquireAsync("a/b");

        Assert.Equal(
            $$"""
            id: 1-{{_history}}
            event: granted
            data: {"resource":"a/b","sequence":1,"kind":"granted","owner":"ann","token":{{token}},"at":"2030-01-01T00:00:00+00:00"}
            """,
            await events.NextAsync());
        await _leases.BreakAsync(new BreakRequest { Resource = "a/b", Grace = TimeSpan.Zero, Force = true, Reason = "upkeep" });
        Assert.StartsWith($"id: 2-{_history}\nevent: breaking\ndata: {{", await events.NextAsync(), StringComparison.Ordinal);
        Assert.EndsWith(""","reason":"upkeep"}""", await events.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_OfAKey_IsAsTheContractSays()
    {
        var token = await AcquireAsync("r");
        await PutAsync("k", "1");
        using var events = await EventReader.OpenAsync(_host, "key=k");
        await events.NextAsync();
        Assert.Equal(
            $$"""
            id: 1-{{_history}}
            event: state
            data: {"key":"k","version":1,"value":"1"}
            """,
            await events.NextAsync());

        await PutAsync("k", "2\n\n3", new KeyLease { Resource = "r", Owner = "ann", Token = token });
        await _leases.ReleaseAsync(new ReleaseRequest { Resource = "r", Owner = "ann", Token = token });

        var lease = $$"""{"resource":"r","owner":"ann","token":{{token}}}""";
        Assert.Equal(
            $$"""
            id: 2-{{_history}}
            event: key-put
            data: {"key":"k","version":2,"kind":"key-put","at":"2030-01-01T00:00:00+00:00","value":"2\n\n3","lease":{{lease}}}
            """,
            await events.NextAsync());
        Assert.Equal(
            $$"""
            id: 3-{{_history}}
            event: key-deleted
            data: {"key":"k","version":3,"kind":"key-deleted","at":"2030-01-01T00:00:00+00:00"}
            """,
            await events.NextAsync());
    }

    [Theory]
    [InlineData("resource=r&since=1", null, 2)]
    [InlineData("resource=r", "2", 3)]
    [InlineData("resource=r&since=0", "2", 3)]
    [InlineData("resource=r&since=what", "2", 3)]
    public async Task Stream_GoesOnAfterLastEventId_ElseAfterSince(string query, string? lastEventId, int first)
    {
        for (var i = 0; i < 3; i++) await AcquireAsync("r", shared: true);
        using var events = await EventReader.OpenAsync(_host, query, lastEventId);
        await events.NextAsync();
        Assert.StartsWith($"id: {first}-{_history}\nevent: granted\n", await events.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_AfterAnIdOfAnotherHistory_SaysResync()
    {
        await AcquireAsync("r");
        using var events = await EventReader.OpenAsync(_host, "resource=r", "1-4711");
        await events.NextAsync();
        Assert.Equal("event: resync\ndata: {}", await events.NextAsync());
        Assert.StartsWith($"id: 1-{_history}\nevent: state\n", await events.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_OfAPrefix_SaysResyncToWhoeverWasHereBefore()
    {
        using var first = await EventReader.OpenAsync(_host, "prefix=");
        Assert.Equal("id: 0", await first.NextAsync());
        using var again = await EventReader.OpenAsync(_host, "prefix=", "0");
        Assert.Equal("id: 0\nevent: resync\ndata: {}", await again.NextAsync());

        await PutAsync("k", "1");

        Assert.StartsWith("event: key-put\ndata: {", await first.NextAsync(), StringComparison.Ordinal);
        Assert.StartsWith("event: key-put\ndata: {", await again.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_ThatIsSilent_HasACommentEvery15Seconds()
    {
        using var events = await EventReader.OpenAsync(_host, "prefix=nothing");
        await events.NextAsync();
        for (var i = 0; i < 3; i++)
        {
            while (_time.NextTimerIn != TimeSpan.FromSeconds(15)) await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
            _time.Advance(TimeSpan.FromSeconds(15));
            Assert.Equal(":", await events.NextAsync());
        }
    }

    [Theory]
    [InlineData("", null, "resource")]
    [InlineData("resource=a&key=b", null, "resource")]
    [InlineData("resource=a//b", null, "resource")]
    [InlineData("key=", null, "key")]
    [InlineData("resource=a&since=-1", null, "since")]
    [InlineData("resource=a&since=", null, "since")]
    [InlineData("resource=a&since=1-2-3", null, "since")]
    [InlineData("resource=a&since=99999999999999999999", null, "since")]
    [InlineData("prefix=a&since=1", null, "since")]
    [InlineData("resource=a&resource=b", null, "resource")]
    [InlineData("resource=a&other=b", null, "other")]
    [InlineData("resource=a", "x", "Last-Event-ID")]
    public async Task BadInput_IsRefusedByName(string query, string? lastEventId, string field)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/watch?{query}");
        if (lastEventId is not null) request.Headers.Add("Last-Event-ID", lastEventId);
        (await Reply.ReadAsync(await _host.Client.SendAsync(request))).AssertInvalid(field);
    }

    [Fact]
    public async Task OtherMethods_AreNamed()
    {
        var reply = await _host.SendAsync(HttpMethod.Post, "/v1/watch");
        Assert.Equal((405, "GET"), (reply.Status, reply.Allow));
    }

    [Fact]
    public async Task Refusal_OfTheService_IsItsProblem()
    {
        await using var host = await GatewayHost.StartAsync(new ScriptedLeases());
        var reply = await host.GetAsync("/v1/watch?key=a");
        Assert.Equal((503, "urn:orleans-leases:unavailable", "1"), (reply.Status, reply.Type, reply.RetryAfter));
    }

    [Fact]
    public async Task Stream_WhenTheHostStops_Ends()
    {
        using var events = await EventReader.OpenAsync(_host, "resource=r");
        await events.NextAsync();
        await events.NextAsync();
        await _host.StopAsync().WaitAsync(WaitTimeout);
        Assert.Null(await events.NextAsync());
        Assert.Empty(_host.Log.Errors);
    }

    [Fact]
    public async Task Stream_WhenItsClientHangsUp_LetsTheWatchGo()
    {
        var source = new Source();
        await using var host = await GatewayHost.StartAsync(
            new ScriptedLeases { OnWatch = _ => new LeaseWatch(source.ReadAsync(), source) });
        using (var events = await EventReader.OpenAsync(host, "resource=r")) await events.NextAsync();
        await source.Ended.WaitAsync(WaitTimeout);
        await source.Disposed.WaitAsync(WaitTimeout);
        Assert.Empty(host.Log.Errors);
    }

    [Fact]
    public async Task Stream_ThatIsNotRead_HoldsUpItsWatchOnly()
    {
        var source = new Source();
        await using var host = await GatewayHost.StartAsync(
            new ScriptedLeases { OnWatch = _ => new LeaseWatch(source.ReadAsync(), source) });
        using var events = await EventReader.OpenAsync(host, "prefix=");
        await events.NextAsync();
        var change = new WatchEvent.KeyChanged(
            new KeyChange { Key = "k", Version = 1, Kind = KeyEventKind.KeyPut, At = default, Value = new string('x', 60_000) });
        for (var i = 0; i < 2_000; i++) source.Events.Writer.TryWrite(change);

        // The connection takes some megabytes, and then the watch is no longer read.
        var left = -1;
        while (left != source.Events.Reader.Count || left == 2_000)
        {
            left = source.Events.Reader.Count;
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }

        Assert.InRange(left, 1_000, 1_999);
        Assert.Equal(200, (await host.GetAsync("/health/live")).Status);
    }

    private async Task<long> AcquireAsync(string resource, bool shared = false) => (await _leases.AcquireAsync(new AcquireRequest
    {
        Resource = resource,
        Owner = shared ? $"{Guid.NewGuid()}" : "ann",
        Ttl = TimeSpan.FromHours(1),
        Mode = shared ? LeaseMode.Shared : LeaseMode.Exclusive,
    })).Value.Token;

    private async Task PutAsync(string key, string value, KeyLease? lease = null) =>
        _ = (await _leases.PutKeyAsync(key, new PutKeyRequest { Value = value, Lease = lease })).Value;

    /// <summary>A watch in the test's hands.</summary>
    private sealed class Source : IDisposable
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Channel<WatchEvent> Events { get; } = Channel.CreateUnbounded<WatchEvent>();

        public Task Ended => _ended.Task;

        public Task Disposed => _disposed.Task;

        public async IAsyncEnumerable<WatchEvent> ReadAsync(
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            try
            {
                await foreach (var told in Events.Reader.ReadAllAsync(cancellationToken)) yield return told;
            }
            finally
            {
                _ended.TrySetResult();
            }
        }

        public void Dispose() => _disposed.TrySetResult();
    }
}
