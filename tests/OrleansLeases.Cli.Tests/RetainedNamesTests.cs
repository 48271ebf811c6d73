using OrleansLeases.Cli.Serving;

namespace OrleansLeases.Cli.Tests;

/// <summary><c>leases serve --retain</c>: one time for all names, and others by prefix.</summary>
public sealed class RetainedNamesTests
{
    [Fact]
    public void Parse_ReadsOneTime_AndOthersByPrefix()
    {
        Assert.Equal(TimeSpan.FromDays(30), RetainedNames.Parse(RetainedNames.Default).Usual);
        Assert.Equal(TimeSpan.Zero, RetainedNames.Parse("0").Usual);
        var names = RetainedNames.Parse("90d; tasks/=1d;a=b/=1m ;locks/=0");
        Assert.Equal(TimeSpan.FromDays(90), names.Usual);
        Assert.Equal(
            new Dictionary<string, TimeSpan>
            {
                ["tasks/"] = TimeSpan.FromDays(1), ["a=b/"] = TimeSpan.FromMinutes(1), ["locks/"] = TimeSpan.Zero,
            },
            names.ByPrefix);
        Assert.Equal(TimeSpan.FromDays(30), RetainedNames.Parse("tasks/=12h").Usual);
    }

    [Theory]
    [InlineData("", "no PREFIX=DURATION|whose time is ''")]
    [InlineData("30", "'30'")]
    [InlineData("59s", "1m to 3650d")]
    [InlineData("3651d", "1m to 3650d")]
    [InlineData("30d;", "part ''")]
    [InlineData("30d;=1d", "part '=1d'")]
    [InlineData("30d;7d", "part '7d'")]
    [InlineData("30d;tasks/=never", "'never'")]
    [InlineData("30d;tasks/=1d;tasks/=2d", "'tasks/' twice")]
    public void Parse_OfWhatIsWrong_NamesIt(string text, string named)
    {
        var error = Assert.Throws<FormatException>(() => RetainedNames.Parse(text));
        Assert.Contains(named.Split('|'), word => error.Message.Contains(word, StringComparison.Ordinal));
    }
}
