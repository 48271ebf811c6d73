using System.Globalization;
using System.Text;

namespace OrleansLeases.Cli.Printing;

/// <summary>How many columns of a terminal text takes, as terminals count: by character, not by what characters combine to.</summary>
internal static class TextWidth
{
    // Wide or fullwidth, by UAX #11: Hangul, kana, the ideographs and emoji.
    private static readonly (int First, int Last)[] Wide =
    [
        (0x1100, 0x115F), (0x2E80, 0x303E), (0x3041, 0xA4CF), (0xA960, 0xA97C), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFE30, 0xFE6F),
        (0xFF01, 0xFF60), (0xFFE0, 0xFFE6), (0x1F300, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1F9FF), (0x1FA70, 0x1FAFF),
        (0x20000, 0x3FFFD),
    ];

    public static int Of(string text)
    {
        var width = 0;
        foreach (var rune in text.EnumerateRunes()) width += Of(rune);
        return width;
    }

    /// <summary>Fills it up with spaces.</summary>
    public static string Pad(string text, int width) => text + new string(' ', Math.Max(0, width - Of(text)));

    /// <summary>As much of it as fits.</summary>
    public static string Cut(string text, int width)
    {
        if (text.Length <= width / 2) return text;
        var (end, left) = (0, width);
        foreach (var rune in text.EnumerateRunes())
        {
            if ((left -= Of(rune)) < 0) return text[..end];
            end += rune.Utf16SequenceLength;
        }

        return text;
    }

    private static int Of(Rune rune) => rune.IsAscii ? 1
        : Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark ? 0
        : Array.Exists(Wide, range => rune.Value >= range.First && rune.Value <= range.Last) ? 2 : 1;
}
