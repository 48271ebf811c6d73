using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OrleansLeases.Conformance.Stores;
using OrleansLeases.Grains.Tests.Hosting;

namespace OrleansLeases.Grains.Tests.Storage;

/// <summary>PostgreSQL as a store of records, through Orleans' ADO.NET provider.</summary>
public sealed class AdoNetStoreTests(AdoNetStoreTests.Silo silo) : PostgresStoreSuite(silo), IClassFixture<AdoNetStoreTests.Silo>
{
    public sealed class Silo : PostgresSilo
    {
        private protected override Task<Cluster> StartAsync(string connection, string serviceId) =>
            Cluster.OnAsync(connection, serviceId, PostgresStorage.AdoNet);
    }
}

/// <summary>PostgreSQL as a store of records, in batches.</summary>
public sealed class ConnectionStringStoreTests(ConnectionStringStoreTests.Silo silo)
    : PostgresStoreSuite(silo), IClassFixture<ConnectionStringStoreTests.Silo>
{
    public sealed class Silo : PostgresSilo
    {
        private protected override Task<Cluster> StartAsync(string connection, string serviceId) => Cluster.OnAsync(connection, serviceId);
    }
}

/// <summary>PostgreSQL as a store of records, in batches through a data source of the application's.</summary>
public sealed class DataSourceStoreTests(DataSourceStoreTests.Silo silo)
    : PostgresStoreSuite(silo), IClassFixture<DataSourceStoreTests.Silo>
{
    public sealed class Silo : PostgresSilo
    {
        private NpgsqlDataSource? _database;

        public override async Task DisposeAsync()
        {
            await base.DisposeAsync();
            if (_database is not null) await _database.DisposeAsync();
        }

        private protected override Task<Cluster> StartAsync(string connection, string serviceId)
        {
            var settings = new NpgsqlConnectionStringBuilder(connection) { CancellationTimeout = -1 };
            return Cluster.OnAsync(_database = NpgsqlDataSource.Create(settings), serviceId);
        }
    }
}

/// <summary>Runs the suite on the store of one silo, which has no leases of its own.</summary>
public abstract class PostgresStoreSuite(PostgresSilo silo) : RecordStoreSuite
{
    protected override async Task<IRecordStore> StartAsync()
    {
        await silo.EmptyAsync();
        return silo.Store;
    }
}

/// <summary>A silo whose store is used past its grains.</summary>
public abstract class PostgresSilo : IAsyncLifetime
{
    private readonly string _serviceId = Cluster.NewServiceId();
    private string _connection = "";
    private Cluster? _cluster;

    /// <summary>Its store.</summary>
    public IRecordStore Store => _cluster!.Silo.GetRequiredService<LeaseStorage>().Store;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        _connection = await TestDatabase.ConnectionStringAsync();
        _cluster = await StartAsync(_connection, _serviceId);
    }

    /// <inheritdoc/>
    public virtual async Task DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
    }

    /// <summary>Empties the store.</summary>
    /// <returns>When it is empty.</returns>
    public Task EmptyAsync() => Sql.ExecuteAsync(
        _connection,
        """
        with blocks as (delete from lease_log where service_id = $1), floors as (delete from lease_floor where service_id = $1)
        delete from lease_record where service_id = $1
        """,
        _serviceId);

    private protected abstract Task<Cluster> StartAsync(string connection, string serviceId);
}
