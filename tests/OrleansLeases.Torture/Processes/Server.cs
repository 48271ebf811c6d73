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
        server._http = new HttpClient { BaseAddress = new Uri(await server._process.AddressAsync()) };
        return server;
    }

    /// <summary>Starts a server that is not expected to listen.</summary>
    public static Server Begin(string folder) =>
        new(ListeningProcess.Start("leases", ["serve", "--data", folder, "--urls", "http://127.0.0.1:0"]));

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
