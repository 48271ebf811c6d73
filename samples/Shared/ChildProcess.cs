using System.Diagnostics;

namespace Samples;

/// <summary>This program once more, in a process of its own. What it says is printed behind its name.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    private ChildProcess(string name, Process process) => (Name, _process) = (name, process);

    public string Name { get; }

    /// <summary>Said by a child: it has nobody to work for once its parent is gone, whatever the parent died of.</summary>
    public static void EndWithParent() => _ = Task.Run(() =>
    {
        Console.In.ReadToEnd();
        Environment.Exit(1);
    });

    public static ChildProcess Start(string name, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        // The program itself, or dotnet with the program.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return new(name, Process.Start(start)!);
    }

    /// <summary>Prints the next thing that it says.</summary>
    public async Task<string> HearAsync()
    {
        var line = await _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1))
            ?? throw new InvalidOperationException($"{Name} ended too early.");
        Console.WriteLine($"  {Name}: {line}");
        return line;
    }

    /// <summary>Prints all that it says until its end.</summary>
    public async Task<int> ToTheEndAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line) Console.WriteLine($"  {Name}: {line}");
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Lets it read an empty line.</summary>
    public Task TellAsync() => _process.StandardInput.WriteLineAsync();

    /// <summary>As hard as <c>kill -9</c>.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Stops it where it is, as <c>kill -STOP</c> does.</summary>
    public void Stop() => Signal("STOP");

    public void Continue() => Signal("CONT");

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private void Signal(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        kill.WaitForExit();
    }
}
