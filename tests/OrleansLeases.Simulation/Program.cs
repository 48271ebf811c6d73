using System.Globalization;
using OrleansLeases.Simulation.Hosted;
using OrleansLeases.Simulation.Shrinking;

namespace OrleansLeases.Simulation;

/// <summary>Runs seeds, one after the other; prints the hash of each, and of one that fails the smallest command that shows it.</summary>
internal static class Program
{
    private const int SeedsForEachPlant = 200;

    public static int Main(string[] arguments)
    {
        // One thread, so that what happens depends on the seed alone.
        if (!ThreadPool.SetMinThreads(1, 1) || !ThreadPool.SetMaxThreads(1, 1))
        {
            Console.Error.WriteLine("The thread pool has to have one thread: set DOTNET_PROCESSOR_COUNT=1.");
            return 2;
        }

        try
        {
            return arguments switch
            {
                ["--hosted", var ticks, .. var seeds] => RunHosted(int.Parse(ticks, CultureInfo.InvariantCulture), seeds),
                ["--plants", .. var names] => FindPlanted(names),
                _ => Run(CommandLine.Parse(arguments)),
            };
        }
        catch (FormatException error)
        {
            Console.Error.WriteLine(error.Message);
            return 2;
        }
    }

    /// <summary><c>--hosted TICKS SEED…</c>: services that lead and jobs on a schedule, so many ticks for each seed.</summary>
    private static int RunHosted(int ticks, IEnumerable<string> seeds)
    {
        var good = true;
        foreach (var seed in seeds)
            good &= new HostedWorld(ulong.Parse(seed, CultureInfo.InvariantCulture), ticks, trace: null).Run(Console.Out);
        return good ? 0 : 1;
    }

    /// <summary><c>--plants NAME…</c>: searches for each of these defects, or for every one there is.</summary>
    private static int FindPlanted(string[] names)
    {
        var missed = 0;
        foreach (var name in names.Length > 0 ? names : Enum.GetNames<Planted>().Where(name => name != nameof(Planted.None)))
        {
            var run = CommandLine.Parse(["--plant", name]).Run;
            var seed = PlantedSeeds.NearWhereItShows(run.Planted);
            var found = Enumerable.Range(seed, SeedsForEachPlant)
                .Select(number => new World(run with { Seed = (ulong)number }, trace: null).Run())
                .FirstOrDefault(outcome => outcome.Violation is not null);
            if (found is null) missed++;
            Console.WriteLine(found is null
                ? $"MISSED {name} by {SeedsForEachPlant} seeds from {seed}"
                : $"FOUND {name} by seed {found.Options.Seed}: {found.Violation!.Message}");
        }

        return missed == 0 ? 0 : 1;
    }

    private static int Run(CommandLine command)
    {
        var (operations, seeds, violations, simulated) = (0L, 0, 0, TimeSpan.Zero);
        while (seeds < command.Seeds && operations < command.Operations && simulated < command.Time
            && (violations == 0 || !command.StopsAtFirst))
        {
            var run = command.Run with { Seed = command.Run.Seed + (ulong)seeds++ };
            var outcome = new World(run, command.Traces ? Console.Out : null).Run();
            operations += outcome.Operations;
            simulated += outcome.Length;
            Console.WriteLine(outcome.ToString());
            if (outcome.Violation is null) continue;
            violations++;
            if (command.Shrinks) outcome = Shrinker.Shrink(outcome);
            foreach (var line in outcome.LastEvents) Console.WriteLine(line);
            Console.WriteLine($"VIOLATION {outcome.Violation!.Message}");
            Console.WriteLine(outcome.Options.Command);
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"total: {seeds} seeds, {operations} operations, {simulated.TotalDays:0.0} days, {violations} violations"));
        return violations == 0 ? 0 : 1;
    }
}
