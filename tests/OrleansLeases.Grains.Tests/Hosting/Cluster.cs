using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using Orleans.Hosting;
using Orleans.TestingHost;
using OrleansLeases.Testing;

namespace OrleansLeases.Grains.Tests.Hosting;

/// <summary>
/// One silo with leases under a clock that the test moves. Two of them on one service id are a split brain: each has a
/// membership of its own, so each activates every grain, and both write the same rows.
/// </summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;

    private Cluster(InProcessTestCluster cluster, ManualTimeProvider time) => (_cluster, Time) = (cluster, time);

    public ManualTimeProvider Time { get; }

    public IServiceProvider Silo => _cluster.GetSiloServiceProvider();

    public IGrainFactory Grains => Silo.GetRequiredService<IGrainFactory>();

    public ILeaseService Leases => Silo.GetRequiredService<ILeaseService>();

    public IServiceProvider Client => _cluster.Client.ServiceProvider;

    public ILeaseService ClientLeases => Client.GetRequiredService<ILeaseService>();

    public static string NewServiceId() => Guid.NewGuid().ToString("N");

    /// <param name="serviceId">Names the data.</param>
    /// <param name="time">The clock of the leases.</param>
    /// <param name="configure">How leases behave.</param>
    /// <param name="watchesClock">Whether the silo minds that a clock which only the test moves is off the database's.</param>
    /// <param name="storage">How its records get to the database.</param>
    /// <param name="storeTime">What the store's time limit counts by; real time unless given.</param>
    public static async Task<Cluster> OnPostgresAsync(
        string? serviceId = null, ManualTimeProvider? time = null, Action<LeaseSiloOptions>? configure = null, bool watchesClock = false,
        TimeProvider? storeTime = null, PostgresStorage storage = PostgresStorage.GroupCommit)
    {
        var connection = await TestDatabase.SiloConnectionStringAsync();
        return await StartAsync(
            serviceId ?? NewServiceId(),
            silo => silo.AddLeases(connection, Options(options =>
            {
                options.Storage = storage;
                configure?.Invoke(options);
            })),
            watchesClock ? null : silo => FaultyStorage.Install(silo, storeTime ?? TimeProvider.System),
            time);
    }

    public static Task<Cluster> OnAsync(
        string connection, string serviceId, PostgresStorage storage = PostgresStorage.GroupCommit, Action<ISiloBuilder>? also = null) =>
        StartAsync(serviceId, silo => silo.AddLeases(connection, Options(options => options.Storage = storage)), also, null);

    public static Task<Cluster> OnAsync(
        NpgsqlDataSource database, string serviceId, PostgresStorage storage = PostgresStorage.GroupCommit) =>
        StartAsync(serviceId, silo => silo.AddLeases(_ => database, Options(options => options.Storage = storage)), null, null);

    public static Task<Cluster> OnAsync(IRecordStore store) =>
        StartAsync(NewServiceId(), silo => silo.AddLeases(_ => store, Options(null)), null, null);

    public static Task<Cluster> InMemoryAsync(Action<ISiloBuilder>? also = null) =>
        StartAsync(NewServiceId(), silo => silo.AddLeases(Options(null)), also, null);

    /// <summary>Ends the silo in order.</summary>
    public Task StopSiloAsync() => _cluster.StopSiloAsync(_cluster.Silos[0]);

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    private static Action<LeaseSiloOptions> Options(Action<LeaseSiloOptions>? configure) => options =>
    {
        options.SweeperShards = 1;
        options.ClockSkew = TimeSpan.FromMinutes(10);
        configure?.Invoke(options);
    };

    private static async Task<Cluster> StartAsync(
        string serviceId, Action<ISiloBuilder> leases, Action<ISiloBuilder>? also, ManualTimeProvider? time)
    {
        time ??= new ManualTimeProvider(TimeProvider.System.GetUtcNow());
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.Options.ServiceId = serviceId;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(time));
            silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
            leases(silo);
            also?.Invoke(silo);
        });
        builder.ConfigureClient(client => client.AddLeases());
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new(cluster, time);
    }
}

/// <summary>Bounded waiting.</summary>
internal static class Calls
{
    // Only a defect lets a test wait this long.
    public static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Waits for an event that is on its way.</summary>
    public static async Task UntilAsync(Func<Task<bool>> happened)
    {
        using var timeout = new CancellationTokenSource(WaitTimeout);
        while (!await happened()) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, timeout.Token);
    }
}

/// <summary>Requests to start from.</summary>
internal static class Requests
{
    public static readonly TimeSpan Ttl = TimeSpan.FromSeconds(30);

    public static AcquireRequest Acquire(string resource, string owner, string? requestId = null) =>
        new() { Resource = resource, Owner = owner, Ttl = Ttl, RequestId = requestId };

    public static RenewRequest Renew(LeaseGrant grant) => new() { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token };

    public static ReleaseRequest Release(LeaseGrant grant) => new() { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token };

    public static PutKeyRequest Put(string value, LeaseGrant? lease = null, string? requestId = null) => new()
    {
        Value = value,
        Lease = lease is null ? null : new KeyLease { Resource = lease.Resource, Owner = lease.Owner, Token = lease.Token },
        RequestId = requestId,
    };
}

/// <summary>Reading watches.</summary>
internal static class Watching
{
    public static async Task<IAsyncEnumerator<WatchEvent>> StartAsync(ILeaseService leases, WatchRequest request) =>
        (await leases.WatchAsync(request)).Value.GetAsyncEnumerator();

    public static async Task<WatchEvent> NextAsync(IAsyncEnumerator<WatchEvent> events)
    {
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Calls.WaitTimeout), "The watch ended.");
        return events.Current;
    }
}
