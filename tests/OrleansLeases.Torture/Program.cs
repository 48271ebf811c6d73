using System.Runtime.InteropServices;
using OrleansLeases.Torture.Recipes;
using OrleansLeases.Torture.Rounds;

namespace OrleansLeases.Torture;

/// <summary><c>./torture.sh</c>, and the workers of the tests of recipes, which are processes of this program too.</summary>
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

        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            var command = CommandLine.Parse(arguments);
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

        // Once the processes of the round are gone, and what was mounted.
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }
}
