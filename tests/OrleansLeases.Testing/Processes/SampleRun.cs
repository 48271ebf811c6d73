using System.Diagnostics;

namespace OrleansLeases.Testing.Processes;

/// <summary>A program of <c>samples/</c>, run to its end.</summary>
/// <param name="ExitCode">0 where what it shows held.</param>
/// <param name="Told">The lines it printed.</param>
public sealed record SampleRun(int ExitCode, IReadOnlyList<string> Told)
{
    // Only a defect lets a test wait this long.
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(120);

    /// <summary>Runs a program that stands beside the tests.</summary>
    public static async Task<SampleRun> OfAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, program), arguments) { RedirectStandardOutput = true };
        using var sample = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        try
        {
            var told = await sample.StandardOutput.ReadToEndAsync().WaitAsync(WaitTimeout);
            await sample.WaitForExitAsync().WaitAsync(WaitTimeout);
            return new(sample.ExitCode, told.TrimEnd('\n').Split('\n'));
        }
        finally
        {
            if (!sample.HasExited) sample.Kill();
        }
    }
}
