using System.Globalization;

namespace OrleansLeases.Torture;

/// <summary>What the program is asked to do.</summary>
internal sealed record CommandLine
{
    public const string Usage =
        """
        ./torture.sh [--minutes N] [--seed N] [--world embedded|silos|all]
        ./torture.sh --ticks N [--seed N]

        Real processes on this machine under the load of many clients, killed, frozen and cut off by seed, in rounds of a minute.
        What clients were told is checked after each round, and all the time. Ends with 1 where something was violated.

          --minutes N  begins no round after N minutes; 3 by default
          --seed N     of the first round; every further one has the next seed; 1 by default
          --world W    embedded: leases serve on SQLite. silos: three silos on PostgreSQL. all: both, side by side; the default
          --ticks N    instead of the rounds: three instances with a service that leads and 16 jobs each 4 s, until N ticks were due.
                       They are killed, frozen and stopped; no tick is started twice, none is missed, and no two lead at once
        """;

    public TimeSpan Length { get; init; } = TimeSpan.FromMinutes(3);

    public int Seed { get; init; } = 1;

    public IReadOnlyList<string> Worlds { get; init; } = ["embedded", "silos"];

    /// <summary>How many ticks of jobs are to be due; null for the rounds.</summary>
    public int? Ticks { get; init; }

    public bool Helps { get; init; }

    /// <exception cref="FormatException">An option is unknown, or its value is wrong.</exception>
    public static CommandLine Parse(IReadOnlyList<string> arguments)
    {
        var command = new CommandLine();
        for (var i = 0; i < arguments.Count; i++)
        {
            command = arguments[i] switch
            {
                "--minutes" => command with { Length = TimeSpan.FromMinutes(Number(i++)) },
                "--seed" => command with { Seed = Number(i++) },
                "--ticks" => command with { Ticks = Number(i++) },
                "--world" => command with { Worlds = World(i++) },
                "--help" or "-h" => command with { Helps = true },
                _ => throw new FormatException($"{arguments[i]} is no option.{Environment.NewLine}{Usage}"),
            };
        }

        return command;

        string Value(int option) => option + 1 < arguments.Count ? arguments[option + 1]
            : throw new FormatException($"{arguments[option]} takes a value.{Environment.NewLine}{Usage}");

        int Number(int option) => int.TryParse(Value(option), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw new FormatException($"{Value(option)} is no number.{Environment.NewLine}{Usage}");

        IReadOnlyList<string> World(int option) => Value(option) switch
        {
            "all" => command.Worlds,
            "embedded" or "silos" => [Value(option)],
            _ => throw new FormatException($"{Value(option)} is no world.{Environment.NewLine}{Usage}"),
        };
    }
}
