using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace OrleansLeases.Simulation;

/// <summary>
/// The share of the simulation that every build runs. Each run is a process of its own, since a simulation wants the thread pool for
/// itself.
/// </summary>
public sealed partial class SeedTests
{
    private const int Processes = 2;
    private const long OperationsOfEach = 510_000;

    [Fact]
    public async Task Seeds_UnderFaults_ViolateNothing()
    {
        var runs = await Task.WhenAll(Enumerable.Range(0, Processes).Select(number => RunAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"--seed {(number * 1_000_000) + 1} --operations {OperationsOfEach} --first --shrink"),
            isLong: true)));

        Assert.All(runs, run => Assert.True(run.Code == 0, string.Join(Environment.NewLine, run.Lines.TakeLast(140))));
        Assert.InRange(runs.Sum(run => OperationsOf(run.Lines[^1])), 1_000_000, long.MaxValue);
    }

    [Fact]
    public async Task Seed_WhenRunAgain_DoesTheSameToTheByte()
    {
        var first = RunAsync("--seed 1 --seeds 6 --steps 2000");
        var second = RunAsync("--seed 1 --seeds 6 --steps 2000");
        // By itself it does what it does after others.
        var last = await RunAsync("--seed 6 --steps 2000");

        Assert.Equal((await first).Lines, (await second).Lines);
        Assert.Contains(last.Lines[0], (await first).Lines);
    }

    [Fact]
    public async Task Defects_OnPurpose_AreEachFound()
    {
        var plants = Enum.GetNames<Planted>().Where(name => name != nameof(Planted.None)).ToList();

        var runs = await Task.WhenAll(Enumerable.Range(0, Processes).Select(number => RunAsync(
            $"--plants {string.Join(' ', plants.Where((_, at) => at % Processes == number))}", isLong: true)));

        var lines = runs.SelectMany(run => run.Lines).ToList();
        Assert.All(plants, plant => Assert.Contains(lines, line => line.StartsWith($"FOUND {plant} ", StringComparison.Ordinal)));
        Assert.All(runs, run => Assert.Equal(0, run.Code));
    }

    [Fact]
    public async Task FailingSeed_WhenShrunk_ShowsTheSameByItsCommand()
    {
        var search = await RunAsync($"--plant {nameof(Planted.ForgetsHorizons)} --seed 1 --operations 1000000 --first --shrink");
        var violation = search.Lines.Single(line => line.StartsWith("VIOLATION", StringComparison.Ordinal));
        var command = Command().Match(string.Join('\n', search.Lines));

        var again = await RunAsync(command.Groups[1].Value);

        Assert.Contains(violation, again.Lines);
        Assert.InRange(int.Parse(command.Groups[2].Value, CultureInfo.InvariantCulture), 1, new RunOptions(1).Steps - 1);
    }

    [Fact]
    public async Task HostedWork_OfThreeInstances_StartsEachTickOnce_AndLeadsOnOneAtATime()
    {
        // The second seed has a network that loses messages.
        var run = await RunAsync("--hosted 1000 2");

        Assert.True(run.Code == 0, string.Join(Environment.NewLine, run.Lines));
        var counts = HostedCounts().Match(run.Lines[^1]);
        Assert.InRange(Count(1) + Count(2), 1_000, 1_010);
        // Those that an instance took, and then died or was stopped for good before it started the job.
        Assert.InRange(Count(2), 0, 10);
        Assert.InRange(Count(3), 1_000, int.MaxValue);

        int Count(int group) => int.Parse(counts.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    private static long OperationsOf(string total) =>
        long.Parse(Total().Match(total).Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture);

    private static async Task<(int Code, IReadOnlyList<string> Lines)> RunAsync(string arguments, bool isLong = false)
    {
        var start = new ProcessStartInfo("dotnet", $"{typeof(SeedTests).Assembly.Location} {arguments}")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // Garbage that is collected seldom costs little: nearly all of it is young.
            Environment = { ["DOTNET_PROCESSOR_COUNT"] = "1", ["DOTNET_GCgen0size"] = "0x4000000" },
        };
        // The compiler's own threads would take turns with the one that simulates: in a long run it compiles everything once.
        if (isLong) start.Environment["DOTNET_TieredCompilation"] = "0";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var lines = (await process.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).ToList();
        await process.WaitForExitAsync();
        lines.InsertRange(0, (await errors).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        return (process.ExitCode, lines);
    }

    [GeneratedRegex("([0-9]+) of 1000 ticks started, ([0-9]+) taken along .* ([0-9]+) faults")]
    private static partial Regex HostedCounts();

    [GeneratedRegex("([0-9]+) operations")]
    private static partial Regex Total();

    [GeneratedRegex("^dotnet run .* -- (--seed .* --steps ([0-9]+))$", RegexOptions.Multiline)]
    private static partial Regex Command();
}
