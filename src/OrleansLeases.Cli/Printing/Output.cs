using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OrleansLeases.Cli.Commands;

namespace OrleansLeases.Cli.Printing;

/// <summary>Results go to standard output, as text or as the wire's JSON; diagnostics go to standard error.</summary>
internal sealed class Output(TextWriter results, TextWriter diagnostics, Command command, bool json)
{
    public static Output Of(ParseResult parsed) => new(
        parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, parsed.CommandResult.Command,
        parsed.GetValue(GlobalOptions.Json));

    /// <summary>Whether people look at the results on a terminal that can be repainted.</summary>
    public bool IsTerminal =>
        !json && results == Console.Out && !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");

    /// <summary>Prints a value that is no response of the service's alone.</summary>
    public void Print<T>(T value, JsonTypeInfo<T> type, Action<T, TextWriter> print)
        where T : class
    {
        if (json) results.WriteLine(JsonSerializer.Serialize(value, type));
        else print(value, results);
        results.Flush();
    }

    /// <summary>Prints a response and returns its exit code.</summary>
    /// <param name="result">The answer.</param>
    /// <param name="wire">How its value is written on the wire.</param>
    /// <param name="print">How its value is printed for people.</param>
    /// <param name="hint">What to try next, after a refusal.</param>
    public int Print<T>(LeaseResult<T> result, JsonTypeInfo<T> wire, Action<T, TextWriter> print, Func<Refusal, string?>? hint = null)
        where T : class
    {
        if (!result.TryGetValue(out var value, out var refusal)) return Refuse(refusal, hint);
        if (json) results.WriteLine(JsonSerializer.Serialize(value, wire));
        else print(value, results);
        return ExitCode.Done;
    }

    /// <summary>Prints an event of a watch, at once.</summary>
    public void Print(WatchEvent watchEvent)
    {
        results.WriteLine(json ? WatchPrinter.Json(watchEvent) : WatchPrinter.Line(watchEvent));
        results.Flush();
    }

    public int Refuse(Refusal refusal, Func<Refusal, string?>? hint = null)
    {
        if (json) results.WriteLine(JsonSerializer.Serialize(refusal, LeaseJson.Default.Refusal));
        else RefusalPrinter.Print(refusal, new(command), hint?.Invoke(refusal), diagnostics);
        return ExitCode.Of(refusal);
    }

    public void Note(string text) => diagnostics.WriteLine($"leases: {TerminalText.Sentence(text)}");
}
