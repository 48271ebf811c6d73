using System.Text.Json;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Measuring;

// The ratios of an earlier run, by scenario and row. Only ratios are kept: they outlive the machine they were taken on.
internal sealed class Baseline
{
    // A ratio that has fallen by less than this is noise.
    private const double Tolerance = 0.1;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly string _file;
    private readonly SortedDictionary<string, double> _ratios;

    private Baseline(string file, SortedDictionary<string, double> ratios) => (_file, _ratios) = (file, ratios);

    public static Baseline Read(string file)
    {
        try
        {
            var ratios = File.Exists(file) ? JsonSerializer.Deserialize<Dictionary<string, double>>(File.ReadAllText(file)) : null;
            return new Baseline(file, new SortedDictionary<string, double>(ratios ?? [], StringComparer.Ordinal));
        }
        catch (JsonException error)
        {
            throw new BenchException($"{file} is no baseline: {error.Message}", error);
        }
    }

    // The rows that have fallen, in words; and how many could be compared.
    public (IReadOnlyList<string> Fallen, int Compared) Compare(IEnumerable<Verdict> verdicts)
    {
        var known = verdicts.Where(verdict => verdict.IsRatio && _ratios.ContainsKey(verdict.Name)).ToArray();
        return ([.. known.Where(Fell).Select(verdict => $"{verdict.Name}: {_ratios[verdict.Name]:0.00} before, {verdict.Value:0.00} now")],
            known.Length);
    }

    // Rows that did not run keep what they had.
    public void Record(IEnumerable<Verdict> verdicts)
    {
        foreach (var verdict in verdicts.Where(verdict => verdict.IsRatio && double.IsFinite(verdict.Value)))
            _ratios[verdict.Name] = Math.Round(verdict.Value, 3);
        File.WriteAllText(_file, JsonSerializer.Serialize(_ratios, Json) + "\n");
    }

    private bool Fell(Verdict verdict)
    {
        var change = verdict.Value / _ratios[verdict.Name];
        return verdict.LessThan is null ? change < 1 - Tolerance : change > 1 + Tolerance;
    }
}
