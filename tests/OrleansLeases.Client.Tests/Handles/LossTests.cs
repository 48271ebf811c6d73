using OrleansLeases.Client.Holding;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Handles;

public sealed class LossTests : IAsyncLifetime
{
    private static readonly TimeSpan Trusted = HandleFixture.Ttl * 0.99;

    private readonly HandleFixture _fixture = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fixture.DisposeAsync().AsTask();

    [Fact]
    public async Task LostToken_WhenRenewalsHang_IsCancelledAtTheDeadline()
    {
        var lease = await _fixture.AcquireAsync();
        var lost = lease.LostToken;
        _fixture.Network.FateOf = _ => Fate.Hangs;

        _fixture.Time.Advance(Trusted - TimeSpan.FromTicks(1));
        Assert.False(lost.IsCancellationRequested);
        _fixture.Time.Advance(TimeSpan.FromTicks(1));

        Assert.True(lost.IsCancellationRequested);
        Assert.Equal(NotHolderReason.Expired, lease.Loss?.Reason);
        Assert.Contains("'r'", lease.Loss?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Loss_WhenRenewalsWereRefused_SaysWhatTheLastOneWasToldFor()
    {
        var lease = await _fixture.AcquireAsync();
        _fixture.Network.FateOf = _ => Fate.Refused(new Refusal.Unavailable(TimeSpan.Zero, "The disk is full."));

        await _fixture.AdvanceAsync(Trusted);

        Assert.Contains("The disk is full.", lease.Loss?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Loss_WhenTheMachineSlept_SaysThatTimeWentByAtOnce()
    {
        var lease = await _fixture.AcquireAsync();
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(5));

        _fixture.Time.Suspend(TimeSpan.FromSeconds(40));
        _fixture.Time.Advance(TimeSpan.FromMilliseconds(50));

        Assert.Equal(
            "The lease on 'r' was not renewed in time: 40.1 s went by at once here: the process was stopped, or its machine slept "
                + "or had its clock set.",
            lease.Loss?.Detail);
    }

    [Fact]
    public async Task Lease_WhoseMachineHasItsClockSet_IsKeptWhereAnotherClockCountsSleep()
    {
        await using var client = new LeaseClient(
            _fixture.Network, new() { Owner = "ann" }, _fixture.Time, clock: new(_fixture.Time, countsSleep: true), Random.Shared);
        var lease = await client.TryAcquireAsync("r", options: new() { Ttl = HandleFixture.Ttl });

        _fixture.Time.StepWall(TimeSpan.FromSeconds(40));
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.Null(lease!.Loss);
        Assert.True(lease.IsValid(HandleFixture.Ttl * 0.9));
    }

    [Fact]
    public async Task Lease_ThatTheServiceSaysIsOver_IsLostAtOnce()
    {
        var lease = await _fixture.AcquireAsync();
        var (lost, change) = (lease.LostToken, lease.NextChange);
        await _fixture.Service.ReleaseAsync(new() { Resource = "r", Owner = "ann", Token = lease.Token });

        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(10.1));

        Assert.True(lost.IsCancellationRequested);
        Assert.True(change.IsCompleted);
        Assert.False(lease.IsValid());
        Assert.Equal(NotHolderReason.Released, lease.Loss?.Reason);
        Assert.True(lease.LostToken.IsCancellationRequested);
        Assert.True(lease.NextChange.IsCompleted);
    }

    [Fact]
    public async Task LostToken_FirstAskedForOnceTheLeaseIsLost_IsCancelled()
    {
        var lease = await _fixture.AcquireAsync();
        _fixture.Network.FateOf = _ => Fate.Hangs;
        _fixture.Time.Advance(Trusted);

        Assert.True(lease.LostToken.IsCancellationRequested);
    }

    [Fact]
    public async Task Lease_ThatIsBeingBroken_SaysSoAndIsLostAtTheEndOfTheNotice()
    {
        var lease = await _fixture.AcquireAsync();
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(5));
        await _fixture.Service.BreakAsync(new() { Resource = "r", Grace = TimeSpan.FromSeconds(40), Reason = "maintenance" });
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(5.1));

        Assert.Equal("maintenance", lease.Breaking?.Reason);
        Assert.InRange(lease.Remaining, TimeSpan.FromSeconds(28), TimeSpan.FromSeconds(30));
        Assert.Null(lease.Loss);

        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(34.9));
        Assert.Equal(NotHolderReason.Broken, lease.Loss?.Reason);
        Assert.True(lease.LostToken.IsCancellationRequested);
    }

    [Fact]
    public void Notice_OnAnAnswerThatWasLongOnItsWay_MovesNothingEarlier()
    {
        static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
        var lease = new HeldLease(
            new LeaseGrant
            {
                Mode = LeaseMode.Exclusive, Resource = "r", Owner = "me", Token = 1, Ttl = S(10), Remaining = S(10),
                Elapsed = S(0), RenewAfter = S(3), RequestId = "x",
            },
            sentAt: S(0), now: S(0), Random.Shared, drift: 0);

        // Sent at 1 s, at the service at 5 s: the order's end is the deadline that it had told.
        var renewal = new LeaseRenewal
        {
            Resource = "r", Token = 1, Ttl = S(10), Remaining = S(5), Elapsed = S(0), RenewAfter = S(1),
            Breaking = new BreakNotice { EndsIn = S(5), Reason = "upkeep" },
        };
        lease.Renewed_NeedsLock(S(1), renewal, S(5));

        Assert.Equal(S(10), lease.EndsAt);
    }

    [Fact]
    public async Task Lease_ThatIsBrokenByForce_IsNotLengthenedByAnAnswerFromBefore()
    {
        var lease = await _fixture.AcquireAsync();
        _fixture.Network.FateOf = _ => Fate.Waits;
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(10.1));
        await _fixture.Network.CarryRequestAsync();
        await _fixture.Service.BreakAsync(new() { Resource = "r", Grace = TimeSpan.FromSeconds(8), Force = true, Reason = "stuck" });
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(5));
        await _fixture.Network.CarryRequestAsync();
        _fixture.Network.CarryAnswer(1);
        await _fixture.SettleAsync();
        Assert.InRange(lease.Remaining, TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(3));

        _fixture.Network.CarryAnswer(0);
        await _fixture.SettleAsync();

        Assert.InRange(lease.Remaining, TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(3));
        Assert.Equal("stuck", lease.Breaking?.Reason);
    }

    [Fact]
    public async Task Lease_OfAClientThatIsDisposedOf_RunsOutAtItsDeadline()
    {
        var lease = await _fixture.AcquireAsync();

        await _fixture.Client.DisposeAsync();
        await _fixture.AdvanceAsync(Trusted - TimeSpan.FromMilliseconds(1));
        Assert.True(lease.IsValid());
        Assert.Empty(_fixture.Network.Sent<RenewBatchRequest>());
        await _fixture.AdvanceAsync(TimeSpan.FromMilliseconds(1));

        Assert.True(lease.LostToken.IsCancellationRequested);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _fixture.AcquireAsync("other"));
    }

    [Fact]
    public async Task Lease_IsHeldForMaxHoldAndNoLonger_HoweverWellItIsRenewed()
    {
        var lease = await _fixture.Client.AcquireAsync("r", new() { Ttl = HandleFixture.Ttl, MaxHold = TimeSpan.FromMinutes(10) });
        var lost = lease.LostToken;

        await _fixture.AdvanceAsync(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        Assert.True(lease.IsValid());
        Assert.Equal(TimeSpan.FromMilliseconds(1), lease.Remaining);
        // A third of the ttl apart, to the end.
        Assert.InRange(_fixture.Network.Sent<RenewBatchRequest>().Count, 59, 70);
        await _fixture.AdvanceAsync(TimeSpan.FromMilliseconds(1));

        Assert.True(lost.IsCancellationRequested);
        Assert.False(lease.IsValid());
        Assert.Contains("MaxHold, 00:10:00", lease.Loss?.Detail, StringComparison.Ordinal);
        Assert.Equal(LeaseStatus.Held, (await _fixture.LookAsync()).State);
        await _fixture.AdvanceAsync(HandleFixture.Ttl + TimeSpan.FromSeconds(1));
        Assert.NotEqual(LeaseStatus.Held, (await _fixture.LookAsync()).State);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void MaxHold_OfNothing_IsRefused(int seconds) =>
        Assert.Contains(
            "MaxHold",
            Assert.Throws<ArgumentOutOfRangeException>(() => new LeaseOptions { MaxHold = TimeSpan.FromSeconds(seconds) }).Message,
            StringComparison.Ordinal);
}
