using System.Globalization;

namespace OrleansLeases;

/// <summary>What to watch: exactly one of a resource, a key and a prefix. Immutable.</summary>
public sealed record WatchRequest
{
    /// <summary>One resource: replayed from <see cref="Since"/>, then live.</summary>
    public string? Resource { get; init; }

    /// <summary>One key: replayed from <see cref="Since"/>, then live.</summary>
    public string? Key { get; init; }

    /// <summary>Every resource and every key whose name starts with this; live only. Empty for all.</summary>
    public string? Prefix { get; init; }

    /// <summary>The last change that the caller knows; null starts with the current state. Not allowed with a prefix.</summary>
    public WatchPoint? Since { get; init; }
}

/// <summary>A point in the history of a resource or key: after one of its changes. Immutable.</summary>
/// <param name="Sequence">The number of that change; 0 for the point before the first.</param>
/// <param name="History">
/// The history that the number belongs to, as in <see cref="WatchEvent.ResumeFrom"/>: a restored store, and a restarted engine without
/// a disk, start another one. Null skips that check.
/// </param>
public readonly record struct WatchPoint(long Sequence, long? History = null)
{
    /// <summary>Parses a point: a sequence number such as <c>17</c>, or one with its history, <c>17-0</c>. Never throws.</summary>
    /// <param name="text">The text.</param>
    /// <param name="point">The point; the default where the text is none.</param>
    /// <returns>Whether the text is a point.</returns>
    public static bool TryParse(string? text, out WatchPoint point)
    {
        point = default;
        var parts = (text ?? "").Split('-');
        if (parts.Length > 2 || !TryParse(parts[0], out long sequence)) return false;
        if (parts.Length == 1)
        {
            point = new(sequence);
            return true;
        }

        if (!TryParse(parts[1], out long history)) return false;
        point = new(sequence, history);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => History is { } history
        ? string.Create(CultureInfo.InvariantCulture, $"{Sequence}-{history}")
        : Sequence.ToString(CultureInfo.InvariantCulture);

    private static bool TryParse(string digits, out long number) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
