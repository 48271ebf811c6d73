using System.Diagnostics;

namespace GuardedTable;

/// <summary>A worker in a process of its own, which can be stopped and continued. What it says is printed.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private readonly Process _process;

    private WorkerProcess(Process process) => _process = process;

    public static WorkerProcess Start(string server, string database, long amount, bool fenced)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        // The program itself, or dotnet with the program.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(typeof(WorkerProcess).Assembly.Location);
        foreach (var argument in (string[])[Worker.Verb, server, database, $"{amount}", $"{fenced}"]) start.ArgumentList.Add(argument);
        return new(Process.Start(start)!);
    }

    public Task UntilAboutToWriteAsync() => PrintLineAsync();

    public void Stop() => Signal("STOP");

    public void Continue() => Signal("CONT");

    public async Task GoOnAsync()
    {
        await _process.StandardInput.WriteLineAsync();
        await PrintLineAsync();
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private async Task PrintLineAsync()
    {
        var line = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("A worker ended too early.");
        Console.WriteLine($"  {line}");
    }

    private void Signal(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        kill.WaitForExit();
        Console.WriteLine(signal == "STOP" ? "  It is stopped; its lease runs out." : "  The first one wakes up.");
    }
}
