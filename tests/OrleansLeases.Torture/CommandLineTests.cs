namespace OrleansLeases.Torture;

/// <summary>What <c>./torture.sh</c> takes.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public void Options_AreTaken()
    {
        var command = CommandLine.Parse(["--minutes", "60", "--seed", "7", "--world", "silos"]);

        Assert.Equal((TimeSpan.FromMinutes(60), 7), (command.Length, command.Seed));
        Assert.Equal(["silos"], command.Worlds);
        Assert.Equal(1_000, CommandLine.Parse(["--ticks", "1000"]).Ticks);
    }

    [Theory]
    [InlineData("--hours")]
    [InlineData("--minutes")]
    [InlineData("--minutes", "-1")]
    [InlineData("--seed", "one")]
    [InlineData("--world", "flat")]
    public void WrongUse_IsRefusedWithWhatIsWrong(params string[] arguments)
    {
        var error = Assert.Throws<FormatException>(() => CommandLine.Parse(arguments));

        Assert.Contains(arguments[^1], error.Message, StringComparison.Ordinal);
        Assert.Contains(CommandLine.Usage, error.Message, StringComparison.Ordinal);
    }
}
