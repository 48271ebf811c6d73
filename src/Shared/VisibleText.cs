using System.Buffers;
using System.Globalization;
using System.Text;

namespace OrleansLeases;

/// <summary>Text that others chose, made safe for a terminal: that of a command, or that on which a server's log is read.</summary>
internal static class VisibleText
{
    /// <summary>
    /// What would not show as itself is shown as an escape: control and format characters, such as those that turn the
    /// direction of text or have no width, separators of lines, and halves of surrogate pairs. A name or a reason must neither
    /// steer the terminal nor look like another.
    /// </summary>
    public static string Show(string text)
    {
        if (IsShown(text)) return text;
        var shown = new StringBuilder();
        Visit(text, (part, isShown) => shown.Append(isShown ? part : Escape(part)));
        return shown.ToString();
    }

    /// <summary>Whether all of a text shows as itself.</summary>
    public static bool IsShown(string text)
    {
        var all = true;
        Visit(text, (_, isShown) => all &= isShown);
        return all;
    }

    /// <summary>Takes a text apart: each character, and whether it shows as itself.</summary>
    public static void Visit(string text, Action<string, bool> take)
    {
        for (var i = 0; i < text.Length;)
        {
            var isRune = Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var length) == OperationStatus.Done;
            take(text.Substring(i, length), isRune && IsShown(rune));
            i += length;
        }
    }

    private static bool IsShown(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
        && !IsFiller(rune.Value);

    // Letters and marks by category, and nothing to be seen.
    private static bool IsFiller(int value) => value is 0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or 0x3164 or 0xFFA0;

    /// <summary>A character as an escape.</summary>
    public static string Escape(string part) => part.Length == 2
        ? string.Create(CultureInfo.InvariantCulture, $"\\U{char.ConvertToUtf32(part, 0):x8}")
        : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)part[0]:x4}");
}
