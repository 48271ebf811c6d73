using OrleansLeases.Testing.Linearizability;

namespace OrleansLeases.Simulation.Checking;

public sealed class SharedHistoryCheckerTests
{
    [Fact]
    public void Grants_WithinCapacity_Fit() => Assert.Null(SharedHistoryChecker.FindFault([Grant(1, 0, 10), Grant(2, 5, 15)], capacity: 2));

    [Fact]
    public void Grants_BeyondCapacity_AreFound() =>
        Assert.NotNull(SharedHistoryChecker.FindFault([Grant(1, 0, 10), Grant(2, 5, 15), Grant(3, 8, 9)], capacity: 2));

    [Fact]
    public void Exclusive_BesideAnother_IsFound() => Assert.NotNull(
        SharedHistoryChecker.FindFault([Grant(1, 0, 10), Grant(2, 5, 15) with { IsExclusive = true }], capacity: 2));

    [Fact]
    public void Exclusive_AfterAnother_Fits() => Assert.Null(
        SharedHistoryChecker.FindFault([Grant(1, 0, 5), Grant(2, 5, 15) with { IsExclusive = true }], capacity: 2));

    [Fact]
    public void HigherToken_ToldBeforeALowerOneWasAskedFor_IsFound() =>
        Assert.NotNull(SharedHistoryChecker.FindFault([Grant(2, 0, 1), Grant(1, 5, 6)], capacity: 2));

    private static SharedGrant Grant(long token, int from, int until) =>
        new(token, IsExclusive: false, TimeSpan.FromSeconds(from), TimeSpan.FromSeconds(from), TimeSpan.FromSeconds(until));
}
