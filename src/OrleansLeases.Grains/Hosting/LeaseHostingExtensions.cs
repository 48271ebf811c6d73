using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.LeaseProviders;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansLeases.Client;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>Adds leases to an Orleans application.</summary>
/// <remarks>
/// The <see cref="LeaseClient"/> is for handles that renew by themselves and for recipes, in grains too. It uses the
/// <see cref="LeaseClientOptions"/> among the services, if there are any. A client that was added before is not replaced. What its handles
/// still hold when the silo or the client of the cluster stops is lost and released: in a silo once its grains are deactivated.
/// </remarks>
public static class LeaseHostingExtensions
{
    private const string Invariant = "Npgsql";

    /// <summary>
    /// Adds lease grains to a silo, with an <see cref="ILeaseService"/> and a <see cref="LeaseClient"/> among its services, and leases
    /// in the memory of its process: for development and tests. Silos of one <c>ClusterId</c> in one process share them; beside a
    /// silo of another process it refuses to start.
    /// </summary>
    /// <param name="silo">The silo.</param>
    /// <param name="configure">Sets the options; the defaults where left out.</param>
    /// <returns>The same silo.</returns>
    /// <remarks>Reminders in memory are added where the silo has none yet: call it after what adds others.</remarks>
    /// <exception cref="ArgumentNullException"><paramref name="silo"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The silo has leases already.</exception>
    public static ISiloBuilder AddLeases(this ISiloBuilder silo, Action<LeaseSiloOptions>? configure = null)
    {
        AddGrains(silo, configure);
        silo.Services.AddSingleton<SharedMemorySilos>();
        silo.Services.AddSingleton(services => new LeaseStorage(services.GetRequiredService<SharedMemorySilos>().Storage));
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(services => services.GetRequiredService<SharedMemorySilos>());
        return HasReminders(silo) ? silo : silo.UseInMemoryReminderService();
    }

    /// <summary>
    /// Adds lease grains to a silo, with an <see cref="ILeaseService"/> and a <see cref="LeaseClient"/> among its services, and leases
    /// durable on PostgreSQL, in a database that has the schema of leases (<see cref="LeaseSchema"/>).
    /// </summary>
    /// <param name="silo">The silo.</param>
    /// <param name="connectionString">
    /// The database. Statements are prepared by themselves, connections are not reset between uses and a command may take 5 s,
    /// unless the string says otherwise (<c>Max Auto Prepare</c>, <c>No Reset On Close</c>, <c>Command Timeout</c>).
    /// </param>
    /// <param name="configure">Sets the options; the defaults where left out. The same on every silo.</param>
    /// <returns>The same silo.</returns>
    /// <remarks>Reminders on the same database are added where the silo has none yet: call it after what adds others.</remarks>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The silo has leases already.</exception>
    /// <exception cref="OrleansConfigurationException">The string is none of Npgsql's.</exception>
    public static ISiloBuilder AddLeases(this ISiloBuilder silo, string connectionString, Action<LeaseSiloOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(connectionString);
        var connection = new LeaseConnectionString(connectionString);
        AddGrains(silo, configure);
        silo.Services.AddSingleton(_ => LeaseDatabase.Of(connection));
        AddPostgresStore(
            silo.Services, services => new AdoNetRows(services.GetRequiredKeyedService<IGrainStorage>(AdoNetRows.ProviderName)));
        AddAdoNetProvider(silo.Services, connection);
        return HasReminders(silo) ? silo : silo.UseAdoNetReminderService(reminders =>
        {
            reminders.Invariant = Invariant;
            reminders.ConnectionString = connection.Value;
        });
    }

