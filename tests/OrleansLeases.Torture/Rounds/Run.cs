using System.Globalization;

namespace OrleansLeases.Torture.Rounds;

/// <summary>Round after round in each world, the worlds side by side, and what is said of them.</summary>
internal sealed class Run(CommandLine command, TextWriter output)
{
    private const string Kept = "artifacts/torture";

    private readonly TextWriter _output = TextWriter.Synchronized(output);
    private readonly Counts _counts = new();
    private readonly Counts _violations = new();
    private readonly HashSet<string> _leftOut = [];

    /// <returns>Whether nothing was violated.</returns>
    public async Task<bool> TortureAsync(CancellationToken stop)
    {
        await Task.WhenAll(command.Worlds.Select(world => TortureAsync(world, stop)));
        foreach (var leftOut in _leftOut) _output.WriteLine($"left out: {leftOut}");
        _output.WriteLine($"total: {_counts}");
        var ofKinds = Violation.Kinds.Select(kind => string.Create(CultureInfo.InvariantCulture, $"{_violations[kind]} {kind}"));
        _output.WriteLine($"violations: {string.Join(", ", ofKinds)}");
        return Violation.Kinds.All(kind => _violations[kind] == 0);
    }

    private async Task TortureAsync(string world, CancellationToken stop)
    {
        var started = TimeProvider.System.GetTimestamp();
        for (var seed = command.Seed; TimeProvider.System.GetElapsedTime(started) < command.Length; seed++)
        {
            var folder = Path.Combine(Kept, string.Create(CultureInfo.InvariantCulture, $"{world}-{seed}"));
            Tell(await new Round(world, seed) { Folder = folder }.RunAsync(stop));
        }
    }

    private void Tell(Outcome outcome)
    {
        _counts.Add(outcome.Counts);
        foreach (var violation in outcome.Violations) _violations.Add(violation.Kind);
        lock (_leftOut) _leftOut.UnionWith(outcome.LeftOut);
        _output.WriteLine(outcome.ToString());
        if (outcome.Violations.Count == 0) return;
        foreach (var violation in outcome.Violations.Take(10)) _output.WriteLine($"  {violation.Kind}: {violation.What}");
        _output.WriteLine($"  {outcome.Round.Folder} has its logs and histories. Again: {outcome.Round.Command}");
    }
}
