using System.Globalization;
using System.Text.Json;
using OrleansLeases.Gateway.Audit;

namespace OrleansLeases.Cli.Printing;

/// <summary>A record of an audit, in one line.</summary>
internal static class AuditPrinter
{
    /// <summary>For people. What others chose is quoted where it might look like something else.</summary>
    public static string Line(AuditRecord record)
    {
        string?[] parts =
        [
            record.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
            Shown("", record.Principal) ?? "-",
            Shown("from ", record.Address),
            Shown("", record.Verb),
            Shown("", record.Name),
            Shown("owner ", record.Owner),
            record.Token is { } token ? string.Create(CultureInfo.InvariantCulture, $"token {token}") : null,
            Shown("request ", record.RequestId),
            Shown("", record.Outcome),
            record.Omitted is { } many ? string.Create(CultureInfo.InvariantCulture, $"and {many} before it") : null,
        ];
        return string.Join("  ", parts.Where(part => part is not null));
    }

    /// <summary>As the file has it: all but printable ASCII is escaped.</summary>
    public static string Json(AuditRecord record) => JsonSerializer.Serialize(record, AuditJson.Default.AuditRecord);

    private static string? Shown(string label, string? text) => text is null ? null : label + TerminalText.Quote(text);
}
