using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text;

namespace OrleansLeases.Testing.Processes;

/// <summary>A server that says <c>Listening on …</c>, as a process that a test can kill, stop and end. It ends with the test.</summary>
[SupportedOSPlatform("linux")]
public sealed class ListeningProcess : IAsyncDisposable
{
    private const string Listening = "Listening on ";

    // Only a defect lets a test wait this long.
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _error = new();
    private readonly TaskCompletionSource<string> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ListeningProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null) _address.TrySetException(new InvalidOperationException($"The server ended before it listened. {Error}"));
            else if (line.Data.StartsWith(Listening, StringComparison.Ordinal)) _address.TrySetResult(line.Data[Listening.Length..]);
        };
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_error) _error.AppendLine(line.Data);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What it has written to its error stream.</summary>
    public string Error
    {
        get
        {
            lock (_error) return _error.ToString();
        }
    }

    /// <summary>Starts a program that stands beside the tests.</summary>
    public static ListeningProcess Start(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, program))
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return new(Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start."));
    }

    /// <summary>Where it listens, once it does.</summary>
    public Task<string> AddressAsync() => _address.Task.WaitAsync(WaitTimeout);

    public async Task KillAsync()
    {
        Signals.Send(Id, Signals.Kill);
        await _process.WaitForExitAsync().WaitAsync(WaitTimeout);
    }

    public void Freeze() => Signals.Send(Id, Signals.Stop);

    public void Thaw() => Signals.Send(Id, Signals.Continue);

    public void AskToEnd() => Signals.Send(Id, Signals.Terminate);

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(WaitTimeout);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
