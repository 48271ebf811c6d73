using System.Globalization;

namespace OrleansLeases.Cli.Printing;

/// <summary>Tells people about keys.</summary>
internal static class KeyPrinter
{
    private const int LongestInAList = 60;

    public static void Print(KeyPut put, TextWriter writer) =>
        new Columns().Row("put", put.Key).Row("version", Number(put.Version)).WriteTo(writer);

    public static void Print(KeyDeletion deletion, TextWriter writer) =>
        new Columns().Row(deletion.Existed ? "deleted" : "not there", deletion.Key).WriteTo(writer);

    public static void Print(CounterValue counter, TextWriter writer) =>
        new Columns()
            .Row("counter", counter.Key)
            .Row("value", $"{Number(counter.Value)}{(counter.Replayed ? " (added before)" : "")}")
            .Row("version", Number(counter.Version))
            .WriteTo(writer);

    public static void Print(KeyValue key, TextWriter writer)
    {
        var columns = new Columns().Row("key", key.Key).Row("value", key.Value).Row("version", Number(key.Version));
        if (key.Lease is { } lease) columns.Row("lease", $"{lease.Resource}, token {Number(lease.Token)} of {lease.Owner}");
        columns.WriteTo(writer);
    }

    public static IEnumerable<string> Alone(KeyPut put) => [Number(put.Version)];

    public static IEnumerable<string> Alone(CounterValue counter) => [Number(counter.Value)];

    public static IEnumerable<string> Alone(KeyValue key) => [key.Value];

    public static void Print(KeyPage page, bool isWide, TextWriter writer)
    {
        if (page.Keys.Count == 0) return;
        var rows = new Columns().Head("KEY", "VERSION", "LEASE", "TOKEN", "VALUE");
        foreach (var key in page.Keys)
        {
            rows.Row(
                key.Key, Number(key.Version), key.Lease?.Resource ?? "-", key.Lease is { } lease ? Number(lease.Token) : "-",
                isWide ? key.Value : Shorten(key.Value));
        }

        rows.WriteTo(writer);
    }

    /// <summary>As much of a value as fits a line.</summary>
    public static string Shorten(string value)
    {
        if (value.Length <= LongestInAList) return value;
        return $"{value[..(char.IsHighSurrogate(value[LongestInAList - 1]) ? LongestInAList - 1 : LongestInAList)]}…";
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
