using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Handles;

public sealed class ReleaseTests : IAsyncLifetime
{
    private readonly HandleFixture _fixture = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fixture.DisposeAsync().AsTask();

    [Fact]
    public async Task Dispose_ReleasesTheLeaseWithoutCallingItLost()
    {
        var lease = await _fixture.AcquireAsync();
        var (lost, change) = (lease.LostToken, lease.NextChange);

        await lease.DisposeAsync();

        Assert.Equal(LeaseStatus.Free, (await _fixture.LookAsync()).State);
        Assert.False(lease.IsValid());
        Assert.False(lost.IsCancellationRequested);
        Assert.Null(lease.Loss);
        Assert.True(change.IsCompleted);
    }

    [Fact]
    public async Task Dispose_WhileItsReleaseIsOnItsWay_EndsTheLeaseAlready()
    {
        var lease = await _fixture.AcquireAsync();
        _fixture.Network.FateOf = _ => Fate.Waits;

        var disposing = lease.DisposeAsync();

        Assert.False(lease.IsValid());
        await _fixture.Network.CarryAllAsync();
        await disposing;
        Assert.Equal(LeaseStatus.Free, (await _fixture.LookAsync()).State);
    }

    [Fact]
    public async Task Release_CalledTwice_IsMadeOnceAndAnsweredTwice()
    {
        var lease = await _fixture.AcquireAsync();

        var first = await lease.ReleaseAsync();
        var second = await lease.ReleaseAsync();
        await lease.DisposeAsync();

        Assert.Equal(lease.Token, first.Value.Token);
        Assert.Equal(first, second);
        Assert.Single(_fixture.Network.Sent<ReleaseRequest>());
    }

    [Fact]
    public async Task Dispose_WhenTheServiceHangs_WaitsForTheReleaseTimeoutAndNoLonger()
    {
        var lease = await _fixture.AcquireAsync();
        _fixture.Network.FateOf = _ => Fate.Hangs;

        var disposing = lease.DisposeAsync().AsTask();
        _fixture.Time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        await Task.Yield();
        Assert.False(disposing.IsCompleted);
        _fixture.Time.Advance(TimeSpan.FromTicks(1));

        await disposing;
    }

    [Fact]
    public async Task Dispose_WhenTheServiceHangs_WaitsNoLongerThanTheLeaseLives()
    {
        var lease = await _fixture.AcquireAsync(ttl: TimeSpan.FromSeconds(2));
        _fixture.Network.FateOf = _ => Fate.Hangs;

        var disposing = lease.DisposeAsync().AsTask();
        _fixture.Time.Advance(TimeSpan.FromSeconds(2));

        await disposing;
    }

    [Fact]
    public async Task Release_ThatWasGivenUpWaitingFor_GoesOnInTheBackground()
    {
        var lease = await _fixture.AcquireAsync(ttl: HandleFixture.LongTtl);
        _fixture.Network.FateOf = _ => Fate.Refused(new Refusal.Unavailable(TimeSpan.Zero, "Not now."));
        var releasing = lease.ReleaseAsync();
        await _fixture.AdvanceUntilAsync(releasing);
        Assert.IsType<Refusal.OutcomeUnknown>((await releasing).Refusal);

        _fixture.Network.FateOf = _ => Fate.Passes;
        await _fixture.AdvanceUntilAsync(FreeAsync());
    }

    [Fact]
    public async Task Dispose_WhenTheServiceThrows_DoesNot()
    {
        var lease = await _fixture.AcquireAsync(ttl: HandleFixture.LongTtl);
        _fixture.Network.FateOf = _ => throw new InvalidOperationException("A defect.");

        var error = await Assert.ThrowsAsync<ArgumentException>(async () =>
        {
            await using (lease)
            {
                await _fixture.AdvanceUntilAsync(lease.ReleaseAsync());
                throw new ArgumentException("The user's own.");
            }
        });

        Assert.Equal("The user's own.", error.Message);
    }

    [Fact]
    public async Task Dispose_OfALeaseThatItsOwnClockEnded_GivesItBackAtOnce()
    {
        var lease = await _fixture.AcquireAsync();
        _fixture.Network.FateOf = verb => verb == "renew" ? Fate.LosesAnswer : Fate.Passes;
        await _fixture.AdvanceAsync(HandleFixture.Ttl * 0.99);
        Assert.NotNull(lease.Loss);
        Assert.Equal(LeaseStatus.Held, (await _fixture.LookAsync()).State);

        await lease.DisposeAsync();

        await FreeAsync();
    }

    [Fact]
    public async Task Release_OfALostLease_SaysWhy()
    {
        var lease = await _fixture.AcquireAsync();
        await _fixture.Service.BreakAsync(new() { Resource = "r", Grace = TimeSpan.Zero, Force = true, Reason = "stuck" });
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(10.1));

        var refusal = (await lease.ReleaseAsync()).Refusal;

        Assert.Equal(NotHolderReason.Broken, Assert.IsType<Refusal.NotHolder>(refusal).Reason);
        Assert.Empty(_fixture.Network.Sent<ReleaseRequest>());
    }

    [Fact]
    public async Task Client_WhenDisposedOf_WaitsForReleasesUnderWay()
    {
        var lease = await _fixture.AcquireAsync(ttl: HandleFixture.LongTtl);
        _fixture.Network.FateOf = _ => Fate.Waits;
        var releasing = lease.ReleaseAsync();
        _fixture.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.IsType<Refusal.OutcomeUnknown>((await releasing).Refusal);

        _fixture.Network.FateOf = _ => Fate.Passes;
        var disposing = _fixture.Client.DisposeAsync().AsTask();
        await _fixture.AdvanceUntilAsync(disposing);

        Assert.Equal(LeaseStatus.Free, (await _fixture.LookAsync()).State);
    }

    private async Task FreeAsync()
    {
        while ((await _fixture.LookAsync()).State != LeaseStatus.Free) await Task.Yield();
    }
}
