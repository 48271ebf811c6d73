using System.Runtime.InteropServices;
using OrleansLeases.Torture.Hosted;
using OrleansLeases.Torture.Recipes;
using OrleansLeases.Torture.Rounds;

namespace OrleansLeases.Torture;

/// <summary>
/// <c>./torture.sh</c>; the instances of its <c>--ticks</c> and the workers of the tests of recipes are processes of this program too.
/// </summary>
internal static class Program
{
    private const int WrongUse = 2;
    private const int Interrupted = 130;

    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is [WorkerProgram.Word, .. var work])
        {
            await WorkerProgram.RunAsync(work);
            return 0;
        }

        if (arguments is [InstanceProgram.Word, .. var instance])
        {
            await InstanceProgram.RunAsync(instance);
            return 0;
        }

        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            var command = CommandLine.Parse(arguments);
            if (command is { Helps: false, Ticks: { } ticks }) return await RunHostedAsync(ticks, command.Seed, stop.Token);
            if (!command.Helps) return await new Run(command, Console.Out).TortureAsync(stop.Token) ? 0 : 1;
            Console.WriteLine(CommandLine.Usage);
            return 0;
        }
        catch (FormatException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return WrongUse;
        }
        catch (OperationCanceledException)
        {
            return Interrupted;
        }

        static async Task<int> RunHostedAsync(int ticks, int seed, CancellationToken stop)
        {
            await using var run = new HostedRun(ticks, jobs: 16, period: 4, seed);
            await run.RunAsync(stop);
            foreach (var violation in run.Violations.Take(10)) Console.WriteLine($"  {violation}");
            Console.WriteLine(run);
            return run.Violations.Count == 0 ? 0 : 1;
        }

        // Once the processes of the round are gone, and what was mounted.
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }
}
