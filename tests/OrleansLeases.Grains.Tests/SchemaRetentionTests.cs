using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OrleansLeases.Core;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Storage;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests;

/// <summary>
/// The schema that drops records: how a database comes to it, and what it does for silos of before and under stricter isolation.
/// </summary>
public sealed class SchemaRetentionTests
{
    private const string Save =
        """
        select count(*) from save_lease_records($1, 0, array['lease'], array['a'], array[null::integer], array[null::bigint],
            array[false], array[0::bigint], array['{}'], '{}', '{}', '{}', '{}')
        """;

    private const string Store =
        """
        select count(*) from store_lease_records($1, 0, array['lease'], array['a'], array[null::integer], array[null::bigint],
            array[false], array[0::bigint], array['{}'], '{}', '{}', '{}', '{}', array[1::bigint], array[1], array[7], array[0::bigint],
            array[0::bigint])
        """;

    private const string Drop =
        """
        select count(*) from drop_lease_records($1, 0, array['lease'], array['a'], array[1], array[7], array[5::bigint],
            array[3::bigint])
        """;

    [Fact]
    public async Task Migrate_OfASchemaWithoutIdleTimes_CountsFromTheMigration()
    {
        var database = await Sql.NewDatabaseAsync();
        await LeaseSchema.MigrateAsync(database);
        var serviceId = Cluster.NewServiceId();
        await using (var before = await Cluster.OnAsync(database, serviceId))
        {
            await before.Leases.ReleaseAsync(Release((await before.Leases.AcquireAsync(Acquire("free", "me"))).Value));
            await before.Leases.AcquireAsync(Acquire("held", "me"));
            await before.Leases.PutKeyAsync("set", Put("x"));
        }

        await Sql.ExecuteAsync(
            database,
            """
            drop function store_lease_records, drop_lease_records, take_back_lease_records, save_lease_records;
            drop table lease_floor;
            alter table lease_record drop column idle;
            update lease_meta set schema_version = 2;
            """);
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => Cluster.OnAsync(database, serviceId));
        Assert.Contains("leases-silo migrate", refused.ToString(), StringComparison.Ordinal);
        await LeaseSchema.MigrateAsync(database);

        await using var after = await Cluster.OnAsync(database, serviceId);
        var store = after.Silo.GetRequiredService<LeaseStorage>().Store;
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var idle = Assert.Single(await store.IdleAsync(RecordKind.Lease, new() { Until = now, Limit = 10 }, default));
        Assert.Equal("free", idle.Name);
        Assert.InRange(idle.At, now - 60_000, now);
        Assert.Empty(await store.IdleAsync(RecordKind.Key, new() { Until = now, Limit = 10 }, default));
        Assert.Equal(SaveOutcome.Saved, await store.DropAsync(await store.LoadAsync(RecordKind.Lease, "free")));
    }

    [Fact]
    public async Task SiloOfBefore_WritesOn_ButNoFirstRecordsOnceSomeWereDropped()
    {
        var database = await Sql.NewDatabaseAsync();
        await LeaseSchema.MigrateAsync(database);
        Assert.Equal(1L, await Sql.ScalarAsync<long>(database, Save, "s"));
        Assert.True(await Sql.ScalarAsync<bool>(database, "select idle > 0 from lease_record"));
        Assert.Equal(1L, await Sql.ScalarAsync<long>(database, Drop, "s"));
        Assert.Equal(0L, await Sql.ScalarAsync<long>(database, Save, "s"));
        Assert.Equal(0L, await Sql.ScalarAsync<long>(database, "select count(*) from lease_record"));
        Assert.Equal(1L, await Sql.ScalarAsync<long>(database, Save, "another service"));
    }

    [Fact]
    public async Task FirstRecord_UnderStricterIsolation_DoesNotPassADropThatItCannotSee()
    {
        var database = await Sql.NewDatabaseAsync();
        await LeaseSchema.MigrateAsync(database);
        Assert.Equal(1L, await Sql.ScalarAsync<long>(database, Store, "s"));
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using (var look = new NpgsqlCommand("select count(*) from lease_record", connection, transaction))
            Assert.Equal(1L, await look.ExecuteScalarAsync());
        Assert.Equal(1L, await Sql.ScalarAsync<long>(database, Drop, "s"));

        await using var store = new NpgsqlCommand(Store, connection, transaction);
        store.Parameters.Add(new() { Value = "s" });
        var undone = await Assert.ThrowsAsync<PostgresException>(() => store.ExecuteScalarAsync());
        Assert.Equal("40001", undone.SqlState);
    }

    [Fact]
    public void FirstVersion_OfARow_GoesAlongWithTheRecords()
    {
        foreach (var (version, row) in new[] { (1L, 1), (17, 17), (int.MaxValue, int.MaxValue), (int.MaxValue + 1L, 1) })
        {
            var first = new StoredRecord(RecordKind.Lease, "a", LeaseState.Unused with { Version = version });
            Assert.Equal(row, StoredRow.FirstVersionOf(first));
        }
    }
}
