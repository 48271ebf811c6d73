namespace OrleansLeases.Cli.Tests;

public sealed class DurationsTests
{
    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("30s", 30_000)]
    [InlineData("5m", 300_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("0", 0)]
    [InlineData("0s", 0)]
    public void TryParse_OfADuration_IsIt(string text, long milliseconds)
    {
        Assert.True(Durations.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("+1s")]
    [InlineData(" 1s")]
    [InlineData("1 s")]
    [InlineData("1.5s")]
    [InlineData("1d")]
    [InlineData("1S")]
    [InlineData("9223372036854775807h")]
    [InlineData("8761h")]
    public void TryParse_OfAnythingElse_IsFalse(string text) => Assert.False(Durations.TryParse(text, out _));

    [Theory]
    [InlineData(-5, "0s")]
    [InlineData(0, "0s")]
    [InlineData(999, "999ms")]
    [InlineData(1_000, "1s")]
    [InlineData(29_999, "29.9s")]
    [InlineData(60_000, "1m")]
    [InlineData(61_999, "1m 1s")]
    [InlineData(3_660_000, "1h 1m")]
    [InlineData(90_000_000, "1d 1h")]
    public void Format_RoundsDown(long milliseconds, string text) =>
        Assert.Equal(text, Durations.Format(TimeSpan.FromMilliseconds(milliseconds)));
}
