using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

public sealed class TokenTests
{
    private const long Epoch = 1L << LeaseRules.CounterBits;

    [Fact]
    public void Grant_WhenTheLeaseEnded_CountsOn()
    {
        var fixture = new MachineFixture();
        fixture.Release(fixture.Grant(id: "1"));
        Assert.Empty(fixture.Stored.Holders);
        fixture.Reload("b");

        Assert.Equal(2, fixture.Grant(id: "2"));
        fixture.Break(2, grace: 0, force: true);
        Assert.Equal(3, fixture.Grant(id: "3", ttl: 1));
        fixture.Advance(1);
        Assert.Equal(4, fixture.Grant(id: "4"));
        Assert.Equal(5, Assert.IsType<LeaseReply.Granted>(fixture.Transfer(4, to: "you")).Token);
    }

    [Fact]
    public void Grant_WhenTheEpochIsBumped_ExceedsEveryTokenBefore()
    {
        var fixture = new MachineFixture();
        fixture.Release(fixture.Grant(id: "1"));
        fixture.Rules = fixture.Rules with { TokenFloor = 3 * Epoch };

        Assert.Equal((3 * Epoch) + 1, fixture.Grant(id: "2"));
        Assert.Equal((3 * Epoch) + 2, Assert.IsType<LeaseReply.Granted>(fixture.Transfer((3 * Epoch) + 1, to: "you")).Token);
        NotHolder(NotHolderReason.Superseded, fixture.Renew(2));
    }

    [Fact]
    public void Grant_WhenTheEpochIsUsedUp_IsRefusedAndChangesNothing()
    {
        var fixture = new MachineFixture { State = LeaseState.Unused with { LastToken = Epoch - 2 } };
        var last = fixture.Grant(id: "1");
        Assert.Equal(Epoch - 1, last);

        Assert.Equal("tokens", Refused<Refusal.LimitReached>(fixture.Transfer(last, to: "you")).Limit);
        fixture.Release(last);
        Assert.Equal("tokens", Refused<Refusal.LimitReached>(fixture.Acquire(Ask(id: "2"))).Limit);
        Assert.False(fixture.Last.Durable);

        fixture.Rules = fixture.Rules with { TokenFloor = Epoch };
        Assert.Equal(Epoch + 1, fixture.Grant(id: "2"));
    }

    [Fact]
    public void Grant_WhenTheEpochIsTheHighest_FitsInto53Bits()
    {
        var fixture = new MachineFixture(NewRules() with { TokenFloor = LeaseRules.MaxEpoch * Epoch });

        Assert.InRange(fixture.Grant(), 1, (1L << 53) - 1);
    }
}
