using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrleansLeases.Bench.Measuring;

// One line of figures: what one server did in one scenario.
internal sealed record Row(string Scenario, string Server, string Unit, double Value)
{
    public double? MedianMs { get; init; }

    public double? P99Ms { get; init; }

    public double? ServerCores { get; init; }

    // Of the server's.
    public double? DatabaseCores { get; init; }

    public double? ClientCores { get; init; }

    public double? OtherCores { get; init; }

    public double? ServerMicroseconds { get; init; }

    public static Row MedianOf(
        IReadOnlyList<Round> rounds, string scenario, string server,
        string unit) => new(scenario, server, unit, Over(rounds, round => round.Rate))
    {
        MedianMs = Over(rounds, round => round.Latency.Median),
        P99Ms = Over(rounds, round => round.Latency.Percentile(0.99)),
        ServerCores = Over(rounds, round => round.Cpu.Server / round.Cpu.Elapsed.TotalSeconds),
        DatabaseCores = rounds.All(round => round.Cpu.Database is not null)
            ? Over(rounds, round => round.Cpu.Database!.Value / round.Cpu.Elapsed.TotalSeconds)
            : null,
        ClientCores = Over(rounds, round => round.Cpu.Client / round.Cpu.Elapsed.TotalSeconds),
        OtherCores = Over(rounds, round => round.Cpu.Others / round.Cpu.Elapsed.TotalSeconds),
        ServerMicroseconds = Over(rounds, round => round.Cpu.Server / round.Operations * 1e6),
    };

    private static double Over(IReadOnlyList<Round> rounds, Func<Round, double> figure) => Samples.MedianOf(rounds.Select(figure));
}

// A comparison, and the target it was given, if any.
internal sealed record Verdict(string Scenario, string What, double Value, string Unit, double? AtLeast = null, double? LessThan = null)
{
    public string Target => AtLeast is { } low ? $"≥ {low:0.##}" : LessThan is { } high ? $"< {high:0.##}" : "";

    public string Name => $"{Scenario}: {What}";

    public bool IsRatio => Unit == "×";

    public bool? Reached => AtLeast is { } low ? Value >= low : LessThan is { } high ? Value < high : null;
}

// Prints figures as they come, the verdicts at the end, and all of it as JSON on request.
internal sealed class Report(TextWriter output, Machine machine)
{
    private const double QuietCores = 0.2;
    private const double QuietLoad = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly List<Row> _rows = [];
    private readonly List<Verdict> _verdicts = [];

    public void Start()
    {
        output.WriteLine(machine.ToString());
        output.WriteLine(
            "cores: processor seconds per second; database: its share of the server's; others: everything but this server and this "
                + "driver, which should be near 0.");
    }

    public void Scenario(string name)
    {
        output.WriteLine();
        output.WriteLine(name);
        output.WriteLine(Line("", "figure", "", "p50 ms", "p99 ms", "server", "database", "client", "others", "server µs/op"));
    }

    public void Add(Row row)
    {
        _rows.Add(row);
        output.WriteLine(Line($"  {row.Scenario}: {row.Server}", Number(row.Value), row.Unit, Number(row.MedianMs), Number(row.P99Ms),
            Number(row.ServerCores), Number(row.DatabaseCores), Number(row.ClientCores), Number(row.OtherCores),
            Number(row.ServerMicroseconds)));
    }

    public void Add(Verdict verdict) => _verdicts.Add(verdict);

    public void Add(Finding finding)
    {
        if (finding.Row is { } row)
            Add(row);
        if (finding.Verdict is { } verdict)
            Add(verdict);
        if (finding.Note is { } note)
            Note(note);
    }

    // Returns false where a row has fallen.
    public bool Compare(Baseline baseline)
    {
        var (fallen, compared) = baseline.Compare(_verdicts);
        output.WriteLine();
        output.WriteLine($"Of {compared} ratios that the baseline has, {fallen.Count} fell by more than a tenth.");
        foreach (var row in fallen)
            output.WriteLine($"  {row}");
        return fallen.Count == 0;
    }

    public void Record(Baseline baseline) => baseline.Record(_verdicts);

    public void Note(string text) => output.WriteLine($"  note: {text}");

    public void Finish(string? jsonFile)
    {
        output.WriteLine();
        output.WriteLine("Ratios and targets");
        foreach (var verdict in _verdicts)
        {
            var reached = verdict.Reached switch { true => "reached", false => "NOT REACHED", null => "" };
            output.WriteLine(
                $"  {verdict.Name,-88} {Number(verdict.Value),9} {verdict.Unit,-6} {verdict.Target,-8} {reached}");
        }

        var others = _rows.Max(row => row.OtherCores) ?? 0;
        if (others > QuietCores || machine.Load > QuietLoad)
            output.WriteLine(
                $"NOT QUIET: others kept up to {others:0.00} cores busy, load at the start {machine.Load:0.00}. None of this "
                    + $"counts; measure again.");
        if (jsonFile is not null)
            File.WriteAllText(jsonFile, JsonSerializer.Serialize(new { machine, rows = _rows, verdicts = _verdicts }, Json));
    }

    private static string Line(string what, string figure, string unit, params string[] rest) =>
        $"{what,-58} {figure,10} {unit,-12} {string.Join(' ', rest.Select(text => text.PadLeft(8)))}";

    private static string Number(double? value) => value switch
    {
        null => "",
        { } number when double.IsNaN(number) => "n/a",
        >= 1000 => value.Value.ToString("#,0", CultureInfo.InvariantCulture),
        >= 100 => value.Value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.Value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("0.00", CultureInfo.InvariantCulture),
    };
}
