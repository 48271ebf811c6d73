using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using OrleansLeases.Grains;
using OrleansLeases.Storage;

namespace OrleansLeases.Conformance.Worlds.Silos;

/// <summary>
/// One silo with a client, whose leases are under a clock that the test moves; everything else in it is under the real one.
/// A silo takes longer to start than most tests to run: those with the same bounds use one after the other, with empty storage.
/// </summary>
public abstract class OrleansWorld : LeaseWorld
{
    private static readonly ConcurrentDictionary<(Type World, LeaseLimits Limits), ConcurrentBag<WorldSilo>> Idle = new();

    private WorldSilo? _silo;
    private LeaseLimits? _limits;

    public override string Engine => "orleans";

    public override async Task<ILeaseService> StartAsync(LeaseLimits limits)
    {
        _limits = limits;
        if (!IdleWith(limits).TryTake(out _silo))
            _silo = await WorldSilo.StartAsync(
                silo => AddLeases(silo, options => (options.Limits, options.SweeperShards, options.ClockSkew) = (limits, 1, Skew)));
        return ServiceOf(_silo);
    }

    public override Task PassAsync(TimeSpan time)
    {
        _silo!.Time.Advance(time);
        return Task.CompletedTask;
    }

    public override async ValueTask DisposeAsync()
    {
        if (_silo is null) return;
        if (!await _silo.TrySettleAsync())
        {
            await _silo.Cluster.DisposeAsync();
            return;
        }

        await EmptyAsync(_silo);
        IdleWith(_limits!).Add(_silo);
    }

    /// <summary>How far the test's clock may be off the database's when the silo starts; it stands still meanwhile.</summary>
    protected virtual TimeSpan Skew => TimeSpan.FromSeconds(1);

    protected abstract void AddLeases(ISiloBuilder silo, Action<LeaseSiloOptions> configure);

    private protected virtual ILeaseService ServiceOf(WorldSilo silo) =>
        silo.Cluster.Client.ServiceProvider.GetRequiredService<ILeaseService>();

    /// <summary>Empties the storage of a silo that remembers nothing.</summary>
    private protected abstract Task EmptyAsync(WorldSilo silo);

    private ConcurrentBag<WorldSilo> IdleWith(LeaseLimits limits) => Idle.GetOrAdd((GetType(), limits), _ => []);
}

/// <summary>On a silo's memory, asked from within the silo.</summary>
public sealed class OrleansMemoryWorld : OrleansWorld
{
    public override bool Durable => false;

    protected override void AddLeases(ISiloBuilder silo, Action<LeaseSiloOptions> configure) =>
        FaultyStorage.Install(silo.AddLeases(configure));

    private protected override ILeaseService ServiceOf(WorldSilo silo) => silo.Services.GetRequiredService<ILeaseService>();

    private protected override Task EmptyAsync(WorldSilo silo)
    {
        FaultyStorage.Of(silo.Services).Inner = new MemoryRecordStore();
        return Task.CompletedTask;
    }
}

/// <summary>On PostgreSQL in batches, asked by a client.</summary>
public sealed class OrleansPostgresWorld() : PostgresWorld(PostgresStorage.GroupCommit);

/// <summary>On PostgreSQL through Orleans' ADO.NET provider, asked by a client.</summary>
public sealed class OrleansAdoNetWorld() : PostgresWorld(PostgresStorage.AdoNet);

/// <summary>On PostgreSQL, asked by a client.</summary>
public abstract class PostgresWorld(PostgresStorage storage) : OrleansWorld
{
    private string _database = "";

    private string _silosDatabase = "";

    public override bool Durable => true;

    public override async Task<ILeaseService> StartAsync(LeaseLimits limits)
    {
        _database = await TestDatabase.ConnectionStringAsync();
        _silosDatabase = await TestDatabase.SiloConnectionStringAsync();
        return await base.StartAsync(limits);
    }

    protected override TimeSpan Skew => TimeSpan.FromHours(1);

    // A silo minds how far its clock is off the database's, and tests move it by days.
    protected override void AddLeases(ISiloBuilder silo, Action<LeaseSiloOptions> configure) =>
        FaultyStorage.Install(silo.AddLeases(_silosDatabase, options =>
        {
            options.Storage = storage;
            configure(options);
        }));

    private protected override Task EmptyAsync(WorldSilo silo) =>
        Sql.ExecuteAsync(
            _database, "with blocks as (delete from lease_log where service_id = $1) delete from lease_record where service_id = $1",
            silo.Cluster.Options.ServiceId);
}
