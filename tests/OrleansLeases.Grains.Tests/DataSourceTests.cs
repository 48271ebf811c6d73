using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans;
using Orleans.Runtime;
using OrleansLeases.Grains.Tests.Hosting;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests;

/// <summary>Leases through a data source of the application's.</summary>
public sealed class DataSourceTests
{
    [Fact]
    public async Task DataSource_AndConnectionString_ShareLeasesAndKeys()
    {
        await using var database = await SourceAsync();
        var serviceId = Cluster.NewServiceId();
        await using (var one = await Cluster.OnAsync(database, serviceId))
        await using (var other = await Cluster.OnAsync(database.ConnectionString, serviceId, PostgresStorage.AdoNet))
        {
            var first = (await one.Leases.AcquireAsync(Acquire("orders/42", "one"))).Value;
            Assert.Null((await one.Leases.ReleaseAsync(Release(first))).Refusal);
            var second = (await other.Leases.AcquireAsync(Acquire("orders/42", "other"))).Value;
            Assert.Null((await other.Leases.ReleaseAsync(Release(second))).Refusal);
            // What the first silo knows of it is stale: its write is refused by the version, and made again.
            var third = (await one.Leases.AcquireAsync(Acquire("orders/42", "one"))).Value;

            Assert.Equal((1, 2, 3), (first.Token, second.Token, third.Token));
            Assert.Equal(1, (await one.Leases.PutKeyAsync("workers/7", Put("up"))).Value.Version);
            Assert.Equal("up", (await other.Leases.GetKeyAsync("workers/7")).Value.Value);
            Assert.Equal(["orders/42"], (await other.Leases.ListAsync(new())).Value.Leases.Select(lease => lease.Resource));
        }

        // It stays the application's.
        Assert.Equal(1, await database.CreateCommand("select 1").ExecuteScalarAsync());
    }

    [Fact]
    public async Task Reminders_AreOfOneForm_WhicheverWayTheyAreWritten()
    {
        await using var database = await SourceAsync();
        var serviceId = Cluster.NewServiceId();
        await using var one = await Cluster.OnAsync(database, serviceId);
        await using var other = await Cluster.OnAsync(database.ConnectionString, serviceId);
        var (ours, orleans) = (one.Silo.GetRequiredService<IReminderTable>(), other.Silo.GetRequiredService<IReminderTable>());
        Assert.NotEqual(ours.GetType(), orleans.GetType());

        foreach (var (from, to, name) in new[] { (ours, orleans, "a"), (orleans, ours, "b") })
        {
            var entry = new ReminderEntry
            {
                GrainId = GrainId.Create("test", $"grain/{name}"),
                ReminderName = name,
                StartAt = new DateTime(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc),
                Period = TimeSpan.FromMinutes(5),
            };
            var first = await from.UpsertRow(entry);
            var second = await from.UpsertRow(entry);
            var read = (await to.ReadRow(entry.GrainId, name))!;
            var hash = entry.GrainId.GetUniformHashCode();

            Assert.Equal(
                (entry.GrainId, name, entry.StartAt, entry.Period, second),
                (read.GrainId, read.ReminderName, read.StartAt, read.Period, read.ETag));
            Assert.Contains((await to.ReadRows(entry.GrainId)).Reminders, found => found.ReminderName == name);
            Assert.Contains((await to.ReadRows(hash - 1, hash)).Reminders, found => found.ReminderName == name);
            // Hashes have no sign, and their column has one.
            Assert.Contains((await to.ReadRows(0, uint.MaxValue)).Reminders, found => found.ReminderName == name);
            Assert.DoesNotContain((await to.ReadRows(hash, hash - 1)).Reminders, found => found.ReminderName == name);
            Assert.False(await from.RemoveRow(entry.GrainId, name, first!));
            Assert.True(await to.RemoveRow(entry.GrainId, name, second!));
            Assert.Null(await from.ReadRow(entry.GrainId, name));
        }
    }

    [Fact]
    public async Task DataSource_ThatWouldCutCommitsShort_IsRefused()
    {
        await using var database = NpgsqlDataSource.Create(await TestDatabase.ConnectionStringAsync());

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => Cluster.OnAsync(database, Cluster.NewServiceId()));

        Assert.Contains(
            "Put 'Cancellation Timeout=-1' into its connection string.", refused.GetBaseException().Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DataSource_ForOrleansProvider_IsRefused_WithTheRemedy()
    {
        await using var database = await SourceAsync();

        var refused =
            await Assert.ThrowsAnyAsync<Exception>(() => Cluster.OnAsync(database, Cluster.NewServiceId(), PostgresStorage.AdoNet));

        Assert.Contains("call AddLeases with a connection string", refused.GetBaseException().Message, StringComparison.Ordinal);
    }

    // With a password the data source could not show its whole connection string; the tests' server asks for none.
    private static async Task<NpgsqlDataSource> SourceAsync()
    {
        var connection = new NpgsqlConnectionStringBuilder(await Sql.NewDatabaseAsync())
        {
            Pooling = true, CancellationTimeout = -1, PersistSecurityInfo = true,
        };
        var database = NpgsqlDataSource.Create(connection.ConnectionString);
        await LeaseSchema.MigrateAsync(database);
        return database;
    }
}