    /// <summary>
    /// Adds lease grains to a silo, with an <see cref="ILeaseService"/> and a <see cref="LeaseClient"/> among its services, and leases
    /// durable on PostgreSQL through a data source of the application's: for passwords that change, access tokens, or a data source that is
    /// already among the services.
    /// </summary>
    /// <param name="silo">The silo.</param>
    /// <param name="dataSource">
    /// Finds the data source, such as <c>services => services.GetRequiredService&lt;NpgsqlDataSource&gt;()</c>; it stays the
    /// application's. Its connection string has to have <c>Cancellation Timeout=-1</c>, and had better have what the overload with a
    /// connection string sets by itself: <c>Max Auto Prepare=20;No Reset On Close=true;Command Timeout=5</c>.
    /// </param>
    /// <param name="configure">Sets the options; the defaults where left out. The same on every silo.</param>
    /// <returns>The same silo.</returns>
    /// <remarks>
    /// Reminders on the same data source are added where the silo has none yet: call it after what adds others. Orleans'
    /// clustering on ADO.NET takes nothing but a connection string; its <c>Passfile</c> names a file with the password, which is read
    /// for every new connection.
    /// </remarks>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The silo has leases already.</exception>
    public static ISiloBuilder AddLeases(
        this ISiloBuilder silo, Func<IServiceProvider, NpgsqlDataSource> dataSource, Action<LeaseSiloOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        AddGrains(silo, configure);
        silo.Services.AddSingleton(services => LeaseDatabase.Of(dataSource(services)));
        AddPostgresStore(silo.Services, _ => throw new OrleansConfigurationException(
            $"{nameof(LeaseSiloOptions)}.{nameof(LeaseSiloOptions.Storage)} is {nameof(PostgresStorage.AdoNet)}, and Orleans' ADO.NET "
            + "provider takes no data source; call AddLeases with a connection string instead."));
        if (HasReminders(silo)) return silo;
        silo.Services.AddSingleton<IReminderTable, DataSourceReminderTable>();
        return silo.AddReminders();
    }

    /// <summary>
    /// Adds lease grains to a silo, with an <see cref="ILeaseService"/> and a <see cref="LeaseClient"/> among its services, and leases
    /// on a store of the application's, which all silos of the cluster share.
    /// </summary>
    /// <param name="silo">The silo.</param>
    /// <param name="store">
    /// Finds the store, such as <c>services => services.GetRequiredService&lt;MyStore&gt;()</c>. The silo starts it; the
    /// application disposes of it, as the services do with their singletons.
    /// </param>
    /// <param name="configure">Sets the options; the defaults where left out. The same on every silo.</param>
    /// <returns>The same silo.</returns>
    /// <remarks>Reminders in memory are added where the silo has none yet: call it after what adds others.</remarks>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The silo has leases already.</exception>
    public static ISiloBuilder AddLeases(
        this ISiloBuilder silo, Func<IServiceProvider, IRecordStore> store, Action<LeaseSiloOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        AddGrains(silo, configure);
        silo.Services.AddSingleton(services => new LeaseStorage(store(services)));
        return HasReminders(silo) ? silo : silo.UseInMemoryReminderService();
    }

    /// <summary>
    /// Adds an <see cref="ILeaseService"/> and a <see cref="LeaseClient"/> to a client of a cluster whose silos have leases.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <returns>The same client.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="client"/> is null.</exception>
    public static IClientBuilder AddLeases(this IClientBuilder client)
    {
        ArgumentNullException.ThrowIfNull(client);
        AddService(client.Services, static _ => null);
        client.Services.AddSingleton<ILifecycleParticipant<IClusterClientLifecycle>>(
            services => services.GetRequiredService<LeaseClientEnd>());
        return client;
    }

    /// <summary>
    /// Balances the queues of persistent streams by the silo's leases, where the provider uses a lease-based balancer
    /// (<c>UseLeaseBasedQueueBalancer</c> of the stream provider). Needs one of the <c>AddLeases</c>.
    /// </summary>
    /// <param name="silo">The silo.</param>
    /// <param name="streamProvider">The stream provider of the queues; null for all that have no other lease provider.</param>
    /// <returns>The same silo.</returns>
    /// <remarks>
    /// A queue's lease is that of <c>stream-queues/{category}/{queue}</c>, its owner the address of the silo that reads the queue.
    /// A silo that stops releases its queues; those of one that crashed are free once their leases have run out. The balancer
    /// does not compare a lease with the clock: a silo that could not renew reads its queues until a renewal is refused.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="silo"/> is null.</exception>
    public static ISiloBuilder UseLeasesForStreamQueues(this ISiloBuilder silo, string? streamProvider = null) =>
        UseForStreamQueues(silo, streamProvider, static services => services.GetRequiredService<StreamQueueLeases>());

