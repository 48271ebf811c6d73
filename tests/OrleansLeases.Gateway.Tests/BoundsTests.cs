using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLeases.Gateway.Bounds;
using OrleansLeases.Gateway.Hosting;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Json;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>What is beyond the bounds of a server is refused; holders and those who look after it go on.</summary>
public sealed class BoundsTests
{
    private const string Acquire = """{ "resource": "r", "owner": "ann", "ttlMs": 30000 }""";
    private const string Wait = """{ "resource": "r", "owner": "ann", "ttlMs": 30000, "waitMs": 20000 }""";
    private const string Renew = """{ "resource": "r", "owner": "ann", "token": 7 }""";

    [Fact]
    public async Task Requests_BeyondTheBound_AreRefused_AndHoldersGoOn()
    {
        var leases = new HeldUp();
        await using var host = await GatewayHost.StartAsync(leases.Service, options: options => options.MaxOpenRequests = 2);
        var open = new[] { host.PostAsync("v1/leases/acquire", Acquire), host.PostAsync("v1/leases/acquire", Acquire) };
        await leases.HasAsync(2);

        foreach (var _ in open)
        {
            AssertFull("openRequests", await host.PostAsync("v1/leases/acquire", Acquire));
            AssertFull("openRequests", await host.GetAsync("v1/leases/r"));
        }

        Assert.Equal(200, (await host.PostAsync("v1/leases/renew", Renew)).Status);
        Assert.Equal(200, (await host.PostAsync("v1/leases/renew-batch", $$"""{ "leases": [{{Renew}}] }""")).Status);
        Assert.Equal(200, (await host.PostAsync("v1/leases/release", Renew)).Status);
        Assert.Equal(200, (await host.SendAsync(HttpMethod.Delete, "v1/keys/k")).Status);
        Assert.Equal(200, (await host.GetAsync("health/live")).Status);
        Assert.Equal(200, (await host.GetAsync("health/ready")).Status);
        Assert.Equal(200, (await host.GetAsync("openapi/v1.json")).Status);

        leases.GoOn.SetResult();
        foreach (var call in open) Assert.Equal(200, (await call).Status);
        // A call is over a little after its caller has the answer.
        await UntilTakenAsync(async () => (await host.GetAsync("v1/leases/r")).Status);
        Assert.Equal([7303, 7304], host.Log.OfGateway.Select(record => record.Id).Where(id => id is 7303 or 7304));
    }

