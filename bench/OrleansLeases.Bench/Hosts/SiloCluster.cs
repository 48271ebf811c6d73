using System.Diagnostics;
using System.Globalization;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Http;

namespace OrleansLeases.Bench.Hosts;

// Silos with their gateways: one on its own memory, or any number on a PostgreSQL of their own.
internal sealed class SiloCluster : IServer, IDisposable
{
    public const string Id = "leases";

    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(60);

    private readonly List<ServerProcess> _silos = [];

    private SiloCluster(PostgresServer? database) => Database = database;

    public PostgresServer? Database { get; }

    public IReadOnlyList<ServerProcess> Silos => _silos;

    // Where Orleans clients connect to the first silo.
    public int GatewayPort { get; private set; }

    public double CpuSeconds => _silos.Sum(silo => silo.CpuSeconds) + (DatabaseCpuSeconds ?? 0);

    public double? DatabaseCpuSeconds => Database?.CpuSeconds;

    public static SiloCluster StartInMemory(EventLoop loop, string program)
    {
        var cluster = new SiloCluster(null);
        cluster.AddSilo(loop, program, "development.json", []);
        return cluster;
    }

    public static SiloCluster StartOnPostgres(EventLoop loop, string program, Workspace workspace, int silos)
    {
        var cluster = new SiloCluster(PostgresServer.Start(loop, workspace));
        Migrate(program, cluster.Database!);
        for (var i = 0; i < silos; i++)
            cluster.AddSilo(loop, program, "cluster.json", SettingsFor(cluster.Database!));
        return cluster;
    }

    public static void Migrate(string program, PostgresServer database)
    {
        var start = new ProcessStartInfo("dotnet", [program, "migrate", "--config", Config(program, "cluster.json")]);
        foreach (var (name, value) in SettingsFor(database))
            start.Environment[name] = value;
        Tool.Run(start);
    }

    // As a power cut would.
    public void Kill(ServerProcess silo)
    {
        _silos.Remove(silo);
        silo.Kill();
    }

    public void Dispose()
    {
        foreach (var silo in _silos)
            silo.Dispose();
        Database?.Dispose();
    }

    private static (string Name, string Value)[] SettingsFor(PostgresServer database) =>
        [("LEASES_Postgres__ConnectionString", database.ConnectionString), ("LEASES_Cluster__AdvertisedAddress", "127.0.0.1")];

    // The configurations that ship, with nothing changed but addresses.
    private void AddSilo(EventLoop loop, string program, string config, (string Name, string Value)[] settings)
    {
        var (port, gateway) = (ServerProcess.FreePort(), ServerProcess.FreePort());
        var start = new ProcessStartInfo("dotnet", [program, "--config", Config(program, config)]);
        start.Environment["LEASES_Urls"] = $"http://127.0.0.1:{Text(port)}";
        start.Environment["LEASES_Cluster__SiloPort"] = Text(ServerProcess.FreePort());
        start.Environment["LEASES_Cluster__GatewayPort"] = Text(gateway);
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        var silo = new ServerProcess($"silo {_silos.Count + 1}", port, start);
        _silos.Add(silo);
        if (GatewayPort == 0)
            GatewayPort = gateway;
        loop.Run(() => silo.WaitUntilReadyAsync(loop, () => IsReadyAsync(loop, port), ReadyLimit), ReadyLimit + TimeSpan.FromSeconds(5));
    }

    private static string Config(string program, string file) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(program))!, "silo-config", file);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task<bool> IsReadyAsync(EventLoop loop, int port)
    {
        using var connection = new HttpConnection(loop, port);
        return (await connection.GetAsync("/health/ready")).Status == 200;
    }
}
