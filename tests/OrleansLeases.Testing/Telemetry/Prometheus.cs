namespace OrleansLeases.Testing.Telemetry;

/// <summary>What the instruments of <c>docs/telemetry.md</c> are called where Prometheus scrapes them.</summary>
public static class Prometheus
{
    /// <summary>The meters that have a table.</summary>
    public static IReadOnlyList<string> Meters { get; } = ["OrleansLeases", "OrleansLeases.Client", "OrleansLeases.Hosting"];

    /// <summary>The series of all instruments of the tables.</summary>
    public static HashSet<string> Series { get; } =
    [
        .. from meter in Meters
           from row in InstrumentTable.RowsOf(meter)
           from name in Of(row.Key, row.Value.Split(" | "))
           select name,
    ];

    private static IEnumerable<string> Of(string instrument, string[] row)
    {
        var name = instrument.Replace('.', '_') + row[1] switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        return row[0] switch
        {
            "histogram" => [$"{name}_bucket", $"{name}_sum", $"{name}_count"],
            "counter" => [$"{name}_total"],
            _ => [name],
        };
    }
}
