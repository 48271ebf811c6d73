namespace OrleansLeases.Cli.Printing;

/// <summary>Colours of a terminal's own sixteen, so that they are read on dark and on light.</summary>
internal static class Ink
{
    private const string Plain = "\e[0m";
    private const string Bold = "\e[1m";
    private const string Red = "\e[31m";
    private const string Green = "\e[32m";
    private const string Yellow = "\e[33m";
    private const string Faint = "\e[2m";

    /// <summary>The head of a table.</summary>
    public static string Head(string text, TextWriter writer) => Paint(text, Bold, writer);

    /// <summary>A state, or what happened; any other word stays as it is.</summary>
    public static string State(string word, TextWriter writer) => Paint(
        word,
        word.TrimEnd() switch
        {
            "held" or "granted" => Green,
            "free" or "released" => Faint,
            "delayed" or "breaking" or "transferred" or "resync" => Yellow,
            "expired" or "broken" => Red,
            _ => "",
        },
        writer);

    private static string Paint(string text, string ink, TextWriter writer) =>
        ink.Length > 0 && writer is TerminalWriter { IsColoured: true } ? ink + text + Plain : text;
}
