using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Hosting;
using Orleans.TestingHost;
using OrleansLeases.Conformance;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Grains.Tests.Worlds;

/// <summary>One silo with a client, whose leases are under a clock that the test moves; everything else in it is under the real one.</summary>
public abstract class OrleansWorld : LeaseWorld
{
    private readonly ManualTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private InProcessTestCluster? _cluster;

    public override string Engine => "orleans";

    public override async Task<ILeaseService> StartAsync(LeaseLimits limits)
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(_time));
            silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
            AddLeases(silo, options => (options.Limits, options.SweeperShards, options.ClockSkew) = (limits, 1, Skew));
        });
        builder.ConfigureClient(client => client.AddLeases());
        _cluster = builder.Build();
        await _cluster.DeployAsync();
        return ServiceOf(_cluster);
    }

    public override Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    public override async ValueTask DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
    }

    /// <summary>How far the test's clock may be off the database's when the silo starts; it stands still meanwhile.</summary>
    protected virtual TimeSpan Skew => TimeSpan.FromSeconds(1);

    protected abstract void AddLeases(ISiloBuilder silo, Action<LeaseSiloOptions> configure);

    protected virtual ILeaseService ServiceOf(InProcessTestCluster cluster) => cluster.Client.ServiceProvider.GetRequiredService<ILeaseService>();
}

/// <summary>On a silo's memory, asked from within the silo.</summary>
public sealed class OrleansMemoryWorld : OrleansWorld
{
    public override bool Durable => false;

    protected override void AddLeases(ISiloBuilder silo, Action<LeaseSiloOptions> configure) => silo.AddLeases(configure);

    protected override ILeaseService ServiceOf(InProcessTestCluster cluster) => cluster.GetSiloServiceProvider().GetRequiredService<ILeaseService>();
}

/// <summary>On PostgreSQL through the ADO.NET provider, asked by a client.</summary>
public sealed class OrleansPostgresWorld : OrleansWorld
{
    private string _database = "";

    public override bool Durable => true;

    public override async Task<ILeaseService> StartAsync(LeaseLimits limits)
    {
        _database = await TestDatabase.ConnectionStringAsync();
        return await base.StartAsync(limits);
    }

    protected override TimeSpan Skew => TimeSpan.FromHours(1);

    // A silo minds how far its clock is off the database's, and tests move it by days.
    protected override void AddLeases(ISiloBuilder silo, Action<LeaseSiloOptions> configure) => FaultyStorage.Install(silo.AddLeases(_database, configure));
}
