namespace OrleansLeases.Grains.Tests;

/// <summary>What looks at the database's clock say, and what becomes of those that could not tell.</summary>
public sealed class ClockVerdictTests
{
    private static readonly TimeSpan Bound = Seconds(0.5);
    private readonly ClockVerdict _verdict = new(Bound);
    private TimeSpan _now;

    [Theory]
    [InlineData(0, 0.001, true)]
    // It took longer than a quarter of the skew, and tells all the same.
    [InlineData(0.2, 0.4, true)]
    [InlineData(0.5, 1, true)]
    [InlineData(0.51, 1, null)]
    [InlineData(0.2, 1, null)]
    [InlineData(0.6, 0.05, false)]
    [InlineData(0.6, 0.2, null)]
    [InlineData(-0.4, 0.1, true)]
    [InlineData(-0.45, 0.1, null)]
    [InlineData(-0.6, 0.001, false)]
    // However slow the query: what is beyond the bound by more than it took, is beyond.
    [InlineData(60, 20, false)]
    [InlineData(-60, 20, false)]
    public void Look_TellsOnlyWhatIsSure(double ahead, double took, bool? within)
    {
        var sent = TimeSpan.FromDays(20_000);
        Assert.Equal(within, ClockComparison.Of(sent + Seconds(ahead), sent, Seconds(took)).IsWithin(Bound));
        Assert.Equal(within, Take(ahead, took));
        Assert.Equal(within == false, _verdict.Off is not null);
        Assert.Equal(within is null, _verdict.Missed);
        Assert.Null(_verdict.Blind);
    }

    [Fact]
    public void Off_SaysWhichWay()
    {
        Take(ahead: 2, took: 0.5);
        Assert.StartsWith("This silo's clock is 1.5 s behind the database's; 0.5 s are allowed", _verdict.Off, StringComparison.Ordinal);
        Take(ahead: -2, took: 0.5);
        Assert.StartsWith("This silo's clock is 2.0 s ahead of the database's", _verdict.Off, StringComparison.Ordinal);
    }

    [Fact]
    public void Looks_ThatCannotTell_LeaveTheVerdict_AndAtLastEndTheClaims()
    {
        Take(ahead: 0, took: 0.001);
        for (var looks = 0; looks < 6; looks++)
        {
            Assert.Null(Take(ahead: 0.5, took: 2));
            Assert.Null(_verdict.Blind);
            _now += Seconds(10);
        }

        Assert.Null(Take(ahead: 0.5, took: 2));
        Assert.Contains("too slowly for 60 s", _verdict.Blind, StringComparison.Ordinal);
        Assert.Null(_verdict.Off);
        Assert.True(Take(ahead: 0.2, took: 0.4));
        Assert.Null(_verdict.Blind);
        Assert.False(_verdict.Missed);
    }

    [Fact]
    public void Looks_ThatTellNowAndThen_AreEnough()
    {
        for (var looks = 0; looks < 20; looks++)
        {
            Take(ahead: 0.5, took: looks % 5 == 0 ? 0.5 : 2);
            Assert.Null(_verdict.Blind);
            _now += Seconds(10);
        }
    }

    [Fact]
    public void Off_StaysWhileLooksCannotTell()
    {
        Take(ahead: 5, took: 0.1);
        Take(ahead: 0.5, took: 2);
        Assert.NotNull(_verdict.Off);
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private bool? Take(double ahead, double took)
    {
        var sent = TimeSpan.FromDays(20_000);
        return _verdict.Take(ClockComparison.Of(sent + Seconds(ahead), sent, Seconds(took)), _now);
    }
}
