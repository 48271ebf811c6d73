using System.Globalization;
using Npgsql;
using OrleansLeases.Testing;

namespace OrleansLeases.Cluster.Tests.Processes;

/// <summary>A private PostgreSQL with the schema, and silos on it.</summary>
internal sealed class LeaseCluster : IAsyncDisposable
{
    // Long enough for what the load asks, and short: the grace that the silos publish covers the longest.
    public static readonly TimeSpan LongestTtl = TimeSpan.FromSeconds(15);

    private readonly List<SiloProcess> _silos = [];
    private readonly Dictionary<string, string> _settings;

    private LeaseCluster(PostgresServer postgres, string database, TimeSpan probe)
    {
        Postgres = postgres;
        Database = NpgsqlDataSource.Create(database);
        _settings = new()
        {
            ["Postgres__ConnectionString"] = database,
            ["Cluster__ProbeTimeout"] = Text(probe),
            ["Leases__Limits__MaxTtl"] = Text(LongestTtl),
        };
    }

    public static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    public static TimeSpan QuickProbe { get; } = TimeSpan.FromSeconds(1);

    public PostgresServer Postgres { get; }

    public NpgsqlDataSource Database { get; }

    public IReadOnlyList<SiloProcess> Silos => _silos;

    /// <summary>Starts a database with the schema, and silos until they are ready.</summary>
    /// <param name="silos">How many.</param>
    /// <param name="probe">How long they wait for each other; <see cref="QuickProbe"/> where left out.</param>
    /// <param name="database">
    /// Settings of PostgreSQL; where left out it does not sync: the machine does not go down with it, so that nothing is lost.
    /// </param>
    /// <param name="settings">Settings of every silo, beside the others.</param>
    public static async Task<LeaseCluster> StartAsync(
        int silos = 3, TimeSpan? probe = null, string[]? database = null, params (string Name, string Value)[] settings)
    {
        var postgres = await PostgresServer.StartAsync(database ?? ["fsync=off"]);
        return await OnAsync(postgres, postgres.ConnectionString, silos, probe, ["migrate"], settings);
    }

    /// <summary>Gives a server the schema, and starts silos on it until they are ready.</summary>
    /// <param name="postgres">The server, which ends with the cluster.</param>
    /// <param name="owner">Connects to it as the schema's owner; the silos do too, unless their settings say otherwise.</param>
    /// <param name="silos">How many.</param>
    /// <param name="probe">How long they wait for each other; <see cref="QuickProbe"/> where left out.</param>
    /// <param name="migrate">How the schema is made.</param>
    /// <param name="settings">Settings of every silo, beside the others.</param>
    public static async Task<LeaseCluster> OnAsync(
        PostgresServer postgres, string owner, int silos, TimeSpan? probe, string[] migrate, params (string Name, string Value)[] settings)
    {
        var cluster = new LeaseCluster(postgres, owner, probe ?? QuickProbe);
        await using (var migration = new SiloProcess(cluster._settings).Begin(migrate))
            Assert.True(await migration.ExitCodeAsync() == 0, migration.Error);
        foreach (var (name, value) in settings) cluster._settings[name] = value;
        for (var i = 0; i < silos; i++) cluster.Add();
        await Task.WhenAll(cluster._silos.Select(silo => silo.StartAsync()));
        return cluster;
    }

    /// <summary>One more silo, not started yet.</summary>
    public SiloProcess Add()
    {
        var silo = new SiloProcess(_settings);
        _silos.Add(silo);
        return silo;
    }

    /// <summary>Starts whatever is not running.</summary>
    public async Task MakeWholeAsync()
    {
        foreach (var silo in _silos.Where(silo => !silo.Process.HasExited)) silo.Process.Thaw();
        await Task.WhenAll(_silos.Where(silo => silo.Process.HasExited).Select(silo => silo.StartAsync()));
    }

    /// <summary>Waits until the others have declared a silo dead.</summary>
    public Task DeclaredDeadAsync(SiloProcess silo) => Eventually.TrueAsync(
        async () =>
        {
            const int Dead = 6;
            await using var command =
                Database.CreateCommand("select status from OrleansMembershipTable where Port = $1 order by Generation desc limit 1");
            command.Parameters.Add(new() { Value = silo.SiloPort });
            return await command.ExecuteScalarAsync() is Dead;
        },
        () => "The silo was not declared dead.");

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_silos.Select(silo => silo.DisposeAsync().AsTask()));
        await Database.DisposeAsync();
        await Postgres.DisposeAsync();
    }

    private static string Text(TimeSpan time) => time.ToString("c", CultureInfo.InvariantCulture);
}
