using System.Text;

namespace OrleansLeases.Cli.Printing;

/// <summary>Results that people read on a terminal, with colours unless NO_COLOR is set.</summary>
internal sealed class TerminalWriter(TextWriter terminal, bool isColoured) : TextWriter(terminal.FormatProvider)
{
    public bool IsColoured => isColoured;

    public override Encoding Encoding => terminal.Encoding;

    /// <summary>Standard output: as it is, unless it is a terminal that understands what is written to it.</summary>
    public static TextWriter OfStandardOutput()
    {
        if (Console.IsOutputRedirected || Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb") return Console.Out;
        // As no-color.org has it: whatever its value, unless it is empty.
        return new TerminalWriter(Console.Out, string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")));
    }

    public override void Write(char value) => terminal.Write(value);

    public override void Write(string? value) => terminal.Write(value);

    public override void WriteLine(string? value) => terminal.WriteLine(value);

    public override void Flush() => terminal.Flush();
}
