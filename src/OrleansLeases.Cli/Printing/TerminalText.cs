using System.Buffers;
using System.Globalization;
using System.Text;

namespace OrleansLeases.Cli.Printing;

/// <summary>Text that others chose, made safe for a terminal and for a shell.</summary>
internal static class TerminalText
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

    /// <summary>As <see cref="Show"/>, in one line: a message of the system's may have several.</summary>
    public static string Sentence(string text) =>
        Show(string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));

    /// <summary>One word of a shell command.</summary>
    public static string Quote(string word)
    {
        if (word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:@%+=,".Contains(c, StringComparison.Ordinal))) return word;
        if (IsShown(word)) return $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

        // With escapes, as bash and zsh read them.
        var quoted = new StringBuilder("$'");
        Visit(word, (part, isShown) => quoted.Append(part is "'" or "\\" ? $"\\{part}" : isShown ? part : Escape(part)));
        return quoted.Append('\'').ToString();
    }

    private static bool IsShown(string text)
    {
        var all = true;
        Visit(text, (_, isShown) => all &= isShown);
        return all;
    }

    private static void Visit(string text, Action<string, bool> take)
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

    private static string Escape(string part) => part.Length == 2
        ? string.Create(CultureInfo.InvariantCulture, $"\\U{char.ConvertToUtf32(part, 0):x8}")
        : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)part[0]:x4}");
}
