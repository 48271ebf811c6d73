using static OrleansLeases.Core.Tests.MachineBench;

namespace OrleansLeases.Core.Tests;

public sealed class RenewTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);
    private readonly MachineBench _bench = new();

    [Fact]
    public void Renew_WhenOneTickBeforeTheDeadline_Extends()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Time.Advance(Seconds(10) - Tick);

        Assert.Equal(token, Assert.IsType<LeaseReply.Renewed>(_bench.Renew(token)).Token);
        Assert.Equal(Seconds(10), _bench.Told(token));
    }

    [Fact]
    public void Renew_WhenAtTheDeadline_ExpiredAndStoredSo()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Advance(10);

        NotHolder(NotHolderReason.Expired, _bench.Renew(token), last: token);
        Assert.True(_bench.Last.Durable);
        Assert.Equal(LeaseEventKind.Expired, _bench.Stored.Log.NewestFirst().First().Kind);
    }

    [Fact]
    public void Renew_WhenShorterTtl_NeverMovesTheDeadlineEarlier()
    {
        var token = _bench.Grant(ttl: 10);

        _bench.Renew(token, ttl: 1);
        Assert.Equal(Seconds(10), _bench.Told(token));

        _bench.Advance(9.5);
        _bench.Renew(token);
        Assert.Equal(Seconds(1), _bench.Told(token));
    }

    [Fact]
    public void Renew_WhenWithinTheStoredHorizon_IsNotStored()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Advance(1);
        _bench.Renew(token);
        Assert.True(_bench.Last.Durable);

        _bench.Advance(9.9);
        _bench.Renew(token);
        Assert.False(_bench.Last.Durable);
        Assert.Equal(Seconds(10), _bench.Told(token));

        _bench.Advance(0.2);
        _bench.Renew(token);
        Assert.True(_bench.Last.Durable);
    }

    [Theory]
    [InlineData(1, 10, 0)]
    [InlineData(2, 10, 10)]
    [InlineData(3, 10, 20)]
    [InlineData(2, 100, 30)]
    public void Renew_WhenStored_ReachesTheReserveBeyondTheDeadline(int factor, double ttl, double reserve)
    {
        var bench = new MachineBench(NewRules() with { RenewalFactor = factor });
        var token = bench.Grant(ttl: ttl);
        bench.Advance(1);
        bench.Renew(token);

        Assert.Equal(bench.Clock.Read().Latest + Seconds(ttl + reserve), bench.Stored.Holders[0].Horizon);
    }

    [Fact]
    public void Renew_WhenAnotherActivationWroteLast_ClaimsFirst()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Advance(1);
        _bench.Renew(token);
        _bench.Reload();

        _bench.Renew(token);

        Assert.True(_bench.Last.Durable);
        Assert.Equal(_bench.Self, _bench.Stored.Claim);
        _bench.Renew(token);
        Assert.False(_bench.Last.Durable);
    }

    [Theory]
    [InlineData("you", 1, NotHolderReason.NeverHeld)]
    [InlineData("me", 2, NotHolderReason.NeverHeld)]
    public void Renew_WhenOwnerOrTokenIsAnother_SaysNeverHeld(string owner, long token, NotHolderReason reason)
    {
        Assert.Equal(1, _bench.Grant());

        NotHolder(reason, _bench.Renew(token, owner), last: 1);
        Assert.Equal(token > 1, _bench.Last.RequiresFreshRead);
        Assert.False(_bench.Last.Durable);
    }

    [Fact]
    public void Renew_WhenSuspendedPastTheHorizon_TellsNothingBeyondWhatIsStored()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Time.Suspend(Seconds(3600));

        // By the monotonic clock it holds still, so nobody else gets it; but nothing is promised from before.
        Assert.Equal(TimeSpan.Zero, _bench.Told(token));
        _bench.Renew(token);
        Assert.True(_bench.Last.Durable);
        Assert.Equal(Seconds(10), _bench.Told(token));
    }

    [Fact]
    public void Renew_WhenTheWallStepsBack_StaysWithinTheStoredHorizon()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Advance(1);
        _bench.Renew(token);
        _bench.Time.StepWall(-Seconds(3600));
        _bench.Advance(9.5);

        // By the wall alone, the horizon would seem an hour away.
        _bench.Renew(token);
        _bench.Advance(9.5);
        _bench.Renew(token);

        Assert.True(_bench.Last.Durable);
    }
}
