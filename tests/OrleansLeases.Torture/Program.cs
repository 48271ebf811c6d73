using System.Globalization;
using OrleansLeases.Torture.Recipes;
using OrleansLeases.Torture.Rounds;

namespace OrleansLeases.Torture;

/// <summary>Tortures worlds, round after round, and says after each what was done to it and what it violated.</summary>
internal static class Program
{
    private const string Kept = "artifacts/torture";

    public static async Task<int> Main(string[] arguments)
    {
        // A worker of the tests of recipes is a process of this program, too.
        if (arguments is [WorkerProgram.Word, .. var work])
        {
            await WorkerProgram.RunAsync(work);
            return 0;
        }

        try
        {
            var command = CommandLine.Parse(arguments);
            if (!command.Helps) return await RunAsync(command, Console.Out);
            Console.WriteLine(CommandLine.Usage);
            return 0;
        }
        catch (FormatException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return 2;
        }
    }

    /// <summary>Runs the worlds side by side.</summary>
    /// <returns>0 where nothing was violated; else 1.</returns>
    public static async Task<int> RunAsync(CommandLine command, TextWriter output)
    {
        output = TextWriter.Synchronized(output);
        var totals = await Task.WhenAll(command.Worlds.Select(world => RunAsync(command, world, output)));
        var (counts, violations) = (new Counts(), new Counts());
        foreach (var (ofWorld, found) in totals)
        {
            counts.Add(ofWorld);
            violations.Add(found);
        }

        await output.WriteLineAsync($"total: {counts}");
        var ofKinds = Violation.Kinds.Select(kind => string.Create(CultureInfo.InvariantCulture, $"{violations[kind]} {kind}"));
        await output.WriteLineAsync($"violations: {string.Join(", ", ofKinds)}");
        return Violation.Kinds.Any(kind => violations[kind] > 0) ? 1 : 0;
    }

    private static async Task<(Counts Counts, Counts Violations)> RunAsync(CommandLine command, string world, TextWriter output)
    {
        var (counts, violations) = (new Counts(), new Counts());
        var started = TimeProvider.System.GetTimestamp();
        for (var seed = command.Seed; TimeProvider.System.GetElapsedTime(started) < command.Length; seed++)
        {
            var folder = Path.Combine(Kept, string.Create(CultureInfo.InvariantCulture, $"{world}-{seed}"));
            var outcome = await new Round(world, seed) { Folder = folder }.RunAsync();
            counts.Add(outcome.Counts);
            foreach (var violation in outcome.Violations) violations.Add(violation.Kind);
            await output.WriteLineAsync(outcome.ToString());
            if (outcome.Violations.Count == 0) continue;
            foreach (var violation in outcome.Violations.Take(10)) await output.WriteLineAsync($"  {violation.Kind}: {violation.What}");
            await output.WriteLineAsync($"  {folder} has its logs and histories. Again: {outcome.Round.Command}");
        }

        return (counts, violations);
    }
}
