using System.Globalization;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Orleans;

// What the driver says. Its option --grains names this program, and nobody types these by hand but to profile.
internal sealed record Settings
{
    private const string Usage = """
        usage: OrleansLeases.Bench.Orleans silo|client|storage|batching [options]
          --postgres STRING       the database; without it leases are kept in memory
          --gateway PORT          where 'client' finds its silo
          --silo-process ID       the silo of 'client', for its processor time
          --database-process ID   the database, for its processor time
          --only TEXT             only the loads whose names contain it
          --seconds N --rounds N --callers N
        """;

    public required string Command { get; init; }

    public string? ConnectionString { get; init; }

    public int Gateway { get; init; }

    public int? SiloProcess { get; init; }

    public int? DatabaseProcess { get; init; }

    public string Only { get; init; } = "";

    public TimeSpan RoundTime { get; init; } = TimeSpan.FromSeconds(3);

    public int Rounds { get; init; } = 5;

    public int Callers { get; init; } = 100;

    public string Storage => ConnectionString is null && DatabaseProcess is null ? "memory" : "PostgreSQL";

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
                "--postgres" => settings with { ConnectionString = value },
                "--gateway" => settings with { Gateway = Number(value) },
                "--silo-process" => settings with { SiloProcess = Number(value) },
                "--database-process" => settings with { DatabaseProcess = Number(value) },
                "--only" => settings with { Only = value },
                "--seconds" => settings with { RoundTime = TimeSpan.FromSeconds(Number(value)) },
                "--rounds" => settings with { Rounds = Number(value) },
                "--callers" => settings with { Callers = Number(value) },
                _ => throw new BenchException($"unknown option {arguments[i]}\n{Usage}"),
            };
        }

        return settings;
    }

    private static int Number(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new BenchException($"not a number: {value}\n{Usage}");
}
