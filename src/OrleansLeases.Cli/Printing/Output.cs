using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OrleansLeases.Cli.Commands;

namespace OrleansLeases.Cli.Printing;

/// <summary>Results go to standard output, as text, as the wire's JSON or as YAML; diagnostics go to standard error.</summary>
internal sealed class Output(TextWriter results, TextWriter diagnostics, Command command, OutputFormat format)
{
    private bool _isDocument;

    public static Output Of(ParseResult parsed) => new(
        parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, parsed.CommandResult.Command,
        parsed.GetValue(GlobalOptions.Json) ? OutputFormat.Json
            : parsed.CommandResult.Command is Verb { Formats: { } formats } ? formats.Of(parsed) : OutputFormat.Text);

    /// <summary>Whether all columns are to be printed.</summary>
    public bool IsWide => format == OutputFormat.Wide;

    /// <summary>Whether what is printed is data: all of the answer, and nothing else.</summary>
    public bool IsData => format is OutputFormat.Json or OutputFormat.Yaml;

    /// <summary>Whether people look at the results on a terminal that can be repainted.</summary>
    public bool IsTerminal => !IsData && results is TerminalWriter;

    /// <summary>Prints a value, at once.</summary>
    public void Print<T>(
        T value, JsonTypeInfo<T> type, Action<T, TextWriter> print, Func<T, IEnumerable<string>>? alone = null)
        where T : class
    {
        if (IsData)
            PrintData(JsonSerializer.Serialize(value, type));
        else if (format == OutputFormat.Name && alone is not null)
            // A script gets what it can hand back; people see it as everywhere.
            foreach (var line in alone(value)) results.WriteLine(IsTerminal ? TerminalText.Show(line) : line);
        else
            print(value, results);
        results.Flush();
    }

    /// <summary>Prints a response and returns its exit code.</summary>
    /// <param name="result">The answer.</param>
    /// <param name="wire">How its value is written on the wire.</param>
    /// <param name="print">How its value is printed for people.</param>
    /// <param name="hint">What to try next, after a refusal.</param>
    /// <param name="alone">What is printed alone, a line each.</param>
    public int Print<T>(
        LeaseResult<T> result, JsonTypeInfo<T> wire, Action<T, TextWriter> print, Func<Refusal, string?>? hint = null,
        Func<T, IEnumerable<string>>? alone = null)
        where T : class
    {
        if (!result.TryGetValue(out var value, out var refusal)) return Refuse(refusal, hint);
        Print(value, wire, print, alone);
        return ExitCode.Done;
    }

    /// <summary>Prints an event of a watch, at once.</summary>
    public void Print(WatchEvent watchEvent)
    {
        if (IsData) PrintData(WatchPrinter.Json(watchEvent));
        else results.WriteLine(WatchPrinter.Line(watchEvent, results));
        results.Flush();
    }

    public int Refuse(Refusal refusal, Func<Refusal, string?>? hint = null)
    {
        if (IsData) PrintData(JsonSerializer.Serialize(refusal, LeaseJson.Default.Refusal));
        else RefusalPrinter.Print(refusal, new(command), hint?.Invoke(refusal), diagnostics);
        return ExitCode.Of(refusal);
    }

    /// <summary>Sets what follows apart from what was printed, where people read it.</summary>
    public void Separate()
    {
        if (format is OutputFormat.Text or OutputFormat.Wide) results.WriteLine();
    }

    /// <summary>Says that a watch has lost its server, or goes on.</summary>
    public void NoteConnection(bool isConnected) => Note(
        isConnected
            ? "a server answers again; the watch goes on"
            : "the connection to the server broke; the watch goes on when one answers");

    public void Note(string text) => diagnostics.WriteLine($"leases: {TerminalText.Sentence(text)}");

    // A line each of JSON; documents of YAML.
    private void PrintData(string json)
    {
        if (format == OutputFormat.Json)
        {
            results.WriteLine(json);
            return;
        }

        if (_isDocument) results.WriteLine("---");
        _isDocument = true;
        results.Write(YamlText.Of(json));
    }
}
