using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>A record that a sweep found idle is dropped, but not while anything of it is in use.</summary>
public sealed class DropTests
{
    private static readonly TimeSpan Retain = TimeSpan.FromMinutes(1);
    private static readonly LeaseRules Rules =
        MachineFixture.NewRules() with { Retention = new(Retain, new Dictionary<string, TimeSpan>()) };

    // The skew of clocks counts besides.
    private static readonly TimeSpan Idle = Rules.IdleBeforeDrop(KeeperFixture.Resource)!.Value;

    private readonly KeeperFixture _fixture = new(Rules);

    [Fact]
    public void FreeRecord_IsDropped_OnceItWasFreeForSoLong()
    {
        Assert.False(Drop());
        var grant = _fixture.Grant();
        Assert.False(Drop());
        KeeperFixture.Now<LeaseRelease>(_fixture.Release(grant.Token));
        _fixture.Advance(60.999);
        Assert.False(Drop());
        _fixture.Advance(0.001);

        Assert.True(Drop());

        Assert.Equal(0, _fixture.Stored.Version);
        Assert.Equal(new(grant.Token, 2), _fixture.Store.Floor);
        Assert.False(Drop());
        Assert.Equal((0L, 0), (_fixture.Info().LastToken, _fixture.Info().Holders.Count));
        Assert.Equal(grant.Token + 1, _fixture.Grant().Token);
    }

    [Fact]
    public void Record_WhoseIdleTimeAClockBehindThisOneNoted_IsKeptForAllOfItsTime()
    {
        var behind = new ManualTimeProvider();
        var ahead = new ManualTimeProvider();
        ahead.StepWall(Rules.ClockSkew);
        var fixture = new KeeperFixture(Rules, time: behind);
        KeeperFixture.Now<LeaseRelease>(fixture.Release(fixture.Grant().Token));
        var twin = new KeeperFixture(Rules with { Incarnation = "twin" }, fixture.Store, ahead);
        twin.Advance(Retain - TimeSpan.FromMilliseconds(1));
        Assert.False(Drop(twin));

        twin.Advance(TimeSpan.FromMilliseconds(1));

        Assert.True(Drop(twin));
    }

    [Fact]
    public void LeaseThatRanOut_IsNotFree_BeforeItsEndIsStored()
    {
        _fixture.AlarmsRing = false;
        _fixture.Grant(ttl: 10);
        _fixture.Advance(1_000);
        Assert.False(Drop());
        Assert.Empty(_fixture.Info().Holders);
        Assert.False(Drop());
        _fixture.Advance(Idle);
        Assert.True(Drop());
    }

    [Fact]
    public void CleanUpThatIsPending_KeepsTheRecord()
    {
        var grant = _fixture.Grant();
        var lease = new KeyLease { Resource = KeeperFixture.Resource, Owner = "me", Token = grant.Token };
        KeeperFixture.Now<LeaseReply.Acknowledged>(_fixture.Do(new LeaseCommand.Attach(lease, "k", 1)));
        KeeperFixture.Now<LeaseRelease>(_fixture.Release(grant.Token));
        _fixture.Advance(10 * Retain);
        Assert.False(Drop());

        KeeperFixture.Now<LeaseReply.Acknowledged>(_fixture.Do(new LeaseCommand.CleanUpDone(grant.Token, ["k"])));
        Assert.False(Drop());
        _fixture.Advance(Idle);
        Assert.True(Drop());
    }

    [Fact]
    public void DelayThatIsNotOver_KeepsTheRecord()
    {
        _fixture.Do(LeaseCommand.Of(MachineFixture.Ask("me", ttl: 10) with { LockDelay = 5 * Retain }));
        _fixture.Advance(10);
        Assert.Empty(_fixture.Info().Holders);
        _fixture.Advance(4 * Retain);
        Assert.False(Drop());
        Assert.Equal(LeaseStatus.Delayed, _fixture.Info().State);
        _fixture.Advance(Idle);
        Assert.True(Drop());
    }

    [Fact]
    public void Drop_WithoutAnAnswer_ForgetsTheRecord_WhetherItLandedOrNot()
    {
        foreach (var lands in new[] { false, true })
        {
            var grant = _fixture.Grant(id: $"lands {lands}");
            KeeperFixture.Now<LeaseRelease>(_fixture.Release(grant.Token));
            _fixture.Advance(Idle);
            _fixture.Store.OnSave(drop => lands && drop.Write() == SaveOutcome.Saved
                ? throw new IOException("no answer") : SaveOutcome.Unknown);
            Assert.IsType<Refusal.OutcomeUnknown>(Content(_fixture.Keeper.SubmitDrop()!));
            var loads = _fixture.Store.Loads;
            Assert.Equal(lands ? 0 : grant.Token, _fixture.Info().LastToken);
            Assert.Equal(loads + 1, _fixture.Store.Loads);
            Assert.True(_fixture.Grant(id: $"next {lands}") is { } next && next.Token > grant.Token);
            _fixture.Advance(Idle);
            _fixture.Info();
        }
    }

    private bool Drop() => Drop(_fixture);

    private static bool Drop(KeeperFixture at) => Assert.IsType<Dropped>(Content(at.Keeper.SubmitDrop()!)).Done;

    private static object Content(Task<LeaseResult<Dropped>> answer)
    {
        Assert.True(answer.IsCompletedSuccessfully);
#pragma warning disable xUnit1031 // It is complete: nothing is blocked on.
        return answer.Result.TryGetValue(out var dropped, out var refusal) ? dropped : refusal;
#pragma warning restore xUnit1031
    }
}
