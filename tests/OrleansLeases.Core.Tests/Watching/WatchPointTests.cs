namespace OrleansLeases.Core.Tests;

public sealed class WatchPointTests
{
    [Theory]
    [InlineData("0", 0, null)]
    [InlineData("17", 17, null)]
    [InlineData("17-0", 17, 0L)]
    [InlineData("9223372036854775807-9223372036854775807", long.MaxValue, long.MaxValue)]
    public void TryParse_OfWhatToStringWrites_IsTheSame(string text, long sequence, long? history)
    {
        Assert.True(WatchPoint.TryParse(text, out var point));
        Assert.Equal(new WatchPoint(sequence, history), point);
        Assert.Equal(text, point.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("-1")]
    [InlineData("1-")]
    [InlineData("1--1")]
    [InlineData("1-2-3")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1,000")]
    [InlineData("0x1")]
    [InlineData("9223372036854775808")]
    public void TryParse_OfAnythingElse_IsFalse(string? text)
    {
        Assert.False(WatchPoint.TryParse(text, out var point));
        Assert.Equal(default, point);
    }
}
