using System.Globalization;
using OrleansLeases.Client;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Torture.Processes;

/// <summary><c>leases serve</c> on a folder, as a process that a test can kill, stop and end.</summary>
internal sealed class Server : IAsyncDisposable
{
    private readonly ListeningProcess _process;
    private HttpClient? _http;

    private Server(ListeningProcess process) => _process = process;

    public HttpClient Http => _http ?? throw new InvalidOperationException("The server does not listen.");

    public ILeaseService Leases => field ??= new HttpLeaseService(Http) { CallTimeout = TimeSpan.FromSeconds(10) };

    public string Error => _process.Error;

    /// <summary>Starts a server and returns once it listens.</summary>
    public static async Task<Server> StartAsync(string folder)
    {
        var server = Begin(folder);
        await server.ListensAsync();
        return server;
    }

    /// <summary>Starts a server, which need not get as far as to listen.</summary>
    /// <param name="folder">Its data.</param>
    /// <param name="port">Where it listens; 0 for a free port.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    public static Server Begin(string folder, int port = 0, IReadOnlyDictionary<string, string>? environment = null)
    {
        var address = $"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}";
        return new(ListeningProcess.Start("leases", ["serve", "--data", folder, "--urls", address], environment));
    }

    /// <summary>Waits until it listens.</summary>
    /// <exception cref="InvalidOperationException">It ended before that.</exception>
    public async Task ListensAsync() => _http = new HttpClient { BaseAddress = new Uri(await _process.AddressAsync()) };

    public Task KillAsync() => _process.KillAsync();

    public void Freeze() => _process.Freeze();

    public void Thaw() => _process.Thaw();

    public void AskToEnd() => _process.AskToEnd();

    public Task<int> ExitCodeAsync() => _process.ExitCodeAsync();

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _http?.Dispose();
    }
}