    [Fact]
    public async Task Refusals_ThatOutsidersDoNotRead_HoldNoPlaceOfHolders()
    {
        var (stalled, read) = (new SemaphoreSlim(0), new TaskCompletionSource());
        await using var host = await GatewayHost.StartAsync(
            new HeldUp().Service,
            around: (context, next) =>
            {
                if (context.Request.Headers.ContainsKey("Sec-Fetch-Site"))
                    context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(new Unread(stalled, read.Task)));
                return next(context);
            },
            options: options => options.MaxOpenRequests = 1);
        var open = new List<Task>();
        for (var i = 0; i < 5; i++)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "v1/leases/renew") { Headers = { { "Sec-Fetch-Site", "cross-site" } } };
            open.Add(host.Client.SendAsync(request));
            Assert.True(await stalled.WaitAsync(TimeSpan.FromSeconds(20)));
        }

        Assert.Equal(200, (await host.PostAsync("v1/leases/renew", Renew)).Status);
        read.SetResult();
        await Task.WhenAll(open).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public void WhatIsOpenToAll_HasRoomApartFromRenewals()
    {
        var memory = new MemoryBound(100, MemoryBound.OfProcess, () => { }, TimeProvider.System, NullLogger.Instance);
        var bounds = new GatewayBounds(new MostOpen(1, 1, 1), memory, NullLoggerFactory.Instance);

        Assert.Null(bounds.EnterOwn(isOpenToAll: true));
        Assert.NotNull(bounds.EnterOwn(isOpenToAll: true));

        for (var i = 0; i < 4; i++) Assert.Null(bounds.EnterOwn(isOpenToAll: false));
        Assert.NotNull(bounds.EnterOwn(isOpenToAll: false));
    }

    [Fact]
    public async Task Batch_BeyondTheBound_HasItsRenewalsDone()
    {
        var leases = new HeldUp();
        await using var host = await GatewayHost.StartAsync(leases.Service, options: options => options.MaxOpenRequests = 1);
        var open = host.PostAsync("v1/leases/acquire", Acquire);
        await leases.HasAsync(1);

        var mixed = await host.PostAsync(
            "v1/batch",
            $$"""
            { "operations": [{ "op": "acquire", {{Acquire[1..]}}, { "op": "renew", {{Renew[1..]}}, { "op": "release", {{Renew[1..]}}] }
            """);

        var results = mixed.Body.GetProperty("results");
        Assert.Equal([429, 200, 200], results.EnumerateArray().Select(result => result.GetProperty("status").GetInt32()));
        Assert.Equal("openRequests", results[0].GetProperty("body").GetProperty("limit").GetString());
        leases.GoOn.SetResult();
        await open;
    }

    [Fact]
    public async Task Waits_BeyondTheBound_AreRefused_AndAcquiresThatDoNotWaitAreNot()
    {
        var leases = new HeldUp();
        await using var host = await GatewayHost.StartAsync(leases.Service, options: options => options.MaxOpenWaits = 1);
        var open = host.PostAsync("v1/leases/acquire", Wait);
        await leases.HasAsync(1);

        AssertFull("openWaits", await host.PostAsync("v1/leases/acquire", Wait));
        AssertFull("openWaits", await host.PostAsync("v1/leases/acquire", Wait));
        leases.GoOn.SetResult();

        Assert.Equal(200, (await open).Status);
        Assert.Equal(200, (await host.PostAsync("v1/leases/acquire", Acquire)).Status);
        await UntilTakenAsync(async () => (await host.PostAsync("v1/leases/acquire", Wait)).Status);
    }

    [Fact]
    public async Task Watches_BeyondTheBound_AreRefusedUntilOneEnds()
    {
        var silent = new TaskCompletionSource();
        var leases = new ScriptedLeases { OnWatch = _ => new LeaseWatch(NothingUntil(silent.Task), new MemoryStream()) };
        await using var host = await GatewayHost.StartAsync(leases, options: options => options.MaxOpenWatches = 1);
        using var open = await host.Client.GetAsync("v1/watch?resource=r", HttpCompletionOption.ResponseHeadersRead);

        AssertFull("openWatches", await host.GetAsync("v1/watch?resource=r"));
        silent.SetResult();
        await open.Content.ReadAsStringAsync();

        await UntilTakenAsync(async () =>
        {
            using var next = await host.Client.GetAsync("v1/watch?resource=r", HttpCompletionOption.ResponseHeadersRead);
            return (int)next.StatusCode;
        });
    }

    [Fact]
    public async Task Call_ThatIsRefused_EndsItsConnection()
    {
        var leases = new HeldUp();
        await using var host = await GatewayHost.StartAsync(leases.Service, options: options => options.MaxOpenRequests = 1);
        var open = host.PostAsync("v1/leases/acquire", Acquire);
        await leases.HasAsync(1);
        await using var connection = await RawConnection.OpenAsync(host.Address);

        await connection.SendAsync("GET /v1/leases/r HTTP/1.1\r\nHost: localhost\r\n\r\n");

        // It is read until the server closes.
        AssertFull("openRequests", Reply.Parse(await connection.ReadAsync()));
        leases.GoOn.SetResult();
        await open;
    }

    [Fact]
    public async Task Connection_InTheReserve_IsForOneCallOfAHolder()
    {
        var bound = new ConnectionBound(10, "", NullLogger<ConnectionBound>.Instance);
        for (var i = 0; i < 9; i++) bound.Enter(new DefaultConnectionContext())!.Hear();
        var place = bound.Enter(new DefaultConnectionContext());
        await using var host = await GatewayHost.StartAsync(new ScriptedLeases(), around: (context, next) =>
        {
            context.Features.Set(place);
            return next(context);
        });
        await using var other = await RawConnection.OpenAsync(host.Address);
        await using var holder = await RawConnection.OpenAsync(host.Address);

        await other.SendAsync("GET /v1/leases/r HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await holder.SendAsync(
            $"POST /v1/leases/renew HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {Renew.Length}\r\n\r\n"
            + Renew);
        var batch = await host.PostAsync(
            "v1/batch", $$"""{ "operations": [{ "op": "acquire", {{Acquire[1..]}}, { "op": "renew", {{Renew[1..]}}] }""");

        // They are read until the server closes.
        AssertFull("connections", Reply.Parse(await other.ReadAsync()));
        Assert.Equal(200, Reply.Parse(await holder.ReadAsync()).Status);
        var results = batch.Body.GetProperty("results");
        Assert.Equal([429, 200], results.EnumerateArray().Select(result => result.GetProperty("status").GetInt32()));
        Assert.Equal("connections", results[0].GetProperty("body").GetProperty("limit").GetString());
    }

    [Theory]
    [InlineData(0, null, null, 85, "MaxOpenRequests")]
    [InlineData(null, -1, null, 85, "MaxOpenWaits")]
    [InlineData(null, null, 0, 85, "MaxOpenWatches")]
    [InlineData(null, null, null, 0, "MaxMemoryPercent")]
    [InlineData(null, null, null, 101, "MaxMemoryPercent")]
    public async Task Bound_OutOfBounds_IsRefusedByName(int? requests, int? waits, int? watches, int memory, string name)
    {
        var wrong = await Assert.ThrowsAsync<ArgumentException>(() => GatewayHost.StartAsync(new ScriptedLeases(), options: options =>
            (options.MaxOpenRequests, options.MaxOpenWaits, options.MaxOpenWatches, options.MaxMemoryPercent) =
                (requests, waits, watches, memory)));

        Assert.StartsWith($"{name} is ", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_BeyondTheBound_RefusesUntilItIsLess_AndIsCollected()
    {
        var (time, used, collected) = (new ManualTimeProvider(), 84L, 0);
        var memory = new MemoryBound(85, () => new(used << 20, 100L << 20), () => collected++, time, NullLogger.Instance);
        Assert.Null(memory.Refuse());

        used = 85;
        Assert.Null(memory.Refuse());
        for (var i = 0; i < 25; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            Assert.Equal("memory", memory.Refuse()?.Limit);
        }

        Assert.Equal(2, collected);
        used = 84;
        time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Null(memory.Refuse());
    }

    [Fact]
    public void Memory_OfWhichAllMayBeUsed_RefusesNothing() => Assert.Null(
        new MemoryBound(100, () => new(200, 100), () => { }, new ManualTimeProvider(), NullLogger.Instance).Refuse());

    [Fact]
    public void Holders_GoOn_WithoutMemory()
    {
        var memory = new MemoryBound(50, () => new(90, 100), () => { }, new ManualTimeProvider(), NullLogger.Instance);
        var bounds = new GatewayBounds(new MostOpen(1, 1, 1), memory, NullLoggerFactory.Instance);

        Assert.Equal("memory", bounds.Enter(place: null)?.Limit);
        Assert.Null(bounds.EnterOwn(isOpenToAll: false));
    }

    [Fact]
    public async Task Body_WithoutRoom_IsRefused_AndGivesItsPartBack()
    {
        var room = new BodyRoom(20_000);
        var body = $$"""{ "value": "{{new string('v', 30_000)}}" }""";
        var (status, request) = await ReadAsync(room, body);
        Assert.Equal((429, null), (status, request));
        for (var i = 0; i < 3; i++)
        {
            (_, request) = await ReadAsync(room, $$"""{ "value": "{{new string('v', 20_000)}}" }""");
            Assert.Equal(20_000, request?.Value.Length);
        }
    }

    private static async Task<(int Status, PutKeyRequest? Request)> ReadAsync(BodyRoom room, string body)
    {
        var context = new DefaultHttpContext();
        context.SetEndpoint(new Endpoint(_ => Task.CompletedTask, new EndpointMetadataCollection(room), "put"));
        context.Request.ContentType = "application/json";
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        var request = await RequestBody.ReadAsync(context, new BodyReader<PutKeyRequest>(LeaseJson.Default.PutKeyRequest));
        return (context.Response.StatusCode, request);
    }

    private static async IAsyncEnumerable<WatchEvent> NothingUntil(Task end)
    {
        await end;
        yield break;
    }

    private static async Task UntilTakenAsync(Func<Task<int>> call)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        int status;
        while ((status = await call()) == 429) limit.Token.ThrowIfCancellationRequested();
        Assert.Equal(200, status);
    }

    private static void AssertFull(string limit, Reply reply)
    {
        Assert.Equal((429, "urn:orleans-leases:limit-reached", "1"), (reply.Status, reply.Type, reply.RetryAfter));
        Assert.Equal(limit, reply.Body.GetProperty("limit").GetString());
    }

    /// <summary>A service whose acquires last until they may go on.</summary>
    private sealed class HeldUp
    {
        public HeldUp() => Service = new ScriptedLeases
        {
            OnAcquire = async (request, _) =>
            {
                await GoOn.Task;
                return ScriptedLeases.Grant(request);
            },
        };

        public ScriptedLeases Service { get; }

        public TaskCompletionSource GoOn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task HasAsync(int calls)
        {
            while (Service.Asked.Count < calls) await Task.Yield();
        }
    }

    /// <summary>What a caller does not read.</summary>
    private sealed class Unread(SemaphoreSlim stalled, Task read) : MemoryStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            stalled.Release();
            await read;
        }
    }
}
