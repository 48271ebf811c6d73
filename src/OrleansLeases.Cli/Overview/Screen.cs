using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Overview;

/// <summary>A terminal of which all is repainted, on its second screen: what was there before comes back afterwards.</summary>
internal sealed class Screen : IDisposable
{
    private const string Enter = "\e[?1049h\e[?25l";
    // The runtime has switched the keys to what programs such as editors use, and does not switch them back.
    private const string Leave = "\e[?25h\e[?1l\e>\e[?1049l";
    private const string Home = "\e[H";
    private const string EndOfLine = "\e[K";
    private const string EndOfScreen = "\e[J";

    private readonly TextWriter _terminal;

    public Screen(TextWriter terminal)
    {
        _terminal = terminal;
        _terminal.Write(Enter);
    }

    /// <summary>How many lines it has at this time.</summary>
    public static int Height => Console.WindowHeight is > 0 and var height ? height : 24;

    private static int Width => Console.WindowWidth is > 0 and var width ? width : 80;

    /// <summary>Repaints it in one write, so that it does not flicker. A line that is too long is cut off.</summary>
    public void Paint(IReadOnlyList<string> lines)
    {
        var width = Width;
        var shown = lines.Take(Height).Select(line => TextWidth.Cut(line, width) + EndOfLine);
        _terminal.Write($"{Home}{string.Join("\r\n", shown)}{EndOfScreen}");
        _terminal.Flush();
    }

    public void Dispose()
    {
        _terminal.Write(Leave);
        _terminal.Flush();
    }
}
