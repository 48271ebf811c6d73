using System.Globalization;

namespace OrleansLeases.Simulation;

/// <summary>What the program is asked to do.</summary>
internal sealed record CommandLine
{
    private const string Usage =
        "Options: --seed N, --seeds COUNT, --operations N (no further seed after so many), --faults A,B, --plant A, "
            + "--long (leases live for hours), --years N (the same, and no further seed after so much simulated time), "
            + "--steps N, --clients N, --first (stop at the first violation), --shrink, --trace.";

    public RunOptions Run { get; init; } = new(1);

    public long Seeds { get; init; } = 1;

    public long Operations { get; init; } = long.MaxValue;

    public TimeSpan Time { get; init; } = TimeSpan.MaxValue;

    public bool StopsAtFirst { get; init; }

    public bool Shrinks { get; init; }

    public bool Traces { get; init; }

    public static CommandLine Parse(IReadOnlyList<string> arguments)
    {
        var command = new CommandLine();
        for (var i = 0; i < arguments.Count; i++)
        {
            command = arguments[i] switch
            {
                "--seed" => command with { Run = command.Run with { Seed = (ulong)Number() } },
                "--seeds" => command with { Seeds = Number() },
                "--operations" => command with { Operations = Number(), Seeds = long.MaxValue },
                "--long" => command with { Run = command.Run with { LongLived = true } },
                "--years" => command with
                {
                    Run = command.Run with { LongLived = true }, Time = Number() * TimeSpan.FromDays(365.25), Seeds = long.MaxValue,
                },
                "--faults" => command with { Run = command.Run with { Faults = Names<Faults>() } },
                "--plant" => command with { Run = command.Run with { Planted = Names<Planted>() } },
                "--steps" => command with { Run = command.Run with { Steps = (int)Number() } },
                "--clients" => command with { Run = command.Run with { Clients = (int)Number() } },
                "--first" => command with { StopsAtFirst = true },
                "--shrink" => command with { Shrinks = true },
                "--trace" => command with { Traces = true },
                _ => throw new FormatException($"{arguments[i]} is no option. {Usage}"),
            };

            string Value() => ++i < arguments.Count ? arguments[i]
                : throw new FormatException($"{arguments[i - 1]} takes a value. {Usage}");

            long Number() => long.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
                : throw new FormatException($"{arguments[i]} is no number. {Usage}");

            T Names<T>()
                where T : struct, Enum => Enum.TryParse<T>(Value(), out var names) ? names
                : throw new FormatException($"{arguments[i]} is none of {string.Join(", ", Enum.GetNames<T>())}.");
        }

        return command;
    }
}
