using System.Globalization;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Client;

// What the driver says. Its option --client names this program, and nobody types these by hand but to profile.
internal sealed record Settings
{
    private const string Usage = """
        usage: OrleansLeases.Bench.Client handles|lost|keep|users|users-on-postgres [options]
          --server PORT/PROCESS   where 'keep' and the users find their server; the process is looked at for its processor time
          --etcd PORT/PROCESS     the same of etcd
          --redis PORT/PROCESS    the same of Redis
          --postgres STRING       the database of the silo
          --database-process ID   the same database, for its processor time
          --leases N              how many leases 'keep' holds
          --predicted N           how many cores its server is expected to take
          --workers N             how many workers the users have
          --seconds N --rounds N --callers N
        """;

    public required string Command { get; init; }

    public ServerAddress Server { get; init; } = new(0, 0);

    public ServerAddress? Etcd { get; init; }

    public ServerAddress? Redis { get; init; }

    public string? ConnectionString { get; init; }

    public int? DatabaseProcess { get; init; }

    public int Workers { get; init; } = 64;

    public int Leases { get; init; } = 100_000;

    public double? PredictedCores { get; init; }

    public TimeSpan RoundTime { get; init; } = TimeSpan.FromSeconds(3);

    public int Rounds { get; init; } = 5;

    public static Settings Parse(string[] arguments)
    {
        if (arguments.Length == 0)
            throw new BenchException(Usage);
        var settings = new Settings { Command = arguments[0] };
        for (var i = 1; i < arguments.Length; i += 2)
        {
            var value = i + 1 < arguments.Length ? arguments[i + 1] : throw new BenchException($"{arguments[i]} needs a value\n{Usage}");
            settings = arguments[i] switch
            {
                "--server" => settings with { Server = Address(value) },
                "--etcd" => settings with { Etcd = Address(value) },
                "--redis" => settings with { Redis = Address(value) },
                "--postgres" => settings with { ConnectionString = value },
                "--database-process" => settings with { DatabaseProcess = Number(value) },
                "--workers" => settings with { Workers = Number(value) },
                "--leases" => settings with { Leases = Number(value) },
                "--predicted" => settings with { PredictedCores = double.Parse(value, CultureInfo.InvariantCulture) },
                "--seconds" => settings with { RoundTime = TimeSpan.FromSeconds(Number(value)) },
                "--rounds" => settings with { Rounds = Number(value) },
                "--callers" => settings,
                _ => throw new BenchException($"unknown option {arguments[i]}\n{Usage}"),
            };
        }

        return settings;
    }

    private static ServerAddress Address(string value) =>
        value.Split('/') is [var port, var process]
            ? new ServerAddress(Number(port), Number(process))
            : throw new BenchException($"not PORT/PROCESS: {value}\n{Usage}");

    private static int Number(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new BenchException($"not a number: {value}\n{Usage}");
}

internal sealed record ServerAddress(int Port, int Process)
{
    public Processes Processes(int? database = null) => new(Process, database);
}
