using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Hosts;

// Runs a benchmark that is a program of its own, since it uses the libraries of the product. It prints one finding a line.
internal static class ChildBenchmark
{
    // The most loads that one call of a program has, and what it needs beside their rounds.
    private const int Loads = 10;

    private static readonly TimeSpan Overhead = TimeSpan.FromMinutes(5);

    public static void Run(string program, Options options, Report report, string[] arguments, CancellationToken stop)
    {
        var start = new ProcessStartInfo("dotnet",
        [
            program, .. arguments,
            "--seconds", Text((int)options.RoundTime.TotalSeconds), "--rounds", Text(options.Rounds), "--callers", Text(options.Callers),
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start) ?? throw new BenchException($"{program} did not start.");
        Children.Add(process);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Overhead + options.RoundTime * options.Rounds * Loads);
        using var ending = limit.Token.Register(() => Children.Kill(process));

        var errors = new StringBuilder();
        process.ErrorDataReceived += (_, line) => errors.AppendLine(line.Data);
        process.BeginErrorReadLine();
        while (process.StandardOutput.ReadLine() is { } line)
            report.Add(Parse(line));
        process.WaitForExit();
        stop.ThrowIfCancellationRequested();
        if (limit.IsCancellationRequested)
            throw new BenchException($"{string.Join(' ', arguments)} did not end in time:\n{errors}");
        if (process.ExitCode != 0)
            throw new BenchException($"{string.Join(' ', arguments)} ended with {process.ExitCode}:\n{errors}");
        Children.Forget(process);
    }

    private static Finding Parse(string line)
    {
        try
        {
            return Finding.FromLine(line);
        }
        catch (JsonException error)
        {
            throw new BenchException($"A child benchmark printed a line that is no finding: {line}", error);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
