using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Handles;

public sealed class DeadlineTests : IAsyncLifetime
{
    // What the clock may drift apart from the service's in 30 s is not relied on.
    private static readonly TimeSpan Trusted = HandleFixture.Ttl * 0.99;
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly HandleFixture _fixture = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fixture.DisposeAsync().AsTask();

    [Fact]
    public async Task Remaining_OfALeaseWhoseGrantWasSlow_CountsFromWhenTheCallWasSent()
    {
        _fixture.Network.FateOf = _ => Fate.Waits;
        var acquire = _fixture.StartAcquire();
        _fixture.Time.Advance(TimeSpan.FromSeconds(7));
        await _fixture.Network.CarryRequestAsync();
        _fixture.Time.Advance(TimeSpan.FromSeconds(20));
        _fixture.Network.CarryAnswer();

        var lease = await acquire;

        Assert.Equal(Trusted - TimeSpan.FromSeconds(27), lease!.Remaining);
    }

    [Fact]
    public async Task Remaining_OfALeaseThatWasWaitedFor_IsNotShortenedByTheWait()
    {
        var rival = (await _fixture.Service.AcquireAsync(new() { Resource = "r", Owner = "bob", Ttl = HandleFixture.Ttl })).Value;
        var acquire = _fixture.StartAcquire(wait: TimeSpan.FromSeconds(20));
        await Eventually.TrueAsync(() => _fixture.LookAsync().Result.Waiters == 1);
        _fixture.Time.Advance(TimeSpan.FromSeconds(10));
        await _fixture.Service.ReleaseAsync(new() { Resource = "r", Owner = "bob", Token = rival.Token });

        var lease = await acquire;

        Assert.Equal((TimeSpan.FromSeconds(40) * 0.99) - TimeSpan.FromSeconds(10), lease!.Remaining);
    }

    [Fact]
    public async Task IsValid_UpToTheDeadline_IsTrueAndFalseFromThenOn()
    {
        _fixture.Network.FateOf = verb => verb == "renew" ? Fate.Hangs : Fate.Passes;
        var lease = await _fixture.AcquireAsync();

        _fixture.Time.Advance(Trusted - Tick);
        Assert.True(lease.IsValid());
        Assert.False(lease.IsValid(Tick));
        Assert.Equal(Tick, lease.Remaining);

        _fixture.Time.Advance(Tick);
        Assert.False(lease.IsValid());
        Assert.Equal(TimeSpan.Zero, lease.Remaining);
    }

    [Fact]
    public async Task IsValid_WithAMargin_AsksForThatMuch()
    {
        var lease = await _fixture.AcquireAsync();

        Assert.True(lease.IsValid(Trusted - Tick));
        Assert.False(lease.IsValid(Trusted));
        Assert.False(lease.IsValid(TimeSpan.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>("margin", () => lease.IsValid(-Tick));
    }

    [Fact]
    public async Task IsValid_AllocatesNothing()
    {
        await using var client = new LeaseClient(_fixture.Service);
        await using var lease = await client.AcquireAsync("r");
        Assert.True(lease.IsValid(TimeSpan.FromSeconds(1)));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++) lease.IsValid(TimeSpan.FromSeconds(1));

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Lease_WhenTheMachineSleepsThroughIt_IsNotValidAnyMoreAndIsLostOnWaking()
    {
        var lease = await _fixture.AcquireAsync();
        var lost = lease.LostToken;

        _fixture.Time.Suspend(Trusted);

        Assert.False(lease.IsValid());
        _fixture.Time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.True(lost.IsCancellationRequested);
        Assert.Equal(NotHolderReason.Expired, lease.Loss?.Reason);
    }

    [Fact]
    public async Task Lease_WhenTheClockIsPutBackAndTheMachineThenSleeps_IsLostInTime()
    {
        _fixture.Network.FateOf = verb => verb == "renew" ? Fate.Hangs : Fate.Passes;
        var lease = await _fixture.AcquireAsync();

        _fixture.Time.StepWall(TimeSpan.FromHours(-1));
        _fixture.Time.Advance(TimeSpan.FromSeconds(10));
        _fixture.Time.Suspend(Trusted - TimeSpan.FromSeconds(10));

        Assert.False(lease.IsValid());
    }

    [Fact]
    public async Task Lease_WhenTheClockIsPutBackAndTheMachineSleepsWhileItsGrantIsOnItsWay_CountsTheSleep()
    {
        _fixture.Network.FateOf = _ => Fate.Waits;
        var acquire = _fixture.StartAcquire();
        await _fixture.Network.CarryRequestAsync();
        _fixture.Time.StepWall(TimeSpan.FromHours(-1));
        _fixture.Time.Advance(TimeSpan.FromSeconds(2));
        _fixture.Time.Suspend(TimeSpan.FromSeconds(20));
        _fixture.Network.CarryAnswer();

        Assert.Equal(Trusted - TimeSpan.FromSeconds(22), (await acquire)!.Remaining);
    }
}
