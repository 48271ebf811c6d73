using System.Diagnostics;
using System.Globalization;
using OrleansLeases.Embedded.Tests.Keys;
using OrleansLeases.Embedded.Tests.Restart;

namespace OrleansLeases.Embedded.Tests.Hosting;

/// <summary>Lives in processes of their own, each killed at one of its steps.</summary>
internal static class VictimProcess
{
    private const string Survived = "survived";

    // By SIGKILL.
    private const int Killed = 128 + 9;

    /// <summary>Runs one life until it is over, or killed.</summary>
    /// <param name="arguments">Which life, where its data is, and what else it takes.</param>
    /// <returns>The lines that it told, and whether it came to its end.</returns>
    public static async Task<(string[] Told, bool Survived)> LiveAndDieAsync(params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", [typeof(VictimProcess).Assembly.Location, .. arguments]) { RedirectStandardOutput = true })!;
        var told = (await process.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await process.WaitForExitAsync();
        var survived = told.LastOrDefault() == Survived;
        Assert.Equal(survived ? 0 : Killed, process.ExitCode);
        return (told, survived);
    }

    /// <summary>Ends this process at once.</summary>
    public static void Die()
    {
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    private static async Task Main(string[] arguments)
    {
        var point = int.Parse(arguments[2], CultureInfo.InvariantCulture);
        await (arguments[0] switch
        {
            nameof(Victim) => Victim.LiveAsync(arguments[1], point, bool.Parse(arguments[3])),
            _ => DropVictim.LiveAsync(arguments[1], point),
        });
        Console.WriteLine(Survived);
    }
}
