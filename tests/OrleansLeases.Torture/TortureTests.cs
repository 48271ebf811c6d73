using OrleansLeases.Torture.Rounds;
using Xunit.Abstractions;

namespace OrleansLeases.Torture;

/// <summary>The torture itself, for a short time; <c>./torture.sh</c> is the long one.</summary>
public sealed class TortureTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Worlds_TorturedSideBySide_ViolateNothing()
    {
        var rounds = await Task.WhenAll(
            new CommandLine().Worlds.Select(world => new Round(world, Seed: 1) { Length = TimeSpan.FromSeconds(90) }.RunAsync()));

        foreach (var round in rounds) output.WriteLine(round.ToString());
        Assert.All(rounds, round => Assert.True(round.Counts["kills"] > 2 && round.Counts["told grants"] > 20, $"{round}"));
        // A busy machine gets to read few keys of the one world or the other.
        Assert.NotEqual(0, rounds.Sum(round => round.Counts["keys shown"]));
        Assert.Empty(rounds.SelectMany(round => round.Violations));
    }
}
