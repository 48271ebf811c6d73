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
    [InlineData("1h30m", 5_400_000)]
    [InlineData("1m500ms", 60_500)]
    [InlineData("1h2m3s4ms", 3_723_004)]
    [InlineData("1d", 86_400_000)]
    [InlineData("90d12h", 7_819_200_000)]
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
    [InlineData("1D")]
    [InlineData("1w")]
    [InlineData("1S")]
    [InlineData("9223372036854775807h")]
    [InlineData("3651d")]
    [InlineData("87601h")]
    [InlineData("3650d1ms")]
    [InlineData("30m1h")]
    [InlineData("1h1d")]
    [InlineData("1h1h")]
    [InlineData("1h30")]
    [InlineData("1hm")]
    public void TryParse_OfAnythingElse_IsFalse(string text) => Assert.False(Durations.TryParse(text, out _));

    [Theory]
    [InlineData("0")]
    [InlineData("10ms")]
    [InlineData("48h")]
    [InlineData("1h30m")]
    [InlineData("1h2m3s4ms")]
    public void Write_OfADuration_IsWhatIsRead(string text)
    {
        Assert.True(Durations.TryParse(text, out var duration));
        Assert.Equal(text, Durations.Write(duration));
    }

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
