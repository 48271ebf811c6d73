using System.Globalization;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench;

internal sealed record Options
{
    public const string Usage = """
        usage: run.sh [scenario…] [options]
          scenarios: cycles renewals batch handover watch expiry keys scale client access telemetry flood sizing users;
                     with silos: orleans grains batching takeover (default: all)
          --seconds N     length of one round (default 3, 1 to 60)
          --rounds N      rounds of each row (default 5, 1 to 50)
          --clients N     concurrent clients, and workers in 'users' (default 64, 1 to 1000)
          --callers N     concurrent callers of grains in 'grains' and 'batching' (default 100, 1 to 1000)
          --leases N      the largest number of held leases in 'scale' (default 1000000)
          --expiring N    leases that expire in one second in 'expiry' (default 100000), and at most in 'keys'
          --kept N        leases that one process keeps alive in 'client' (default 100000)
          --json FILE     also write the figures as JSON
          --compare       name every ratio that fell by more than a tenth since the baseline, and end with 1 if any did
          --record        take this run's ratios into the baseline
          --baseline FILE what --compare and --record mean (run.sh sets it: bench/baseline.json)
          --data DIR      where the servers keep their data for the run (default: the temporary folder)
          --server FILE   the built leases.dll (run.sh sets it)
          --client FILE   the built OrleansLeases.Bench.Client.dll (run.sh sets it)
          --silo FILE     the built leases-silo.dll (run.sh sets it where it builds)
          --grains FILE   the built OrleansLeases.Bench.Orleans.dll (run.sh sets it where it builds)
          --no-peers      leave out etcd and redis
        """;

    public IReadOnlyList<string> Scenarios { get; init; } = [];

    public TimeSpan RoundTime { get; init; } = TimeSpan.FromSeconds(3);

    public int Rounds { get; init; } = 5;

    public int Clients { get; init; } = 64;

    public int Callers { get; init; } = 100;

    public int Leases { get; init; } = 1_000_000;

    public int Expiring { get; init; } = 100_000;

    public int Kept { get; init; } = 100_000;

    public string? JsonFile { get; init; }

    public bool Compare { get; init; }

    public bool Record { get; init; }

    public string BaselineFile { get; init; } = "baseline.json";

    public string? DataFolder { get; init; }

    public string ServerProgram { get; init; } = "";

    public string ClientProgram { get; init; } = "";

    public string? SiloProgram { get; init; }

    public string? GrainsProgram { get; init; }

    public bool Peers { get; init; } = true;

    public bool Help { get; init; }

    public static Options Parse(string[] arguments)
    {
        var options = new Options();
        var scenarios = new List<string>();
        var rest = new Queue<string>(arguments);
        while (rest.TryDequeue(out var argument))
        {
            options = argument switch
            {
                "--seconds" => options with { RoundTime = TimeSpan.FromSeconds(Number(argument, rest, 1, 60)) },
                "--rounds" => options with { Rounds = Number(argument, rest, 1, 50) },
                "--clients" => options with { Clients = Number(argument, rest, 1, 1000) },
                "--callers" => options with { Callers = Number(argument, rest, 1, 1000) },
                "--leases" => options with { Leases = Number(argument, rest, 1000, 5_000_000) },
                "--expiring" => options with { Expiring = Number(argument, rest, 1000, 1_000_000) },
                "--kept" => options with { Kept = Number(argument, rest, 100, 1_000_000) },
                "--json" => options with { JsonFile = Value(argument, rest) },
                "--compare" => options with { Compare = true },
                "--record" => options with { Record = true },
                "--baseline" => options with { BaselineFile = Value(argument, rest) },
                "--data" => options with { DataFolder = Value(argument, rest) },
                "--server" => options with { ServerProgram = Value(argument, rest) },
                "--client" => options with { ClientProgram = Value(argument, rest) },
                "--silo" => options with { SiloProgram = Value(argument, rest) },
                "--grains" => options with { GrainsProgram = Value(argument, rest) },
                "--help" or "-h" => options with { Help = true },
                "--no-peers" => options with { Peers = false },
                _ when argument.StartsWith('-') => throw new BenchException($"unknown option {argument}\n{Usage}"),
                _ => Scenario(options, scenarios, argument),
            };
        }

        return options with { Scenarios = scenarios };
    }

    private static Options Scenario(Options options, List<string> scenarios, string name)
    {
        scenarios.Add(name);
        return options;
    }

    private static string Value(string option, Queue<string> rest) =>
        rest.TryDequeue(out var value) ? value : throw new BenchException($"{option} needs a value\n{Usage}");

    private static int Number(string option, Queue<string> rest, int least, int most) =>
        int.TryParse(Value(option, rest), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least
            && number <= most
            ? number
            : throw new BenchException($"{option} takes a number from {least} to {most}\n{Usage}");
}
