using System.Diagnostics.Metrics;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Testing.Telemetry;

/// <summary>The tables of <c>docs/telemetry.md</c>.</summary>
public static class InstrumentTable
{
    /// <summary>The rows of one meter: <c>name | kind | unit | description</c>, in the order of their names.</summary>
    /// <param name="meter">Whose heading the table stands below.</param>
    public static SortedDictionary<string, string> RowsOf(string meter) =>
        new(CellsOf(meter).ToDictionary(cells => cells[0], cells => $"{cells[1]} | {cells[2]} | {cells[4]}"), StringComparer.Ordinal);

    /// <summary>The attributes of the instruments of one meter.</summary>
    /// <param name="meter">Whose heading the table stands below.</param>
    public static SortedDictionary<string, string> AttributesOf(string meter) => new(
        CellsOf(meter).ToDictionary(cells => cells[0], cells => string.Join(", ", cells[3].Split(", ").Order(StringComparer.Ordinal))),
        StringComparer.Ordinal);

    /// <summary>What such a row says of an instrument.</summary>
    /// <param name="instruments">The instruments.</param>
    public static SortedDictionary<string, string> RowsOf(IEnumerable<Instrument> instruments)
    {
        ArgumentNullException.ThrowIfNull(instruments);
        return new(
            instruments.ToDictionary(
                instrument => instrument.Name, instrument => $"{KindOf(instrument)} | {instrument.Unit} | {instrument.Description}"),
            StringComparer.Ordinal);
    }

    private static string KindOf(Instrument instrument)
    {
        var type = instrument.GetType().Name.Split('`')[0].Replace("Observable", "", StringComparison.Ordinal);
        return type switch { "UpDownCounter" => "up-down counter", _ => type.ToLowerInvariant() };
    }

    private static IEnumerable<string[]> CellsOf(string meter) =>
        from line in File.ReadLines(Repository.PathOf("docs", "telemetry.md"))
            .SkipWhile(line => line != $"## Meter `{meter}`").Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
        where line.StartsWith("| `", StringComparison.Ordinal)
        select line.Replace("`", "", StringComparison.Ordinal).Split('|', StringSplitOptions.TrimEntries)[1..^1] into cells
        where cells.Length == 5
        select cells;
}