    /// <summary>
    /// As <see cref="UseLeasesForStreamQueues(ISiloBuilder, string?)"/>, beside the provider that queues were leased by before: a silo
    /// reads a queue while both have granted it. For the time in which one silo after the other is replaced, so that none reads a queue
    /// that another one reads.
    /// </summary>
    /// <param name="silo">The silo.</param>
    /// <param name="streamProvider">The stream provider of the queues; null for all that have no other lease provider.</param>
    /// <param name="former">
    /// Finds the provider of before, such as <c>services => services.GetRequiredService&lt;MyProvider&gt;()</c>.
    /// </param>
    /// <returns>The same silo.</returns>
    /// <remarks>
    /// First every silo has this; only then one after the other has
    /// <see cref="UseLeasesForStreamQueues(ISiloBuilder, string?)"/>. A silo with the former provider alone must never run beside one with
    /// these leases alone.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="silo"/> or <paramref name="former"/> is null.</exception>
    public static ISiloBuilder UseLeasesForStreamQueues(
        this ISiloBuilder silo, string? streamProvider, Func<IServiceProvider, ILeaseProvider> former)
    {
        ArgumentNullException.ThrowIfNull(former);
        return UseForStreamQueues(
            silo, streamProvider, services => new BothQueueLeases(former(services), services.GetRequiredService<StreamQueueLeases>()));
    }

    private static ISiloBuilder UseForStreamQueues(
        ISiloBuilder silo, string? streamProvider, Func<IServiceProvider, ILeaseProvider> provider)
    {
        ArgumentNullException.ThrowIfNull(silo);
        // One for all providers: it keeps the request ids whose outcome is unknown.
        silo.Services.TryAddSingleton(QueueLeases);
        if (streamProvider is null) silo.Services.AddSingleton(provider);
        else silo.Services.AddKeyedSingleton(streamProvider, (services, _) => provider(services));
        return silo;
    }

    private static StreamQueueLeases QueueLeases(IServiceProvider services)
    {
        if (services.GetService<LeaseSilo>() is null)
            throw new OrleansConfigurationException(
                "The queues of streams are to be leased by the silo's leases, but the silo has none; call AddLeases on it as well.");
        return new(
            services.GetRequiredService<ILeaseService>(),
            services.GetRequiredService<IOptions<LeaseSiloOptions>>().Value.Limits,
            services.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToString(),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<StreamQueueLeases>>());
    }

    private static void AddGrains(ISiloBuilder silo, Action<LeaseSiloOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(silo);
        if (silo.Services.Any(service => service.ServiceType == typeof(LeaseSilo)))
            throw new InvalidOperationException("This silo has leases already; call AddLeases once.");
        var options = silo.Services.AddOptions<LeaseSiloOptions>();
        if (configure is not null) options.Configure(configure);
        silo.Services.AddTransient<IConfigurationValidator, LeaseSiloOptionsValidator>();
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.AddSingleton<LeaseClock>();
        silo.Services.AddSingleton<GrainKeepers>();
        silo.Services.AddSingleton(services => new KeyCleaner(services.GetRequiredService<GrainKeepers>(), GrainKeepers.RealTime));
        silo.Services.AddSingleton(
            services => new ServiceLog(services.GetRequiredService<ILogger<LeaseSilo>>(), services.GetRequiredService<TimeProvider>()));
        silo.Services.AddSingleton(services => new StoreMetrics(services.GetRequiredService<ServiceMeter>().Meter, TimeProvider.System)
        {
            Slow = services.GetRequiredService<ServiceLog>().Slow,
        });
        silo.Services.AddSingleton(services => new KeeperMetrics(
            services.GetRequiredService<ServiceMeter>().Meter, services.GetRequiredService<StoreMetrics>()));
        silo.Services.AddSingleton<LeaseSilo>();
        silo.Services.AddSingleton<IServiceRecords>(
            services => new ServiceRecords(services.GetRequiredService<LeaseSilo>().Store));
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(services => services.GetRequiredService<LeaseSilo>());
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(services => services.GetRequiredService<LeaseClientEnd>());
        silo.Services.AddSingleton<LastSiloFallback>();
        var registered = silo.Services;
        silo.Services.AddSingleton(services => new PortGuard(services, registered));
        silo.Services.AddSingleton<IConfigurationValidator>(services => services.GetRequiredService<PortGuard>());
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(services => services.GetRequiredService<PortGuard>());
        silo.Services.AddSingleton<IActivationWorkingSetObserver, DeactivationDrainer>();
        silo.AddPlacementDirector<SiloAddressPlacement, SiloAddressPlacementDirector>();
        silo.Services.AddHostedService<SweeperStarter>();
        silo.Services.AddHostedService<StorageHealthWatchdog>();
        AddService(silo.Services, static services => services.GetRequiredService<IOptions<LeaseSiloOptions>>().Value.Limits);
    }

