using System.Globalization;

namespace OrleansLeases.Cli;

/// <summary>Durations as people write them: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>1h30m</c>, <c>90d</c>.</summary>
internal static class Durations
{
    private const long MaxMilliseconds = 3650L * 24 * 60 * 60 * 1000;

    private static readonly (string Unit, long Milliseconds)[] Units =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

    /// <summary>Reads a duration of up to ten years: whole numbers with their units, the largest first, each once.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text == "0") return true;
        var rest = text.AsSpan();
        foreach (var (unit, milliseconds) in Units)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits < 1) break;
            var letters = rest[digits..].IndexOfAnyInRange('0', '9');
            var end = letters < 0 ? rest.Length : digits + letters;
            if (!rest[digits..end].SequenceEqual(unit)) continue;
            if (!long.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return false;
            if (count > (MaxMilliseconds - (long)duration.TotalMilliseconds) / milliseconds) return false;
            duration += TimeSpan.FromMilliseconds(count * milliseconds);
            rest = rest[end..];
        }

        return text.Length > 0 && rest.IsEmpty;
    }

    /// <summary>Exactly, as <see cref="TryParse"/> reads it; in hours at most, in which the bounds of leases are known.</summary>
    public static string Write(TimeSpan duration)
    {
        var (left, text) = ((long)duration.TotalMilliseconds, "");
        foreach (var (unit, milliseconds) in Units.AsSpan(1))
        {
            if (left >= milliseconds) text += Invariant($"{left / milliseconds}{unit}");
            left %= milliseconds;
        }

        return text.Length == 0 ? "0" : text;
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
