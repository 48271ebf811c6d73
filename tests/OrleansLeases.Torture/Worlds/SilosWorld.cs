using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using OrleansLeases.Cluster.Tests.Processes;
using OrleansLeases.Testing;

namespace OrleansLeases.Torture.Worlds;

/// <summary>Three silos on PostgreSQL, each behind a proxy for its clients and another for its database.</summary>
internal sealed class SilosWorld : World
{
    public static readonly TimeSpan LongestTtl = TimeSpan.FromSeconds(15);

    private const int SiloCount = 3;
    private static readonly TimeSpan RestartPause = TimeSpan.FromSeconds(1);

    private readonly TempFolder _folder = new();
    private readonly PostgresServer _postgres;
    private readonly NpgsqlDataSource _database;
    private readonly List<SiloProcess> _silos = [];
    private readonly ConcurrentDictionary<SiloProcess, bool> _ready = new();
    private readonly List<TcpProxy> _proxies = [];
    private readonly List<Uri> _addresses = [];
    private readonly List<Target> _targets;

    private SilosWorld(PostgresServer postgres)
    {
        _postgres = postgres;
        // Who writes does not wait for long where it is away.
        _database = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Timeout = 3, CommandTimeout = 3 });
        _targets = [new("database", TimeSpan.FromSeconds(6), BreakDatabaseAsync)];
        for (var number = 0; number < SiloCount; number++) Add(number);
    }

    public override IReadOnlyList<Uri> Addresses => _addresses;

    public override bool IsOneServer => false;

    public override NpgsqlDataSource Database => _database;

    public override IReadOnlyList<Target> Targets => _targets;

    public override IEnumerable<string> LeftOut => LeftOutWithoutClocks;

    public override IEnumerable<(string Name, string Log)> Logs => _silos.Select((silo, number) => ($"silo-{number}", silo.Log));

    /// <param name="database">Settings of PostgreSQL.</param>
    public static async Task<World> StartAsync(params string[] database)
    {
        var world = new SilosWorld(await PostgresServer.StartAsync(database));
        await using (var migration = world._silos[0].Begin("migrate"))
            if (await migration.ExitCodeAsync() != 0) throw new InvalidOperationException(migration.Error);
        await world.MakeWholeAsync();
        return world;
    }

    public override Task MakeWholeAsync() => Task.WhenAll(_silos.Select(silo => StartSiloAsync(silo)));

    public override async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_silos.Select(silo => silo.DisposeAsync().AsTask()));
        foreach (var proxy in _proxies) await proxy.DisposeAsync();
        await _database.DisposeAsync();
        await _postgres.DisposeAsync();
        _folder.Dispose();
    }

    private void Add(int number)
    {
        var name = $"silo-{number.ToString(CultureInfo.InvariantCulture)}";
        var toDatabase = new TcpProxy(_postgres.Port);
        var clock = WallClock.TryMake(Path.Combine(_folder.Path, name));
        var connection = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString) { Port = toDatabase.Port, Timeout = 5 };
        var silo = new SiloProcess(
            new Dictionary<string, string>
            {
                ["Postgres__ConnectionString"] = connection.ConnectionString,
                ["Cluster__ProbeTimeout"] = "00:00:01",
                ["Leases__Limits__MaxTtl"] = LongestTtl.ToString("c", CultureInfo.InvariantCulture),
            }, clock?.Environment);
        var fromClients = new TcpProxy(silo.Address.Port);
        _silos.Add(silo);
        _proxies.AddRange([toDatabase, fromClients]);
        _addresses.Add(new($"http://127.0.0.1:{fromClients.Port.ToString(CultureInfo.InvariantCulture)}"));
        _targets.Add(new(name, TimeSpan.FromSeconds(3), random => BreakSiloAsync(silo, random)));
        _targets.Add(Network($"{name} of clients", fromClients, TimeSpan.FromSeconds(15)));
        _targets.Add(Network($"{name} to the database", toDatabase, TimeSpan.FromSeconds(20)));
        if (clock is not null) _targets.Add(Clock($"{name}'s clock", clock, TimeSpan.FromSeconds(4)));
    }

    private async Task BreakDatabaseAsync(Random random)
    {
        switch (random.Next(10))
        {
            case < 5:
                Counts.Add("kills");
                Counts.Add("kills of PostgreSQL");
                await _postgres.KillAsync();
                await _postgres.StartAgainAsync();
                break;
            case < 7:
                Counts.Add("crashes of PostgreSQL");
                await _postgres.StopAsync("immediate");
                await _postgres.StartAgainAsync();
                break;
            case < 8:
                Counts.Add("restarts");
                await _postgres.StopAsync();
                await _postgres.StartAgainAsync();
                break;
            default:
                Counts.Add("freezes");
                await _postgres.FreezeAsync(Between(random, 200, 3000));
                break;
        }
    }

    private async Task BreakSiloAsync(SiloProcess silo, Random random)
    {
        // One that was declared dead has ended by itself, and so may one that lost its database: a supervisor starts it anew.
        if (silo.EndedByItself)
        {
            Counts.Add("silos that ended by themselves");
            _ready[silo] = false;
            await StartSiloAsync(silo);
            return;
        }

        // Where none is left that was active, those that start have a minute to wait for the dead to be given up: a rare affair.
        if (random.Next(10) > 0 && !_silos.Exists(other => other != silo && other.IsRunning && _ready.GetValueOrDefault(other))) return;
        switch (random.Next(10))
        {
            case < 7:
                Counts.Add("kills");
                Counts.Add("kills of silos");
                _ready[silo] = false;
                await silo.KillAsync();
                await StartSiloAsync(silo);
                break;
            case < 9:
                // Past deadlines, and one in three for so long that the others declare it dead.
                Counts.Add("freezes");
                silo.Process.Freeze();
                await Task.Delay(random.Next(3) == 0 ? Between(random, 4000, 7000) : Between(random, 300, 2500), TimeProvider.System);
                silo.Process.Thaw();
                break;
            default:
                Counts.Add("restarts");
                _ready[silo] = false;
                silo.AskToEnd();
                await silo.Process.ExitCodeAsync();
                await StartSiloAsync(silo);
                break;
        }
    }

    // While the database is away a silo does not start, and ends; a supervisor pauses between its tries.
    private async Task StartSiloAsync(SiloProcess silo)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!silo.IsRunning)
        {
            try
            {
                await silo.StartAsync();
                _ready[silo] = true;
            }
            catch (Exception failed) when (failed is InvalidOperationException or HttpRequestException or TimeoutException
                && TimeProvider.System.GetElapsedTime(started) < StartTimeout)
            {
                Counts.Add("failed starts");
                if (silo.IsRunning) await silo.KillAsync();
                await Task.Delay(RestartPause, TimeProvider.System);
            }
        }
    }
}
