using System.Globalization;
using System.Text.Json;

namespace OrleansLeases.Cli.Printing;

/// <summary>Tells of one event in one line.</summary>
internal static class WatchPrinter
{
    /// <summary>A line for people.</summary>
    public static string Line(WatchEvent watchEvent, TextWriter writer) => watchEvent switch
    {
        WatchEvent.LeaseSnapshot { Lease: var lease } => Line("now", watchEvent, writer, lease.Resource, HoldersOf(lease)),
        WatchEvent.KeySnapshot { Key: { Value: { } value } key } =>
            Line("now", watchEvent, writer, key.Key, Written(key.Version, value, key.Lease)),
        WatchEvent.KeySnapshot { Key: var key } => Line("now", watchEvent, writer, key.Key, "no such key"),
        WatchEvent.LeaseChanged { Lease: var change } =>
            Line(
                Time(change.At),
                watchEvent, writer,
                change.Resource ?? "",
                $"{change.Owner}, token {Number(change.Token)}{(change.Reason is { } reason ? $": {reason}" : "")}"),
        WatchEvent.KeyChanged { Key: { Kind: KeyEventKind.KeyPut } change } =>
            Line(Time(change.At), watchEvent, writer, change.Key, Written(change.Version, change.Value, change.Lease)),
        WatchEvent.KeyChanged { Key: var change } =>
            Line(Time(change.At), watchEvent, writer, change.Key, Deleted(change)),
        _ => Line("now", watchEvent, writer, "", "changes may have been missed"),
    };

    /// <summary>A line for machines: <c>{"event": …, "id": …, "data": …}</c>, as on the wire.</summary>
    public static string Json(WatchEvent watchEvent)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("event"u8, watchEvent.Name);
            if (watchEvent.ResumeFrom is { } id) json.WriteString("id"u8, id.ToString());
            json.WritePropertyName("data"u8);
            watchEvent.WriteData(json);
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    private static string Line(string when, WatchEvent watchEvent, TextWriter writer, string name, string what) =>
        $"{when,-12}  {Ink.State($"{watchEvent.Name,-11}", writer)}  {TerminalText.Show(name)}{(name.Length > 0
            ? "  "
            : "")}{TerminalText.Show(what)}";

    private static string HoldersOf(LeaseInfo lease) => lease.Holders.Count > 0
        ? $"held by {string.Join(" and ", lease.Holders.Select(holder => $"{holder.Owner}, token {Number(holder.Token)}"))}"
        : lease.State == LeaseStatus.Delayed ? "delayed" : "free";

    private static string Written(long version, string? value, KeyLease? lease) =>
        $"version {Number(version)}{(lease is null ? "" : $", lease {lease.Resource}, token {Number(lease.Token)}")}{(value is null
            ? ""
            : $": {KeyPrinter.Shorten(value)}")}";

    private static string Deleted(KeyChange change) =>
        $"version {Number(change.Version)}{(change.Reason is { } reason ? $", {reason}" : "")}";

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
