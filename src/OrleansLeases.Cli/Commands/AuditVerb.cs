using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using OrleansLeases.Cli.Printing;
using OrleansLeases.Gateway.Audit;

namespace OrleansLeases.Cli.Commands;

/// <summary>Reads what <c>leases serve --audit</c> writes; no server is asked.</summary>
internal sealed class AuditVerb : Verb
{
    private readonly Argument<string> _file = new("FILE")
    {
        Description = "The file that `serve --audit` was given; the full ones before it are read too.",
    };

    private readonly Option<string?> _principal = Text("--principal", "Only what this principal asked for.", "NAME");
    private readonly Option<string?> _name = Text("--name", "Only what is about this resource or key.", "NAME");
    private readonly Option<string?> _prefix = Inputs.Prefix();
    private readonly Option<string?> _verb = Text("--verb", "Only this, such as acquire or put-key.", "VERB");
    private readonly Option<string?> _outcome = Text("--outcome", "Only what ended so: ok, or a refusal such as forbidden.", "OUTCOME");
    private readonly Option<DateTimeOffset?> _since = new("--since")
    {
        Description = "Only from then on: a time such as 2030-01-31T12:00Z (UTC unless it says otherwise), or so long ago, such as 1h30m.",
        HelpName = "TIME",
        CustomParser = ParseTime,
    };

    public AuditVerb()
        : base(
            "audit", "Show what callers changed and were refused, from a server's audit file.",
            "leases audit /var/log/leases/audit.jsonl --since 1h --outcome forbidden",
            "leases audit audit.jsonl --prefix jobs/ --verb break --json")
    {
        Details =
        [
            "A record says when, who, from where, what, on which name, for which owner and token, and how it ended. Renewals that succeed",
            "have none.",
        ];
        Arguments.Add(_file);
        foreach (var option in new Option[] { _principal, _name, _prefix, _verb, _outcome, _since }) Options.Add(option);
        SetAction(Print);
    }

    private static Option<string?> Text(string name, string description, string value) =>
        new(name) { Description = description, HelpName = value };

    private static DateTimeOffset? ParseTime(ArgumentResult result)
    {
        var text = result.Tokens.Single().Value;
        if (Durations.TryParse(text, out var ago)) return TimeProvider.System.GetUtcNow() - ago;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) return time;
        result.AddError($"--since is '{text}'; it takes a time such as 2030-01-31T12:00Z, or a duration such as 1h30m.");
        return null;
    }

    private int Print(ParseResult parsed)
    {
        var path = parsed.GetRequiredValue(_file);
        var (writer, output, json) = (parsed.InvocationConfiguration.Output, Output.Of(parsed), parsed.GetValue(GlobalOptions.Json));
        var unread = 0;
        try
        {
            foreach (var record in AuditReader.Read(path))
            {
                if (record is null) unread++;
                else if (IsWanted(record, parsed)) writer.WriteLine(json ? AuditPrinter.Json(record) : AuditPrinter.Line(record));
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            output.Note($"'{path}' cannot be read: {error.Message}");
            return ExitCode.Failed;
        }

        if (unread > 0) output.Note($"lines that are no records were left out: {unread.ToString(CultureInfo.InvariantCulture)}");
        return ExitCode.Done;
    }

    private bool IsWanted(AuditRecord record, ParseResult parsed)
    {
        return Is(_principal, record.Principal) && Is(_name, record.Name) && Is(_verb, record.Verb) && Is(_outcome, record.Outcome)
            && (parsed.GetValue(_prefix) is not { } prefix || record.Name?.StartsWith(prefix, StringComparison.Ordinal) == true)
            && !(record.At < parsed.GetValue(_since));

        bool Is(Option<string?> option, string? value) => parsed.GetValue(option) is not { } wanted || wanted == value;
    }
}
