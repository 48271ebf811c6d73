using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>The names of kinds that rows are stored under.</summary>
internal static class RowKind
{
    public const string Lease = "lease";
    public const string Key = "key";
    public const string Service = "service";

    public static string Of(RecordKind kind) => kind switch
    {
        RecordKind.Lease => Lease,
        RecordKind.Key => Key,
        _ => Service,
    };

    public static RecordKind KindOf(string row) => row switch
    {
        Lease => RecordKind.Lease,
        Key => RecordKind.Key,
        _ => RecordKind.Service,
    };
}
