using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Handles;

public sealed class ReleaseTests : IAsyncLifetime
{
    private readonly HandleBench _bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _bench.DisposeAsync().AsTask();

    [Fact]
    public async Task Dispose_ReleasesTheLeaseWithoutCallingItLost()
    {
        var lease = await _bench.AcquireAsync();
        var (lost, change) = (lease.LostToken, lease.NextChange);

        await lease.DisposeAsync();

        Assert.Equal(LeaseStatus.Free, (await _bench.LookAsync()).State);
        Assert.False(lease.IsValid());
        Assert.False(lost.IsCancellationRequested);
        Assert.Null(lease.Loss);
        Assert.True(change.IsCompleted);
    }

    [Fact]
    public async Task Dispose_WhileItsReleaseIsOnItsWay_EndsTheLeaseAlready()
    {
        var lease = await _bench.AcquireAsync();
        _bench.Network.FateOf = _ => Fate.Waits;

        var disposing = lease.DisposeAsync();

        Assert.False(lease.IsValid());
        await _bench.Network.CarryAllAsync();
        await disposing;
        Assert.Equal(LeaseStatus.Free, (await _bench.LookAsync()).State);
    }

    [Fact]
    public async Task Release_CalledTwice_IsMadeOnceAndAnsweredTwice()
    {
        var lease = await _bench.AcquireAsync();

        var first = await lease.ReleaseAsync();
        var second = await lease.ReleaseAsync();
        await lease.DisposeAsync();

        Assert.Equal(lease.Token, first.Value.Token);
        Assert.Equal(first, second);
        Assert.Single(_bench.Network.Sent<ReleaseRequest>());
    }

    [Fact]
    public async Task Dispose_WhenTheServiceHangs_WaitsForTheReleaseTimeoutAndNoLonger()
    {
        var lease = await _bench.AcquireAsync();
        _bench.Network.FateOf = _ => Fate.Hangs;

        var disposing = lease.DisposeAsync().AsTask();
        _bench.Time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        await Task.Yield();
        Assert.False(disposing.IsCompleted);
        _bench.Time.Advance(TimeSpan.FromTicks(1));

        await disposing;
    }

    [Fact]
    public async Task Dispose_WhenTheServiceHangs_WaitsNoLongerThanTheLeaseLives()
    {
        var lease = await _bench.AcquireAsync(ttl: TimeSpan.FromSeconds(2));
        _bench.Network.FateOf = _ => Fate.Hangs;

        var disposing = lease.DisposeAsync().AsTask();
        _bench.Time.Advance(TimeSpan.FromSeconds(2));

        await disposing;
    }

    [Fact]
    public async Task Release_ThatWasGivenUpWaitingFor_GoesOnInTheBackground()
    {
        var lease = await _bench.AcquireAsync(ttl: HandleBench.LongTtl);
        _bench.Network.FateOf = _ => Fate.Refused(new Refusal.Unavailable(TimeSpan.Zero, "Not now."));
        var releasing = lease.ReleaseAsync();
        await _bench.AdvanceUntilAsync(releasing);
        Assert.IsType<Refusal.OutcomeUnknown>((await releasing).Refusal);

        _bench.Network.FateOf = _ => Fate.Passes;
        await _bench.AdvanceUntilAsync(FreeAsync());
    }

    [Fact]
    public async Task Dispose_WhenTheServiceThrows_DoesNot()
    {
        var lease = await _bench.AcquireAsync(ttl: HandleBench.LongTtl);
        _bench.Network.FateOf = _ => throw new InvalidOperationException("A defect.");

        var error = await Assert.ThrowsAsync<ArgumentException>(async () =>
        {
            await using (lease)
            {
                await _bench.AdvanceUntilAsync(lease.ReleaseAsync());
                throw new ArgumentException("The user's own.");
            }
        });

        Assert.Equal("The user's own.", error.Message);
    }

    [Fact]
    public async Task Dispose_OfALeaseThatItsOwnClockEnded_GivesItBackAtOnce()
    {
        var lease = await _bench.AcquireAsync();
        _bench.Network.FateOf = verb => verb == "renew" ? Fate.LosesAnswer : Fate.Passes;
        await _bench.AdvanceAsync(HandleBench.Ttl * 0.99);
        Assert.NotNull(lease.Loss);
        Assert.Equal(LeaseStatus.Held, (await _bench.LookAsync()).State);

        await lease.DisposeAsync();

        await FreeAsync();
    }

    [Fact]
    public async Task Release_OfALostLease_SaysWhy()
    {
        var lease = await _bench.AcquireAsync();
        await _bench.Service.BreakAsync(new() { Resource = "r", Grace = TimeSpan.Zero, Force = true, Reason = "stuck" });
        await _bench.AdvanceAsync(TimeSpan.FromSeconds(10.1));

        var refusal = (await lease.ReleaseAsync()).Refusal;

        Assert.Equal(NotHolderReason.Broken, Assert.IsType<Refusal.NotHolder>(refusal).Reason);
        Assert.Empty(_bench.Network.Sent<ReleaseRequest>());
    }

    [Fact]
    public async Task Client_WhenDisposedOf_WaitsForReleasesUnderWay()
    {
        var lease = await _bench.AcquireAsync(ttl: HandleBench.LongTtl);
        _bench.Network.FateOf = _ => Fate.Waits;
        var releasing = lease.ReleaseAsync();
        _bench.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.IsType<Refusal.OutcomeUnknown>((await releasing).Refusal);

        _bench.Network.FateOf = _ => Fate.Passes;
        var disposing = _bench.Client.DisposeAsync().AsTask();
        await _bench.AdvanceUntilAsync(disposing);

        Assert.Equal(LeaseStatus.Free, (await _bench.LookAsync()).State);
    }

    private async Task FreeAsync()
    {
        while ((await _bench.LookAsync()).State != LeaseStatus.Free) await Task.Yield();
    }
}
