using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>The names of kinds that rows are stored under.</summary>
internal static class RowKind
{
    public const string Lease = "lease";
    public const string Key = "key";

    public static string Of(RecordKind kind) => kind == RecordKind.Lease ? Lease : Key;

    public static RecordKind KindOf(string row) => row == Lease ? RecordKind.Lease : RecordKind.Key;
}
