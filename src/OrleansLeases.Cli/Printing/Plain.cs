using System.Globalization;
using System.Text;

namespace OrleansLeases.Cli.Printing;

/// <summary>Text that others chose, made safe for a terminal and for a shell.</summary>
internal static class Plain
{
    /// <summary>Control characters are shown as escapes: a name or a reason must not steer the terminal.</summary>
    public static string Show(string text)
    {
        if (!text.Any(char.IsControl)) return text;
        var shown = new StringBuilder();
        foreach (var c in text)
        {
            if (char.IsControl(c)) shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else shown.Append(c);
        }

        return shown.ToString();
    }

    /// <summary>One word of a shell command.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:@%+=,".Contains(c, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
