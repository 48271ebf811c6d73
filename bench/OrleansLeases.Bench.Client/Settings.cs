using System.Globalization;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Client;

// What the driver says. Its option --client names this program, and nobody types these by hand but to profile.
internal sealed record Settings
{
    private const string Usage = """
        usage: OrleansLeases.Bench.Client handles|lost|keep [options]
          --port PORT             where 'keep' finds its server
          --server-process ID     that server, for its processor time
          --leases N              how many leases 'keep' holds
          --seconds N --rounds N --callers N
        """;

    public required string Command { get; init; }

    public int Port { get; init; }

    public int ServerProcess { get; init; }

    public int Leases { get; init; } = 100_000;

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
                "--port" => settings with { Port = Number(value) },
                "--server-process" => settings with { ServerProcess = Number(value) },
                "--leases" => settings with { Leases = Number(value) },
                "--seconds" => settings with { RoundTime = TimeSpan.FromSeconds(Number(value)) },
                "--rounds" => settings with { Rounds = Number(value) },
                "--callers" => settings,
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
