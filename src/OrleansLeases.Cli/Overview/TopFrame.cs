using System.Globalization;
using System.Text.Json.Serialization;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Overview;

/// <summary>What <c>leases top</c> shows at one time.</summary>
/// <param name="At">When, by this machine's clock.</param>
/// <param name="Leases">What is held.</param>
/// <param name="Rates">Changes a second.</param>
internal sealed record TopFrame(DateTimeOffset At, HeldNames Leases, [property: JsonPropertyName("perSecond")] Rates Rates)
{
    /// <summary>Why it is not up to date: the server does not answer.</summary>
    public string? Trouble { get; init; }

    /// <summary>The frame as lines: those that most wait for come first, then those that end next.</summary>
    /// <param name="lines">How many lines there is room for.</param>
    public IReadOnlyList<string> Lines(int lines)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        var clock = At.ToUniversalTime().ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        text.WriteLine(
            $"{clock}  held {StatusPrinter.Held(Leases)}, waiting {Number(Leases.Waiting)}; a second: {Rate(Rates.Granted)} granted, "
                + $"{Rate(Rates.Ended)} ended, {Rate(Rates.Expired)} expired");
        text.WriteLine(Trouble is null ? "" : TerminalText.Sentence(Trouble));
        var rows = new Columns().Head("RESOURCE", "WAITING", "OWNER", "TOKEN", "MODE", "REMAINING");
        foreach (var lease in Leases.Names.OrderByDescending(lease => lease.Waiters ?? 0).ThenBy(Remaining).Take(Math.Max(lines - 3, 0)))
        {
            rows.Row(
                lease.Resource, Number(lease.Waiters ?? 0), StatusPrinter.Owners(lease), Number(lease.LastToken),
                LeasePrinter.Word(lease.Holders[0].Mode), Durations.Format(Remaining(lease)));
        }

        rows.WriteTo(text);
        return text.ToString().TrimEnd('\n').Split('\n');
    }

    /// <summary>All of it, below what was printed before.</summary>
    public static void Print(TopFrame frame, TextWriter writer)
    {
        foreach (var line in frame.Lines(int.MaxValue)) writer.WriteLine(line);
        writer.WriteLine();
    }

    private static TimeSpan Remaining(LeaseInfo lease) => lease.Holders.Min(holder => holder.Remaining);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Rate(double rate) => rate.ToString("0.#", CultureInfo.InvariantCulture);
}
