using static OrleansLeases.Core.Tests.MachineBench;

namespace OrleansLeases.Core.Tests;

public sealed class TokenTests
{
    private const long Epoch = 1L << LeaseRules.CounterBits;

    [Fact]
    public void Grant_WhenTheLeaseEnded_CountsOn()
    {
        var bench = new MachineBench();
        bench.Release(bench.Grant(id: "1"));
        Assert.Empty(bench.Stored.Holders);
        bench.Reload("b");

        Assert.Equal(2, bench.Grant(id: "2"));
        bench.Break(2, grace: 0, force: true);
        Assert.Equal(3, bench.Grant(id: "3", ttl: 1));
        bench.Advance(1);
        Assert.Equal(4, bench.Grant(id: "4"));
        Assert.Equal(5, Assert.IsType<LeaseReply.Granted>(bench.Transfer(4, to: "you")).Token);
    }

    [Fact]
    public void Grant_WhenTheEpochIsBumped_ExceedsEveryTokenBefore()
    {
        var bench = new MachineBench();
        bench.Release(bench.Grant(id: "1"));
        bench.Rules = bench.Rules with { TokenFloor = 3 * Epoch };

        Assert.Equal((3 * Epoch) + 1, bench.Grant(id: "2"));
        Assert.Equal((3 * Epoch) + 2, Assert.IsType<LeaseReply.Granted>(bench.Transfer((3 * Epoch) + 1, to: "you")).Token);
        NotHolder(NotHolderReason.Superseded, bench.Renew(2));
    }

    [Fact]
    public void Grant_WhenTheEpochIsUsedUp_IsRefusedAndChangesNothing()
    {
        var bench = new MachineBench { State = LeaseState.Unused with { LastToken = Epoch - 2 } };
        var last = bench.Grant(id: "1");
        Assert.Equal(Epoch - 1, last);

        Assert.Equal("tokens", Refused<Refusal.LimitReached>(bench.Transfer(last, to: "you")).Limit);
        bench.Release(last);
        Assert.Equal("tokens", Refused<Refusal.LimitReached>(bench.Acquire(Ask(id: "2"))).Limit);
        Assert.False(bench.Last.Durable);

        bench.Rules = bench.Rules with { TokenFloor = Epoch };
        Assert.Equal(Epoch + 1, bench.Grant(id: "2"));
    }

    [Fact]
    public void Grant_WhenTheEpochIsTheHighest_FitsInto53Bits()
    {
        var bench = new MachineBench(NewRules() with { TokenFloor = LeaseRules.MaxEpoch * Epoch });

        Assert.InRange(bench.Grant(), 1, (1L << 53) - 1);
    }
}
