using System.Globalization;
using OrleansLeases.Simulation.Shrinking;

namespace OrleansLeases.Simulation;

/// <summary>Runs seeds, one after the other; prints the hash of each, and of one that fails the smallest command that shows it.</summary>
internal static class Program
{
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
            return Run(CommandLine.Parse(arguments));
        }
        catch (FormatException error)
        {
            Console.Error.WriteLine(error.Message);
            return 2;
        }
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
