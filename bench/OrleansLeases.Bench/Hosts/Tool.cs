using System.Diagnostics;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Hosts;

// A program that runs to its end before anything is measured.
internal static class Tool
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static void Run(ProcessStartInfo start)
    {
        var (code, output) = RunToEnd(start);
        if (code != 0)
            throw new BenchException($"{Told(start)} ended with {code}:\n{output}");
    }

    public static bool Succeeds(ProcessStartInfo start) => RunToEnd(start).Code == 0;

    private static (int Code, string Output) RunToEnd(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start) ?? throw new BenchException($"{start.FileName} did not start.");
        Children.Add(process);
        try
        {
            var output = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (!process.WaitForExit(Limit))
                throw new BenchException($"{Told(start)} did not end within {Limit.TotalSeconds:0} s.");
            return (process.ExitCode, string.Concat(output.GetAwaiter().GetResult()));
        }
        finally
        {
            Children.Kill(process);
        }
    }

    private static string Told(ProcessStartInfo start) => string.Join(' ', [start.FileName, .. start.ArgumentList]);
}
