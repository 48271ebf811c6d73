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

    /// <summary>The last change that is known already; null starts with the current state. Not with a prefix.</summary>
    public WatchPoint? Since { get; init; }
}

/// <summary>A place in the history of a resource or key: after one of its changes. Immutable.</summary>
/// <param name="Sequence">The number of that change; 0 for the place before the first.</param>
/// <param name="History">
/// Which history the number is from, as an event's <see cref="WatchEvent.ResumeFrom"/> tells it: a store that was
/// restored, and an engine without a disk that was restarted, begin another. Null takes the number at its word.
/// </param>
public readonly record struct WatchPoint(long Sequence, long? History = null)
{
    /// <summary>Reads a place as the wire has it: a number such as <c>17</c>, or one with its history, <c>17-0</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="point">The place.</param>
    /// <returns>Whether it is one.</returns>
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
