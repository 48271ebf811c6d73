using OrleansLeases.Testing.Load;

namespace OrleansLeases.Torture.Checking;

/// <summary>The checks of counters and of shared leases themselves: what they must find.</summary>
public sealed class SumTests
{
    private readonly CounterAudit _audit = new();

    [Fact]
    public void Additions_EachMadeOnce_AreSound()
    {
        Add(5, 0, 2, 5);
        Add(7, 1, 3, 12);
        _audit.Add(1, At(4), TimeSpan.MaxValue, null);

        Assert.Empty(_audit.FindFaults(12));
        Assert.Empty(_audit.FindFaults(13));
    }

    [Fact]
    public void AdditionThatWasLost_IsFound()
    {
        Add(5, 0, 1, 5);
        Add(7, 2, 3, 7);

        Assert.NotEmpty(_audit.FindFaults(7));
    }

    [Fact]
    public void AdditionThatWasMadeTwice_IsFound()
    {
        Add(5, 0, 1, 10);

        Assert.NotEmpty(_audit.FindFaults(10));
    }

    [Fact]
    public void AdditionsOutOfTheOrderOfTime_AreFound()
    {
        Add(5, 0, 1, 12);
        Add(7, 2, 3, 7);

        Assert.NotEmpty(_audit.FindFaults(12));
    }

    [Fact]
    public void MoreHoldersThanMayBe_AreFound()
    {
        Ledger.Tenure[] tenures = [Held(1, 0, 4), Held(2, 1, 5), Held(3, 3, 6)];

        Assert.NotEmpty(Sharing.FindFaults(tenures, 2));
        Assert.Empty(Sharing.FindFaults(tenures, 3));
        Assert.Empty(Sharing.FindFaults([tenures[0] with { Until = At(3) }, .. tenures[1..]], 2));
        Assert.NotEmpty(Sharing.FindFaults([tenures[0], tenures[1] with { Token = 1 }], 2));
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static Ledger.Tenure Held(long token, double from, double until) => new("r", "", token, At(from)) { Until = At(until) };

    private void Add(long delta, double invoked, double returned, long sum) => _audit.Add(delta, At(invoked), At(returned), sum);
}
