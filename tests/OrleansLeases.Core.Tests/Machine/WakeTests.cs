using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>When a record changes by itself, and what a store keeps beside it to find it by.</summary>
public sealed class WakeTests
{
    private readonly MachineFixture _fixture = new();

    private TimeSpan Now => _fixture.Clock.Read().Latest;

    [Fact]
    public void NextWake_OfSeveralHolders_IsTheFirstEnd()
    {
        foreach (var (owner, ttl) in new[] { ("a", 20), ("b", 10), ("c", 30) }) _fixture.Grant(AskShared(owner, ttl: ttl));

        Assert.Equal(Seconds(10), LeaseMachine.NextWake(_fixture.State, someoneWaits: false));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NextWake_OfALockDelay_IsForThoseWhoWait(bool someoneWaits)
    {
        _fixture.Grant(Ask(ttl: 10) with { LockDelay = Seconds(5) });
        _fixture.Advance(10);
        _fixture.Tick();

        Assert.Equal(someoneWaits ? Seconds(15) : null, LeaseMachine.NextWake(_fixture.State, someoneWaits));
    }

    [Fact]
    public void Due_OfSeveralHolders_IsTheFirstHorizon()
    {
        foreach (var (owner, ttl) in new[] { ("a", 20), ("b", 10), ("c", 30) }) _fixture.Grant(AskShared(owner, ttl: ttl));

        Assert.Equal(Now + Seconds(10), LeaseMachine.DueWall(_fixture.State));
        Assert.Equal((long)(Now + Seconds(10)).TotalMilliseconds, ((IRecord)_fixture.State).Due);
    }

    // A renewed lease has a horizon beyond its deadline, which an order by force ends.
    [Theory]
    [InlineData(true, 5, 5)]
    [InlineData(true, 60, 20)]
    [InlineData(false, 15, 15)]
    public void Due_OfALeaseThatIsBeingBroken_IsNotAfterTheOrder(bool force, double grace, double due)
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(1);
        _fixture.Renew(token);

        _fixture.Break(token, grace, force);

        Assert.Equal(Now + Seconds(due), LeaseMachine.DueWall(_fixture.State));
    }

    [Fact]
    public void Held_IsWhatHasAHolder()
    {
        Assert.False(((IRecord)_fixture.State).IsHeld);
        var token = _fixture.Grant();
        Assert.True(((IRecord)_fixture.State).IsHeld);
        _fixture.Release(token);
        Assert.False(((IRecord)_fixture.State).IsHeld);
        Assert.Null(((IRecord)_fixture.State).Due);
    }
}
