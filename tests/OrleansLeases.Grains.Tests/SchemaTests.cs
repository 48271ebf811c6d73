using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Orleans.Runtime;
using Orleans.TestingHost;
using OrleansLeases.Core;
using OrleansLeases.Grains.Tests.Hosting;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests;

/// <summary>The schema: applied any number of times, checked before anything is granted, with the epoch in every write.</summary>
public sealed class SchemaTests
{
    [Fact]
    public async Task Migrate_ManyAtOnce_AndAgain_IsOneSchema()
    {
        var database = await Sql.NewDatabaseAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => LeaseSchema.MigrateAsync(database)));
        await LeaseSchema.MigrateAsync(database);
        Assert.Equal(0, await LeaseSchema.EpochAsync(database));
    }

    [Fact]
    public async Task Check_OfAnEmptyDatabase_NamesTheRemedy()
    {
        var error =
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await LeaseSchema.EpochAsync(await Sql.NewDatabaseAsync()));
        Assert.Contains("leases-silo migrate", error.Message, StringComparison.Ordinal);
        Assert.Contains("search_path leads, which is \"$user\", public; or", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SearchPath_OfASchemaWithCapitals_KeepsItsQuotes()
    {
        var database = await Sql.NewDatabaseAsync();
        await Sql.ExecuteAsync(database, "create schema \"Leases\"");
        var there = new LeaseConnectionString($"{database};Search Path='\"Leases\"'").Value;
        await LeaseSchema.MigrateAsync(there);
        Assert.Equal(0, await LeaseSchema.EpochAsync(there));

        // The quotes are the connection string's own here.
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => LeaseSchema.EpochAsync($"{database};Search Path=\"Leases\""));
        Assert.Contains("Search Path='\"Leases\"'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alter table lease_record drop constraint lease_record_key", "the key of lease_record")]
    [InlineData("drop index lease_record_due", "index lease_record_due")]
    [InlineData("drop index orleansreminderstable_grainhash", "index orleansreminderstable_grainhash")]
    [InlineData("drop function writetostorage", "function writetostorage")]
    [InlineData("drop function load_lease_records", "function load_lease_records")]
    [InlineData("drop function save_lease_records", "function save_lease_records")]
    [InlineData("delete from orleansquery where querykey = 'WriteToStorageKey'", "was changed")]
    [InlineData("update lease_meta set schema_version = 0", "has lease schema 0")]
    [InlineData("update lease_meta set schema_version = 99", "Run the newer software")]
    public async Task Check_OfASchemaThatLacksAPart_NamesIt_AndMigrateMendsIt(string damage, string named)
    {
        var database = await Sql.NewDatabaseAsync();
        await LeaseSchema.MigrateAsync(database);
        await Sql.ExecuteAsync(database, damage);
        Assert.Contains(
            named, (await Assert.ThrowsAsync<InvalidOperationException>(() => LeaseSchema.EpochAsync(database))).Message,
            StringComparison.Ordinal);

        if (damage.Contains("99", StringComparison.Ordinal))
        {
            Assert.Contains(
                "newer", (await Assert.ThrowsAsync<InvalidOperationException>(() => LeaseSchema.MigrateAsync(database))).Message,
                StringComparison.Ordinal);
            return;
        }

        await LeaseSchema.MigrateAsync(database);
        await LeaseSchema.EpochAsync(database);
    }

    [Fact]
    public async Task Silo_OnAnEmptyDatabase_DoesNotStart()
    {
        var database = await Sql.NewDatabaseAsync();
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) => silo.AddLeases(database));
        await using var cluster = builder.Build();
        var error = await Assert.ThrowsAnyAsync<Exception>(cluster.DeployAsync);
        Assert.Contains("leases-silo migrate", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecondSilo_OnMemoryOfAnotherProcess_DoesNotStart()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) => silo.AddLeases());
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        // As if it were in another process.
        cluster.GetSiloServiceProvider().GetRequiredService<SharedMemorySilos>().Dispose();
        var error = await Assert.ThrowsAnyAsync<Exception>(() => cluster.StartAdditionalSiloAsync());
        Assert.Contains("would grant the same leases", error.ToString(), StringComparison.Ordinal);
        // A silo that leaves in good order waits half a minute for the one that did not get in.
        await cluster.KillSiloAsync(cluster.Silos[0]);
    }

    [Theory]
    [InlineData(PostgresStorage.GroupCommit)]
    [InlineData(PostgresStorage.AdoNet)]
    public async Task BumpedEpoch_StopsTheSilosOfTheOldOne_AndTokensOfTheNextAreLarger(PostgresStorage storage)
    {
        var database = await Sql.NewDatabaseAsync();
        await LeaseSchema.MigrateAsync(database);
        var serviceId = Cluster.NewServiceId();
        LeaseGrant before;
        await using (var old = await Cluster.OnAsync(database, serviceId, storage))
        {
            before = (await old.Leases.AcquireAsync(Acquire("a", "me"))).Value;
            Assert.Equal(1, await LeaseSchema.BumpEpochAsync(database));
            // Nor does it believe what it reads.
            var read = await old.Leases.GetAsync(new GetLeaseRequest { Resource = "a", Consistent = true });
            Assert.IsType<Refusal.Unavailable>(read.Refusal);
            Assert.IsType<Refusal.Unavailable>((await old.Leases.ReleaseAsync(Release(before))).Refusal);
            Assert.IsType<Refusal.Unavailable>((await old.Leases.AcquireAsync(Acquire("b", "me"))).Refusal);
            // It looks every ten seconds.
            old.Time.Advance(TimeSpan.FromSeconds(10));
            await Calls.UntilAsync(async () => (await old.Leases.InfoAsync()).Refusal is Refusal.Unavailable);
        }

        await using var next = await Cluster.OnAsync(database, serviceId, storage);
        Assert.Null((await next.Leases.ReleaseAsync(Release(before))).Refusal);
        var after = (await next.Leases.AcquireAsync(Acquire("a", "me"))).Value;
        Assert.Equal((1L << 40) + 1, after.Token);
    }

    [Theory]
    [InlineData("ClearStorageKey")]
    [InlineData("DeleteStorageKey")]
    public async Task Query_ThatIsToClearARecord_Loses_AndLeavesItsCounter(string query)
    {
        var database = await TestDatabase.ConnectionStringAsync();
        var serviceId = Cluster.NewServiceId();
        await using (var cluster = await Cluster.OnAsync(database, serviceId, PostgresStorage.AdoNet))
            Assert.Null((await cluster.Leases.AcquireAsync(Acquire("a", "me"))).Refusal);

        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(
            await Sql.ScalarAsync<string>(database, "select querytext from orleansquery where querykey = $1", query));
        foreach (var name in new[] { "GrainIdHash", "GrainIdN0", "GrainIdN1", "GrainTypeHash", "GrainStateVersion" })
            command.Parameters.AddWithValue(name, 1);
        command.Parameters.AddWithValue("GrainTypeString", "lease");
        command.Parameters.AddWithValue("GrainIdExtensionString", "r:a");
        command.Parameters.AddWithValue("ServiceId", serviceId);

        Assert.Equal(DBNull.Value, await command.ExecuteScalarAsync());
        Assert.Equal(1L, await Sql.ScalarAsync<long>(database, "select last_token from leases where service_id = $1", serviceId));
    }

    [Fact]
    public async Task Clock_FarFromTheDatabases_KeepsTheSiloFromStarting()
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(() => Cluster.OnPostgresAsync(
            // Two silos may each be off by half of what they may differ by.
            time: new(TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(10)),
            configure: options => options.ClockSkew = TimeSpan.FromMinutes(15), watchesClock: true));
        Assert.Contains("ahead of the database's", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clock_ThatLeavesTheDatabases_StopsClaims_AndAtLastTheSilo()
    {
        await using var cluster =
            await Cluster.OnPostgresAsync(configure: options => options.ClockSkew = TimeSpan.FromMinutes(2), watchesClock: true);
        var held = (await cluster.Leases.AcquireAsync(Acquire("a", "me"))).Value;
        var stopping = cluster.Silo.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        // The first look is due, and finds the clock far ahead.
        cluster.Time.Advance(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5));
        await Calls.UntilAsync(async () => (await cluster.Leases.InfoAsync()).Refusal is Refusal.Unavailable);
        Assert.Contains(
            "clock", Assert.IsType<Refusal.Unavailable>((await cluster.Leases.AcquireAsync(Acquire("b", "me"))).Refusal).Detail,
            StringComparison.Ordinal);
        Assert.NotEqual(0, held.Token);
        Assert.False(stopping.IsCancellationRequested);
        await Calls.UntilAsync(() =>
        {
            cluster.Time.Advance(TimeSpan.FromSeconds(10));
            return Task.FromResult(stopping.IsCancellationRequested);
        });
    }

    [Fact]
    public async Task Migrate_OfASchemaFromBeforeBatches_KeepsItsLeases_WhichSilosOfBothWaysShare()
    {
        var database = await Sql.NewDatabaseAsync();
        await LeaseSchema.MigrateAsync(database);
        await Sql.ExecuteAsync(
            database,
            "drop function load_lease_records; drop function save_lease_records; update lease_meta set fingerprint = lease_fingerprint()");
        var serviceId = Cluster.NewServiceId();
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => Cluster.OnAsync(database, serviceId));
        Assert.Contains("leases-silo migrate", refused.ToString(), StringComparison.Ordinal);
        await LeaseSchema.MigrateAsync(database);

        await using var stock = await Cluster.OnAsync(database, serviceId, PostgresStorage.AdoNet);
        var grant = (await stock.Leases.AcquireAsync(Acquire("a", "me"))).Value;
        await using var batches = await Cluster.OnAsync(database, serviceId);
        Assert.IsType<Refusal.Held>((await batches.Leases.AcquireAsync(Acquire("a", "other"))).Refusal);
        Assert.Null((await batches.Leases.ReleaseAsync(Release(grant))).Refusal);
        var seen = (await stock.Leases.GetAsync(new GetLeaseRequest { Resource = "a", Consistent = true })).Value;
        Assert.Equal((LeaseStatus.Free, 1), (seen.State, seen.LastToken));
    }

    [Theory]
    [InlineData("update OrleansQuery set QueryText = 'select * from other(@GrainStateVersion)' where QueryKey = 'WriteToStorageKey'")]
    [InlineData("create or replace function lease_name(key text) returns text language plpgsql immutable as 'begin return key; end'")]
    public async Task Check_OfAFunctionOrQueryThatWasChanged_Refuses_AndMigrateMendsIt(string damage)
    {
        var database = await Sql.NewDatabaseAsync();
        await LeaseSchema.MigrateAsync(database);
        await Sql.ExecuteAsync(database, damage);
        Assert.Contains(
            "was changed", (await Assert.ThrowsAsync<InvalidOperationException>(() => LeaseSchema.EpochAsync(database))).Message,
            StringComparison.Ordinal);
        await LeaseSchema.MigrateAsync(database);
        await LeaseSchema.EpochAsync(database);
    }

    [Fact]
    public async Task Check_OfADatabaseThatDoesNotSyncItsCommits_Refuses()
    {
        var database = await Sql.NewDatabaseAsync();
        await LeaseSchema.MigrateAsync(database);
        await Sql.ExecuteAsync(
            database, $"alter database {new NpgsqlConnectionStringBuilder(database).Database} set synchronous_commit = off");
        Assert.Contains(
            "synchronous_commit", (await Assert.ThrowsAsync<InvalidOperationException>(() => LeaseSchema.EpochAsync(database))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migrate_WhereAnotherApplicationKeepsItsQueries_Refuses_AndLeavesThem()
    {
        var database = await Sql.NewDatabaseAsync();
        await Sql.ExecuteAsync(
            database,
            "create table OrleansQuery (QueryKey varchar(64) not null primary key, QueryText varchar(8000) not null); insert into "
                + "OrleansQuery values ('ReadFromStorageKey', 'theirs')");
        Assert.Contains(
            "of their own", (await Assert.ThrowsAsync<PostgresException>(() => LeaseSchema.MigrateAsync(database))).MessageText,
            StringComparison.Ordinal);
        Assert.Equal("theirs", await Sql.ScalarAsync<string>(database, "select QueryText from OrleansQuery"));
    }

    [Fact]
    public async Task View_ShowsWhoHoldsWhat()
    {
        var serviceId = Cluster.NewServiceId();
        await using var cluster = await Cluster.OnPostgresAsync(serviceId);
        Assert.Null(
            (await cluster.Leases.AcquireAsync(
                Acquire("held", "me") with { Metadata = new Dictionary<string, string> { ["nul"] = "\0" } })).Refusal);
        await cluster.Leases.ReleaseAsync(Release((await cluster.Leases.AcquireAsync(Acquire("free", "me"))).Value));
        Assert.Equal(
            "me:1",
            await Sql.ScalarAsync<string>(
                await TestDatabase.ConnectionStringAsync(),
                "select owner || ':' || token from leases where service_id = $1 and resource = 'held' and held", serviceId));
        Assert.Equal(
            1L,
            await Sql.ScalarAsync<long>(
                await TestDatabase.ConnectionStringAsync(),
                "select last_token from leases where service_id = $1 and resource = 'free' and not held and owner is null", serviceId));
    }

    [Fact]
    public async Task KeysView_ShowsWhatAKeyHasAndIsBoundTo()
    {
        var database = await Sql.NewDatabaseAsync();
        await LeaseSchema.MigrateAsync(database);
        var bound = KeyState.Unused with { Version = 1, Value = "10.0.0.5\0", Binding = new KeyBinding("jobs/1", "me", 7) };
        foreach (var (name, state) in new[] { ("hosts/1", bound), ("deleted", KeyState.Unused with { Version = 2 }) })
        {
            await Sql.ScalarAsync<int>(
                database, "insert into lease_record values ('s', 'key', $1, 1, now(), null, false, 0, $2) returning version", name,
                Encoding.UTF8.GetString(RecordCodec.Key.Encode(state)));
        }

        Assert.Equal(
            "hosts/1=10.0.0.5 jobs/1 me 7",
            await Sql.ScalarAsync<string>(
                database, "select string_agg(format('%s=%s %s %s %s', key, value, resource, owner, token), ';') from lease_keys"));
    }

    [Fact]
    public void ConnectionString_ThatIsNone_IsRefused_WithoutShowingIt()
    {
        var error = Assert.Throws<OrleansConfigurationException>(() => new LeaseConnectionString("Hosst=db;Password=secret"));
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        var defaults = new NpgsqlConnectionStringBuilder(new LeaseConnectionString("Host=db;Command Timeout=2").Value);
        Assert.Equal(
            (20, true, 2, -1), (defaults.MaxAutoPrepare, defaults.NoResetOnClose, defaults.CommandTimeout, defaults.CancellationTimeout));
    }
}