    private static void AddService(IServiceCollection services, Func<IServiceProvider, LeaseLimits?> limits)
    {
        services.TryAddSingleton<FailureLog>();
        services.TryAddSingleton<ServiceMeter>();
        services.TryAddSingleton(provider => new WatchMetrics(provider.GetRequiredService<ServiceMeter>().Meter));
        services.TryAddSingleton(provider => new OperationMetrics(provider.GetRequiredService<ServiceMeter>().Meter));
        services.TryAddSingleton(provider => new GrainHost(
            provider.GetRequiredService<IGrainFactory>(), provider.GetRequiredService<FailureLog>(),
            provider.GetService<LastSiloFallback>(), provider.GetRequiredService<WatchMetrics>()));
        services.TryAddSingleton<ILeaseService>(
            provider => new ServiceFront(provider.GetRequiredService<GrainHost>(), limits(provider), GrainKeepers.RealTime)
            {
                Metrics = provider.GetRequiredService<OperationMetrics>(),
            });
        services.TryAddSingleton<LeaseClientEnd>();
        services.TryAddSingleton(provider => provider.GetRequiredService<LeaseClientEnd>().Of(new LeaseClient(
            provider.GetRequiredService<ILeaseService>(),
            OptionsOf(provider),
            provider.GetService<TimeProvider>(),
            provider.GetService<ILogger<LeaseClient>>())));
    }

    private static LeaseClientOptions OptionsOf(IServiceProvider provider)
    {
        var options = provider.GetService<LeaseClientOptions>() ?? new();
        return options.MeterFactory is null ? options with { MeterFactory = provider.GetService<IMeterFactory>() } : options;
    }

    private static void AddPostgresStore(IServiceCollection services, Func<IServiceProvider, IRecordRows> adoNet)
    {
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<LeaseSiloOptions>>().Value.Storage switch
        {
            PostgresStorage.AdoNet => adoNet(provider),
            _ => new BatchedRows(
                provider.GetRequiredService<LeaseDatabase>().Source,
                provider.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId,
                provider.GetRequiredService<StoreMetrics>()),
        });
        services.AddSingleton<PostgresRecordStore>();
        services.AddSingleton(provider =>
        {
            var store = provider.GetRequiredService<PostgresRecordStore>();
            return new LeaseStorage(store) { ClockOffset = () => store.ClockOffset };
        });
    }

    // Orleans' own method would have it start where it is not used, too.
    private static void AddAdoNetProvider(IServiceCollection services, LeaseConnectionString connection)
    {
        services.AddOptions<AdoNetGrainStorageOptions>(AdoNetRows.ProviderName).Configure(storage =>
        {
            storage.Invariant = Invariant;
            storage.ConnectionString = connection.Value;
            storage.GrainStorageSerializer = new RecordLines.Serializer();
        });
        services.AddKeyedSingleton<IGrainStorage>(
            AdoNetRows.ProviderName, (provider, _) => AdoNetGrainStorageFactory.Create(provider, AdoNetRows.ProviderName));
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => new AdoNetProviderStart(
            provider, isUsed: provider.GetRequiredService<IOptions<LeaseSiloOptions>>().Value.Storage == PostgresStorage.AdoNet));
    }

    private static bool HasReminders(ISiloBuilder silo) => silo.Services.Any(service => service.ServiceType == typeof(IReminderTable));
}
