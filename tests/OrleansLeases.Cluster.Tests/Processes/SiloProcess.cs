using System.Globalization;
using System.Net;
using System.Text;
using OrleansLeases.Client;
using OrleansLeases.Cluster.Tests.Load;
using OrleansLeases.Testing;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cluster.Tests.Processes;

/// <summary>A silo of a cluster: its place on the machine, where it runs, dies and runs again.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private static readonly string Configuration = Path.Combine(AppContext.BaseDirectory, "silo-config", "cluster.json");

    private readonly Dictionary<string, string> _environment;
    private readonly HttpClient _http;
    private readonly StringBuilder _log = new();
    private ListeningProcess? _process;

    /// <param name="settings">Settings beside the ports, such as <c>Postgres__ConnectionString</c>.</param>
    /// <param name="environment">Variables beside those of this process; none where left out.</param>
    public SiloProcess(IReadOnlyDictionary<string, string> settings, IReadOnlyDictionary<string, string>? environment = null)
    {
        var address = $"http://127.0.0.1:{Text(Ports.Free())}";
        SiloPort = Ports.Free();
        GatewayPort = Ports.Free();
        _environment = settings.ToDictionary(setting => $"LEASES_{setting.Key}", setting => setting.Value);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) _environment[name] = value;
        _environment["LEASES_Urls"] = address;
        _environment["LEASES_Cluster__SiloPort"] = Text(SiloPort);
        _environment["LEASES_Cluster__GatewayPort"] = Text(GatewayPort);
        _environment["LEASES_Cluster__AdvertisedAddress"] = "127.0.0.1";
        _http = new HttpClient { BaseAddress = new Uri(address), Timeout = Timeout.InfiniteTimeSpan };
        Patiently = new HttpLeaseService(_http) { CallTimeout = 2 * Eventually.WaitTimeout };
        Watch = new WatchedService(new HttpLeaseService(_http) { CallTimeout = TimeSpan.FromSeconds(5) });
    }

    /// <summary>Where its HTTP gateway listens.</summary>
    public Uri Address => _http.BaseAddress!;

    public int SiloPort { get; }

    /// <summary>Where it takes Orleans clients.</summary>
    public int GatewayPort { get; }

    /// <summary>The service at this silo's gateway, there or not.</summary>
    public ILeaseService Leases => Watch;

    /// <summary>The same, for a caller that gives a silo that was stopped all the time it needs.</summary>
    public ILeaseService Patiently { get; }

    /// <summary>The same, with what it refused.</summary>
    public WatchedService Watch { get; }

    public ListeningProcess Process => _process ?? throw new InvalidOperationException("The silo was never started.");

    /// <summary>What all of its processes have written to their error streams.</summary>
    public string Log => $"{_log}{_process?.Error}";

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Whether its process was not made to end, yet has.</summary>
    public bool EndedByItself => !Expected && _process is { HasExited: true };

    /// <summary>Whether its end is what the test wants.</summary>
    private bool Expected { get; set; }

    /// <summary>
    /// Runs <c>leases-silo</c> with this silo's settings, for something else than to serve or where it is not to get that far.
    /// </summary>
    public ListeningProcess Begin(params string[] arguments) =>
        ListeningProcess.Start("leases-silo", [.. arguments, "--config", Configuration], _environment);

    /// <summary>Runs <c>leases-silo</c> beside this silo, with settings of which some may be others, or none.</summary>
    public ListeningProcess BeginBeside(params (string Setting, string? Value)[] others)
    {
        var environment = new Dictionary<string, string>(_environment);
        foreach (var (setting, value) in others)
        {
            environment.Remove($"LEASES_{setting}");
            if (value is not null) environment[$"LEASES_{setting}"] = value;
        }

        return ListeningProcess.Start("leases-silo", ["--config", Configuration], environment);
    }

    /// <summary>Starts it; once that is done, it is ready.</summary>
    public async Task StartAsync()
    {
        var before = _process;
        _process = Begin();
        Expected = false;
        if (before is not null)
        {
            _log.Append(before.Error);
            await before.DisposeAsync();
        }

        await _process.AddressAsync();
        await Eventually.TrueAsync(
            async () => (await ReadyAsync()).Status == HttpStatusCode.OK, () => $"The silo is not ready. {_process.Error}");
    }

    public async Task KillAsync()
    {
        Expected = true;
        await Process.KillAsync();
    }

    public void AskToEnd()
    {
        Expected = true;
        Process.AskToEnd();
    }

    /// <summary>Whether it takes calls, and what it says of that.</summary>
    public async Task<(HttpStatusCode Status, string Body)> ReadyAsync()
    {
        using var answer = await _http.GetAsync(new Uri("health/ready", UriKind.Relative));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Expected = true;
        if (_process is not null) await _process.DisposeAsync();
        _http.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
