using System.Text;

namespace OrleansLeases.Cli.Printing;

/// <summary>Text that others chose, made safe for a terminal and for a shell.</summary>
internal static class TerminalText
{
    /// <summary>What would not show as itself is shown as an escape.</summary>
    public static string Show(string text) => VisibleText.Show(text);

    /// <summary>Whether all of a text shows as itself.</summary>
    public static bool IsShown(string text) => VisibleText.IsShown(text);

    /// <summary>As <see cref="Show"/>, in one line: a message of the system's may have several.</summary>
    public static string Sentence(string text) =>
        Show(string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));

    /// <summary>One word of a shell command.</summary>
    public static string Quote(string word)
    {
        if (word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:@%+=,".Contains(c, StringComparison.Ordinal)))
        {
            return word;
        }

        if (VisibleText.IsShown(word)) return $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

        // With escapes, as bash and zsh read them.
        var quoted = new StringBuilder("$'");
        VisibleText.Visit(
            word, (part, isShown) => quoted.Append(part is "'" or "\\" ? $"\\{part}" : isShown ? part : VisibleText.Escape(part)));
        return quoted.Append('\'').ToString();
    }
}
