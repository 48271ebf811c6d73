using System.Globalization;
using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation;

/// <summary>What is run.</summary>
internal sealed record RunOptions(ulong Seed)
{
    /// <summary>What may go wrong; drawn from the seed where left out.</summary>
    public Faults? Faults { get; init; }

    public Planted Planted { get; init; }

    /// <summary>How many calls of clients, before all faults end and the last checks begin.</summary>
    public int Steps { get; init; } = 5_000;

    /// <summary>How many clients at most.</summary>
    public int Clients { get; init; } = int.MaxValue;

    /// <summary>Leases live for hours, and virtual time goes by in leaps.</summary>
    public bool LongLived { get; init; }

    /// <summary>The command that runs it again.</summary>
    public string Command
    {
        get
        {
            var command = string.Create(
                CultureInfo.InvariantCulture, $"dotnet run -c Release --project tests/OrleansLeases.Simulation -- --seed {Seed}");
            if (Faults is { } faults) command += $" --faults {faults.ToString().Replace(" ", "", StringComparison.Ordinal)}";
            if (Planted != Planted.None) command += $" --plant {Planted.ToString().Replace(" ", "", StringComparison.Ordinal)}";
            if (LongLived) command += " --long";
            if (Clients != int.MaxValue) command += string.Create(CultureInfo.InvariantCulture, $" --clients {Clients}");
            return command + string.Create(CultureInfo.InvariantCulture, $" --steps {Steps}");
        }
    }
}

/// <summary>What came of a run.</summary>
internal sealed record Outcome(
    RunOptions Options, Faults Faults, ViolationException? Violation, ulong Hash, long Operations, long Grants, long Events,
    TimeSpan Length, IReadOnlyList<string> LastEvents)
{
    /// <summary>How many records were dropped.</summary>
    public int Drops { get; init; }

    /// <summary>How many of their names came back.</summary>
    public int Returns { get; init; }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"seed {Options.Seed} hash {Hash:x16} operations {Operations} grants {Grants} drops {Drops} returns {Returns} events {Events} "
            + $"simulated {Length} faults {Faults}");
}
