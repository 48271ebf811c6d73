using System.Text;
using Npgsql;
using OrleansLeases.Bench.Orleans.Calls;

namespace OrleansLeases.Bench.Orleans.Storing;

// What a silo hands to writetostorage when a lease is granted and when it is released, put together from what it stored.
internal sealed record StoredRecord(byte[] Granted, byte[] Released)
{
    // As many changes as fill half a block of the log, which is what a record carries on average.
    private const int Cycles = 4;

    // The two alternate, as the indexes of the table change with each.
    public byte[] After(int version) => version % 2 == 0 ? Granted : Released;

    public static async Task<StoredRecord> TakeAsync(Settings settings)
    {
        const string resource = "batching/pattern";
        using var silo = await Access.StartSiloAsync(settings);
        var calls = Access.CallsOf(silo)[0];
        var acquire = new AcquireRequest { Resource = resource, Owner = "owner-0000", Ttl = TimeSpan.FromMinutes(1) };
        for (var i = 0; i < Cycles; i++)
            await ReleaseAsync(await calls.AcquireCheckedAsync(acquire));
        var token = await calls.AcquireCheckedAsync(acquire);
        var granted = await ReadAsync(settings, resource);
        await ReleaseAsync(token);
        var released = await ReadAsync(settings, resource);
        await silo.StopAsync();
        return new StoredRecord(granted, released);

        ValueTask ReleaseAsync(long held) =>
            calls.ReleaseCheckedAsync(new ReleaseRequest { Resource = resource, Owner = acquire.Owner, Token = held });
    }

    private static async Task<byte[]> ReadAsync(Settings settings, string resource)
    {
        await using var database = NpgsqlDataSource.Create(settings.ConnectionString!);
        await using var command = database.CreateCommand(
            """
            select '{"epoch":' || meta.epoch || coalesce(',"due":' || record.due, '') || ',"held":' || record.held
                || ',"block":' || record.log_block
                || ',"finished":[],"record":' || record.payload || '}'
            from lease_record record cross join lease_meta meta where record.name = $1
            """);
        command.Parameters.Add(new() { Value = resource });
        return Encoding.UTF8.GetBytes((string)(await command.ExecuteScalarAsync())!);
    }
}
