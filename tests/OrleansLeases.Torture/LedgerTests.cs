using OrleansLeases.Testing.Load;

namespace OrleansLeases.Torture;

/// <summary>The ledger itself: what it must find.</summary>
public sealed class LedgerTests
{
    private readonly Ledger _ledger = new();

    [Fact]
    public void Tenures_OneAfterTheOther_AreSound()
    {
        Begin(1, TimeSpan.Zero).Until = _ledger.Now;
        Begin(2, TimeSpan.FromHours(1));

        Assert.Empty(_ledger.FindFaults());
    }

    [Fact]
    public void Tenures_ThatOverlap_AreFound()
    {
        Begin(1, TimeSpan.FromHours(1));
        Begin(2, TimeSpan.FromHours(1));

        Assert.NotEmpty(_ledger.FindFaults());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public void Tokens_ThatDoNotGrow_AreFound(long second)
    {
        var first = Begin(2, TimeSpan.FromHours(1));
        first.Until = _ledger.Now;
        Begin(second, TimeSpan.FromHours(1));

        Assert.NotEmpty(_ledger.FindFaults());
    }

    [Fact]
    public void Faults_AreFound()
    {
        _ledger.Fault("something was taken back");

        Assert.NotEmpty(_ledger.FindFaults());
    }

    private Ledger.Tenure Begin(long token, TimeSpan remaining) => _ledger.Begin(
        new LeaseGrant
        {
            Resource = "r", Owner = $"owner-{token}", Token = token, Mode = LeaseMode.Exclusive, Ttl = remaining, Remaining = remaining,
            Elapsed = TimeSpan.Zero, RenewAfter = TimeSpan.Zero, RequestId = "",
        },
        _ledger.Now);
}
