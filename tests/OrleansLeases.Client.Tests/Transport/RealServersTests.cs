using System.Net;
using System.Net.Sockets;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests;

/// <summary>Two real servers of one service, and sockets that lead nowhere.</summary>
public sealed class RealServersTests : IAsyncLifetime
{
    private static readonly AcquireRequest Ann = new() { Resource = "r", Owner = "ann", Ttl = TimeSpan.FromMinutes(1) };
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    private readonly EmbeddedLeases _service = EmbeddedLeases.InMemory();
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private GatewayServer _first = null!;
    private GatewayServer _second = null!;

    private readonly TaskCompletionSource _bobIsAtTheSecond = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task InitializeAsync()
    {
        _first = await GatewayServer.StartAsync(_service);
        _second = await GatewayServer.StartAsync(new Seen(_service, request =>
        {
            if (request.Owner == "bob") _bobIsAtTheSecond.TrySetResult();
        }));
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task Acquire_InLineAtAServerThatShutsDown_KeepsItsPlaceAtTheOther()
    {
        var (holder, first, second) = await TwoInLineAsync(CancellationToken.None);

        await _first.StopAsync();
        await _bobIsAtTheSecond.Task.WaitAsync(WaitTimeout);
        await ReleaseAsync(holder);

        var grant = (await first.WaitAsync(WaitTimeout)).Value;
        Assert.Equal("bob", grant.Owner);
        Assert.False(second.IsCompleted);
        await ReleaseAsync(grant);
        Assert.Equal("cid", (await second.WaitAsync(WaitTimeout)).Value.Owner);
    }

    [Fact]
    public async Task Acquire_CancelledAfterItMovedToAnotherServer_GivesItsPlaceToTheNext()
    {
        using var cancel = new CancellationTokenSource();
        var (holder, first, second) = await TwoInLineAsync(cancel.Token);
        await _first.StopAsync();
        await _bobIsAtTheSecond.Task.WaitAsync(WaitTimeout);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Eventually.TrueAsync(() => Look().Waiters == 1);
        await ReleaseAsync(holder);
        var grant = (await second.WaitAsync(WaitTimeout)).Value;
        Assert.Equal(("cid", holder.Token + 1), (grant.Owner, grant.Token));
    }

    [Fact]
    public async Task Watch_OfAResource_WhoseServerStops_GoesOnAtTheOtherWithoutAGap()
    {
        var service = Service(_first.Address, _second.Address);
        await using var events = (await service.WatchAsync(new() { Resource = "r" })).Value.GetAsyncEnumerator();
        var sequence = Assert.IsType<WatchEvent.LeaseSnapshot>(await NextAsync(events)).Lease.Sequence;
        var grant = (await service.AcquireAsync(Ann)).Value;
        Assert.Equal(++sequence, Assert.IsType<WatchEvent.LeaseChanged>(await NextAsync(events)).Lease.Sequence);

        await _first.StopAsync();
        for (var i = 0; i < 3; i++)
        {
            await ReleaseAsync(grant);
            grant = (await service.AcquireAsync(Ann)).Value;
        }

        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(++sequence, Assert.IsType<WatchEvent.LeaseChanged>(await NextAsync(events)).Lease.Sequence);
        }
    }

    [Fact]
    public async Task Watch_OfAPrefix_WhoseServerStops_GoesOnAtTheOtherWithResync()
    {
        var service = Service(_first.Address, _second.Address);
        await using var events = (await service.WatchAsync(new() { Prefix = "" })).Value.GetAsyncEnumerator();
        await service.AcquireAsync(Ann);
        Assert.IsType<WatchEvent.LeaseChanged>(await NextAsync(events));

        await _first.StopAsync();

        Assert.IsType<WatchEvent.Resync>(await NextAsync(events));
        await service.AcquireAsync(Ann with { Resource = "s" });
        Assert.Equal("s", Assert.IsType<WatchEvent.LeaseChanged>(await NextAsync(events)).Lease.Resource);
    }

    [Fact]
    public async Task Call_AtAServerThatNeverAnswers_GoesOnToTheNext()
    {
        // It takes connections, and reads nothing.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var service = new HttpLeaseService(_http, [new($"http://{silent.LocalEndpoint}"), _first.Address])
        {
            ServerTimeout = TimeSpan.FromMilliseconds(100),
        };

        var grant = (await service.AcquireAsync(Ann)).Value;

        Assert.Equal(grant.Token, Assert.Single(Look().Holders).Token);
    }

    [Fact]
    public async Task Change_WhoseConnectionIsNotMadeInTime_WasSurelyNotSent()
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromMilliseconds(50),
            ConnectCallback = async (_, stop) => await new TaskCompletionSource<Stream>().Task.WaitAsync(stop),
        };
        using var http = new HttpClient(handler) { BaseAddress = new("http://black.hole"), Timeout = Timeout.InfiniteTimeSpan };

        var unavailable = Assert.IsType<Refusal.Unavailable>((await new HttpLeaseService(http).AcquireAsync(Ann)).Refusal);

        Assert.Contains("ConnectTimeout", unavailable.Detail, StringComparison.Ordinal);
    }

    private HttpLeaseService Service(params Uri[] servers) => new(_http, servers);

    /// <summary>Ann holds; Bob waits, by the first server and then by the other; Cid waits behind him, by the other.</summary>
    private async Task<(LeaseGrant Holder, Task<LeaseResult<LeaseGrant>> First, Task<LeaseResult<LeaseGrant>> Second)> TwoInLineAsync(
        CancellationToken cancellationToken)
    {
        var holder = (await _service.AcquireAsync(Ann, CancellationToken.None)).Value;
        var waiting = Ann with { Wait = TimeSpan.FromSeconds(25) };
        var first = Service(_first.Address, _second.Address).AcquireAsync(waiting with { Owner = "bob" }, cancellationToken).AsTask();
        await Eventually.TrueAsync(() => Look().Waiters == 1);
        var second = Service(_second.Address).AcquireAsync(waiting with { Owner = "cid" }, CancellationToken.None).AsTask();
        await Eventually.TrueAsync(() => Look().Waiters == 2);
        return (holder, first, second);
    }

    private LeaseInfo Look() => _service.GetAsync(new() { Resource = "r" }).AsTask().Result.Value;

    private async Task ReleaseAsync(LeaseGrant grant) =>
        Assert.Null((await _service.ReleaseAsync(new() { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token })).Refusal);

    private static async Task<WatchEvent> NextAsync(IAsyncEnumerator<WatchEvent> events)
    {
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(WaitTimeout), "The watch ended.");
        return events.Current;
    }

    /// <summary>Tells of an acquire once it is in the queue.</summary>
    private sealed class Seen(ILeaseService service, Action<AcquireRequest> seen) : ForwardingLeases(service)
    {
        public override ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(
            AcquireRequest request, CancellationToken cancellationToken = default)
        {
            var call = base.AcquireAsync(request, cancellationToken);
            seen(request);
            return call;
        }
    }
}
