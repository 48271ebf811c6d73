using System.Globalization;

namespace OrleansLeases.Cli;

/// <summary>Durations as people write them: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>1h</c>.</summary>
internal static class Durations
{
    private const long MaxMilliseconds = 365L * 24 * 60 * 60 * 1000;

    private static readonly (string Unit, long Milliseconds)[] Units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text == "0") return true;
        foreach (var (unit, milliseconds) in Units)
        {
            if (!text.EndsWith(unit, StringComparison.Ordinal)) continue;
            if (!long.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var count)) continue;
            if (count > MaxMilliseconds / milliseconds) return false;
            duration = TimeSpan.FromMilliseconds(count * milliseconds);
            return true;
        }

        return false;
    }

    /// <summary>At most two units, rounded down, so that no reader believes in more time than there is.</summary>
    public static string Format(TimeSpan duration) => duration switch
    {
        { Ticks: <= 0 } => "0s",
        { TotalSeconds: < 1 } => Invariant($"{duration.Ticks / TimeSpan.TicksPerMillisecond}ms"),
        { TotalMinutes: < 1 } => Invariant($"{duration.Ticks / (TimeSpan.TicksPerSecond / 10) / 10m:0.#}s"),
        { TotalHours: < 1 } => Two(duration.Minutes, "m", duration.Seconds, "s"),
        { TotalDays: < 1 } => Two(duration.Hours, "h", duration.Minutes, "m"),
        _ => Two(duration.Days, "d", duration.Hours, "h"),
    };

    private static string Two(int large, string largeUnit, int small, string smallUnit) =>
        small == 0 ? Invariant($"{large}{largeUnit}") : Invariant($"{large}{largeUnit} {small}{smallUnit}");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
