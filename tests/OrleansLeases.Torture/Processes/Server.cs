using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using OrleansLeases.Client;

namespace OrleansLeases.Torture.Processes;

/// <summary><c>leases serve</c> on a folder, as a process that a test can kill, stop and end.</summary>
internal sealed class Server : IAsyncDisposable
{
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private const int SigCont = 18;
    private const int SigStop = 19;
    private const string Listening = "Listening on ";

    // Only a defect lets a test wait this long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _error = new();
    private readonly TaskCompletionSource<string> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HttpClient? _http;

    private Server(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null) _address.TrySetException(new InvalidOperationException("The server ended before it listened."));
            else if (line.Data.StartsWith(Listening, StringComparison.Ordinal)) _address.TrySetResult(line.Data[Listening.Length..]);
        };
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_error) _error.AppendLine(line.Data);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public HttpClient Http => _http ?? throw new InvalidOperationException("The server does not listen.");

    public ILeaseService Leases => field ??= new HttpLeaseService(Http) { CallTimeout = TimeSpan.FromSeconds(10) };

    public string Error
    {
        get
        {
            lock (_error) return _error.ToString();
        }
    }

    /// <summary>Starts a server and returns once it listens.</summary>
    public static async Task<Server> StartAsync(string folder)
    {
        var server = Begin(folder);
        var address = await server._address.Task.WaitAsync(Patience);
        server._http = new HttpClient { BaseAddress = new Uri(address) };
        return server;
    }

    /// <summary>Starts a server that is not expected to listen.</summary>
    public static Server Begin(string folder)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "leases"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList = { "serve", "--data", folder, "--urls", "http://127.0.0.1:0" },
        };
        return new(Process.Start(start) ?? throw new InvalidOperationException("The server did not start."));
    }

    public async Task KillAsync()
    {
        Send(SigKill);
        await _process.WaitForExitAsync().WaitAsync(Patience);
    }

    public void Freeze() => Send(SigStop);

    public void Thaw() => Send(SigCont);

    public void AskToEnd() => Send(SigTerm);

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _http?.Dispose();
    }

    private void Send(int signal) => Assert.Equal(0, SystemKill(_process.Id, signal));

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SystemKill(int process, int signal);
}
