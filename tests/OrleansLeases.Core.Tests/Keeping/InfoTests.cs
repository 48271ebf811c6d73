using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>What a read says of a resource, and a grant of when to renew it.</summary>
public sealed class InfoTests
{
    private readonly KeeperFixture _fixture = new();

    [Fact]
    public void AvailableIn_OfAnExclusiveLease_IsWhatIsLeft()
    {
        Assert.Null(_fixture.Info().AvailableIn);
        _fixture.Grant(ttl: 10);
        _fixture.Advance(4);

        Assert.Equal(Seconds(6), _fixture.Info().AvailableIn);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(3, null)]
    [InlineData(2, 10)]
    public void AvailableIn_OfSharedLeases_IsForAPlaceWhereThereIsNone(int? capacity, int? seconds)
    {
        Now<LeaseGrant>(_fixture.Acquire(AskShared("a", capacity, ttl: 20)));
        Now<LeaseGrant>(_fixture.Acquire(AskShared("b", capacity, ttl: 10)));

        Assert.Equal(seconds is { } s ? Seconds(s) : null, _fixture.Info().AvailableIn);
    }

    [Fact]
    public void Metadata_IsShownAsItWasGiven()
    {
        Now<LeaseGrant>(_fixture.Acquire(Ask() with { Metadata = new Dictionary<string, string> { ["host"] = "h1" } }));

        Assert.Equal("h1", Assert.Single(_fixture.Info().Holders).Metadata["host"]);
    }

    [Fact]
    public void StoredRecord_OfALeaseThatIsOver_HasNothingLeft()
    {
        _fixture.Grant(ttl: 10);
        var state = _fixture.Stored;
        _fixture.Time.Advance(Seconds(60));

        var info = LeaseViews.Stored(KeeperFixture.Resource, state, _fixture.Host.Clock.Read(), _fixture.Rules);

        Assert.Equal(TimeSpan.Zero, Assert.Single(info.Holders).Remaining);
    }

    // More may be left than the ttl, where a renewal has made that shorter.
    [Fact]
    public void RenewAfter_IsAThirdOfTheTtl_WhateverIsLeft()
    {
        var grant = _fixture.Grant(ttl: 30);
        Assert.Equal(Seconds(10), grant.RenewAfter);

        var renewal = Now<LeaseRenewal>(_fixture.Renew(grant.Token, ttl: 3));

        Assert.Equal((Seconds(30), Seconds(1)), (renewal.Remaining, renewal.RenewAfter));
    }
}
