using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

public sealed class RenewTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);
    private readonly MachineFixture _fixture = new();

    [Fact]
    public void Renew_WhenOneTickBeforeTheDeadline_Extends()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Time.Advance(Seconds(10) - Tick);

        Assert.Equal(token, Assert.IsType<LeaseReply.Renewed>(_fixture.Renew(token)).Token);
        Assert.Equal(Seconds(10), _fixture.Told(token));
    }

    [Fact]
    public void Renew_WhenAtTheDeadline_ExpiredAndStoredSo()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(10);

        NotHolder(NotHolderReason.Expired, _fixture.Renew(token), last: token);
        Assert.True(_fixture.Last.Durable);
        Assert.Equal(LeaseEventKind.Expired, _fixture.Stored.Log.NewestFirst().First().Kind);
    }

    [Fact]
    public void Renew_WhenShorterTtl_NeverMovesTheDeadlineEarlier()
    {
        var token = _fixture.Grant(ttl: 10);

        _fixture.Renew(token, ttl: 1);
        Assert.Equal(Seconds(10), _fixture.Told(token));

        _fixture.Advance(9.5);
        _fixture.Renew(token);
        Assert.Equal(Seconds(1), _fixture.Told(token));
    }

    [Fact]
    public void Renew_WhenWithinTheStoredHorizon_IsNotStored()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(1);
        _fixture.Renew(token);
        Assert.True(_fixture.Last.Durable);

        _fixture.Advance(9.9);
        _fixture.Renew(token);
        Assert.False(_fixture.Last.Durable);
        Assert.Equal(Seconds(10), _fixture.Told(token));

        _fixture.Advance(0.2);
        _fixture.Renew(token);
        Assert.True(_fixture.Last.Durable);
    }

    [Theory]
    [InlineData(1, 10, 0)]
    [InlineData(2, 10, 10)]
    [InlineData(3, 10, 20)]
    [InlineData(2, 100, 30)]
    public void Renew_WhenStored_ReachesTheReserveBeyondTheDeadline(int factor, double ttl, double reserve)
    {
        var fixture = new MachineFixture(NewRules() with { RenewalFactor = factor });
        var token = fixture.Grant(ttl: ttl);
        fixture.Advance(1);
        fixture.Renew(token);

        Assert.Equal(fixture.Clock.Read().Latest + Seconds(ttl + reserve), fixture.Stored.Holders[0].Horizon);
    }

    [Fact]
    public void Renew_WhenAnotherActivationWroteLast_ClaimsFirst()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(1);
        _fixture.Renew(token);
        _fixture.Reload();

        _fixture.Renew(token);

        Assert.True(_fixture.Last.Durable);
        Assert.Equal(_fixture.Self, _fixture.Stored.Claim);
        _fixture.Renew(token);
        Assert.False(_fixture.Last.Durable);
    }

    [Theory]
    [InlineData("you", 1, NotHolderReason.NeverHeld)]
    [InlineData("me", 2, NotHolderReason.NeverHeld)]
    public void Renew_WhenOwnerOrTokenIsAnother_SaysNeverHeld(string owner, long token, NotHolderReason reason)
    {
        Assert.Equal(1, _fixture.Grant());

        NotHolder(reason, _fixture.Renew(token, owner), last: 1);
        Assert.Contains($"'{owner}'", _fixture.Last.Reply.Refusal!.Detail, StringComparison.Ordinal);
        Assert.Equal(token > 1, _fixture.Last.RequiresFreshRead);
        Assert.False(_fixture.Last.Durable);
    }

    [Fact]
    public void Renew_WhenSuspendedPastTheHorizon_TellsNothingBeyondWhatIsStored()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Time.Suspend(Seconds(3600));

        // By the monotonic clock it holds still, so nobody else gets it; but nothing is promised from before.
        Assert.Equal(TimeSpan.Zero, _fixture.Told(token));
        _fixture.Renew(token);
        Assert.True(_fixture.Last.Durable);
        Assert.Equal(Seconds(10), _fixture.Told(token));
    }

    [Fact]
    public void Renew_WithALesserTtl_WhenTheWallWasPutAhead_KeepsTheDeadlineThatWasTold()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Time.StepWall(Seconds(3));

        _fixture.Renew(token, ttl: 1);

        Assert.Equal(Seconds(10), _fixture.Told(token));
    }

    // What this activation has told is the record's own, and not what it found there.
    [Fact]
    public void Renew_WithALesserTtl_MovesNoHorizonForWhatWasInherited()
    {
        var token = _fixture.Grant(ttl: 100);
        var horizon = _fixture.Stored.Holders[0].Horizon;
        _fixture.Time.StepWall(Seconds(5));
        _fixture.Reload();

        _fixture.Renew(token, ttl: 10);

        Assert.Equal(horizon, _fixture.Stored.Holders[0].Horizon);
    }

    [Fact]
    public void Renew_ThatIsStoredAnyway_StoresTheReserveToo()
    {
        var token = _fixture.Grant(ttl: 10);

        _fixture.Renew(token, ttl: 8);

        Assert.Equal(_fixture.Clock.Read().Latest + Seconds(8 + 8), _fixture.Stored.Holders[0].Horizon);
    }

    [Fact]
    public void Renew_WhenTheWallStepsBack_StaysWithinTheStoredHorizon()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(1);
        _fixture.Time.StepWall(Seconds(3600));
        _fixture.Renew(token);
        _fixture.Time.StepWall(-Seconds(3600));
        _fixture.Advance(9.5);

        // By the wall alone, the horizon would seem an hour away.
        _fixture.Renew(token);
        _fixture.Advance(9.5);
        _fixture.Renew(token);

        Assert.True(_fixture.Last.Durable);
    }
}
