using System.Net;
using System.Net.Sockets;
using Npgsql;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using OrleansLeases.Gateway;
using OrleansLeases.Gateway.Hosting;
using OrleansLeases.Grains;

namespace OrleansLeases.Silo;

/// <summary>Runs a silo with the HTTP gateway in it, or the gateway alone.</summary>
internal static class SiloHost
{
    private const string Invariant = "Npgsql";
    // For connections to other silos and from clients of the cluster, and for what .NET opens when it is first needed.
    private const int OwnDescriptors = 160;

    // After it the silo itself has still to leave the cluster.
    private static readonly TimeSpan ConnectionsLimit = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan MaxJoinTime = TimeSpan.FromMinutes(2);

    /// <summary>Serves until the process receives SIGTERM or SIGINT.</summary>
    public static async Task<int> RunAsync(SiloSettings settings, CancellationToken cancellationToken)
    {
        OutOfMemory.EndsTheProcess();
        if (settings is { Mode: SiloMode.Silo, Postgres.ConnectionString: not null, Cluster.AdvertisedAddress: null })
        {
            OwnAddress.Check(OwnAddress.All());
        }

        // Asked here as well as by the silo: clustering reads the database before anything could say what is missing.
        if (settings.Postgres.ConnectionString is { } database) await LeaseSchema.EpochAsync(database, cancellationToken);

        // The silo looks after its own ports. Kestrel takes these last, when the cluster has let the silo in already.
        foreach (var (url, endpoint) in HttpEndpoints.Of(settings.Urls))
            if (PortGuard.IsTaken(endpoint))
            {
                throw new SettingsException(
                    $"Urls has '{url}', and a process on this machine listens there already: another one, or this very silo, started a "
                        + $"second time. It was not disturbed. Stop it, or give this silo ports of its own.");
            }

        // Before the cluster lets the silo in.
        if (settings is { Access: null, Insecure: false }
            && ListenUrls.Split(settings.Urls).FirstOrDefault(ListenUrls.IsOpenToOthers) is { } open)
            throw new OpenToOthersException(open);

        await using var app = Build(settings);
        await app.StartAsync(cancellationToken);
        Console.WriteLine($"Listening on {string.Join(", ", app.Urls)}");
        Console.WriteLine(settings switch
        {
            { Mode: SiloMode.Gateway } => $"A gateway of cluster '{settings.Cluster.ClusterId}'.",
            { Postgres.ConnectionString: null } => "A silo alone. Leases are kept in memory: nothing survives a restart.",
            _ => $"A silo of cluster '{settings.Cluster.ClusterId}'. Leases are kept in PostgreSQL.",
        });
        Console.WriteLine($"At most {app.Services.Bounds()} are taken at once by the gateway.");
        await StartLog.LogAsync(app.Services, app.Urls, PlaceOf(settings), settings.Access is not null);
        await app.WaitForShutdownAsync(cancellationToken);
        return 0;
    }

    // The name of the database, and not its password.
    private static string PlaceOf(SiloSettings settings) =>
        settings.Postgres.ConnectionString is { } database && new NpgsqlConnectionStringBuilder(database) is var parts
            ? $"PostgreSQL at {parts.Host}:{parts.Port}/{parts.Database}"
            : "memory";

    // Reminders, leases with their listings and sweeps, and membership have a pool of connections to the database each.
    private static int DescriptorsInReserve(SiloSettings settings) => OwnDescriptors
        + (settings.Postgres.ConnectionString is { } database ? 3 * new NpgsqlConnectionStringBuilder(database).MaxPoolSize : 0);

    private static WebApplication Build(SiloSettings settings)
    {
        // The working directory is the caller's: an appsettings.json there is somebody else's.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseUrls(ListenUrls.Split(settings.Urls)).UseKestrelHttpsConfiguration().ConfigureKestrel(
            kestrel => kestrel.AddServerHeader = false)
            .BoundConnections(settings.Bounds.Connections, DescriptorsInReserve(settings));
        var mayBeReached = settings is { Access: not null } or { Insecure: true };
        builder.WebHost.ConfigureKestrel((context, _) => ListenUrls.Check(context.Configuration, settings.Urls, mayBeReached));
        var certificate = settings.Https is { Certificate: { } certificateFile, Key: { } keyFile }
            ? new ServerCertificate(certificateFile, keyFile, TimeProvider.System) : null;
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.UseHttps(certificate));
        // At most starts it takes the time before its first check for a stall.
        settings.Log.ToServerLog().Apply(builder.Logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error));
        builder.Services.BoundStop(ConnectionsLimit).Configure<HostOptions>(host => host.ShutdownTimeout = settings.ShutdownTimeout);
        if (settings.Mode == SiloMode.Gateway)
            builder.UseOrleansClient(client => Configure(client, settings));
        else
            builder.UseOrleans(silo => Configure(silo, settings));
        builder.Services.AddLeaseGateway(gateway =>
        {
            foreach (var name in ListenUrls.Split(settings.AllowedHosts)) gateway.AllowedHosts.Add(name);
            settings.Bounds.Apply(gateway);
        });
        if (settings.Access is { } access) builder.Services.AddLeaseAccess(access).AddLeaseJwtBearer();
        if (settings.Audit.File is { } file) builder.Services.AddLeaseAudit(audit => audit.File = file);
        builder.Services.AddExporting("leases-silo");
        LameDuck.Add(builder.Services);
        var app = builder.Build();
        LameDuck.Use(app);
        app.MapLeaseServer();
        return app;
    }

    private static void Configure(ISiloBuilder silo, SiloSettings settings)
    {
        var cluster = settings.Cluster;
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = cluster.ProbeTimeout;
            // Else Orleans spares a silo that fell silent four times as long as the probes say.
            options.MaxProbeTimeout = cluster.ProbeTimeout;
            options.NumMissedProbesLimit = cluster.MissedProbes;
            // A silo that was stopped and given up meanwhile learns of it from the table; Orleans looks there once a minute.
            options.TableRefreshTimeout = cluster.MissedProbes * cluster.ProbeTimeout;
            options.NumVotesForDeathDeclaration = cluster.VotesForDeath;
        });
        if (cluster.Tls.IsOn) silo.UseMutualTls(tls => CopyTls(cluster.Tls, tls));
        if (settings.Postgres.ConnectionString is { } database)
        {
            silo.UseAdoNetClustering(
                clustering => (clustering.Invariant, clustering.ConnectionString) = (Invariant, new LeaseConnectionString(database).Value));
            silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId));
            // After all silos were killed at once, those that start wait for the dead to be given up.
            silo.Configure<ClusterMembershipOptions>(options => options.MaxJoinAttemptTime = MaxJoinTime);
            if (cluster.AdvertisedAddress is { } address)
                silo.ConfigureEndpoints(
                    IPAddress.Parse(address), cluster.SiloPort, cluster.GatewayPort,
                    listenOnAnyHostAddress: !IPAddress.IsLoopback(IPAddress.Parse(address)));
            else
                silo.ConfigureEndpoints(cluster.SiloPort, cluster.GatewayPort, listenOnAnyHostAddress: true);
            silo.AddLeases(database, Copy);
        }
        else
        {
            silo.UseLocalhostClustering(cluster.SiloPort, cluster.GatewayPort, serviceId: cluster.ServiceId, clusterId: cluster.ClusterId);
            silo.AddLeases(Copy);
        }

        void Copy(LeaseSiloOptions options)
        {
            var leases = settings.Leases;
            options.Limits = leases.Limits;
            options.RenewalFactor = leases.RenewalFactor;
            options.ClockSkew = leases.ClockSkew;
            options.Storage = leases.Storage;
            options.StorageTimeout = leases.StorageTimeout;
            options.FailoverTime = leases.FailoverTime;
            options.SweeperShards = leases.SweeperShards;
            options.Retain = leases.Retain;
            foreach (var (prefix, retain) in leases.RetainByPrefix) options.RetainByPrefix[prefix] = retain;
        }
    }

    private static void Configure(IClientBuilder client, SiloSettings settings)
    {
        client.UseAdoNetClustering(
            clustering =>
                (clustering.Invariant, clustering.ConnectionString) =
                    (Invariant, new LeaseConnectionString(settings.Postgres.ConnectionString!).Value));
        client.Configure<ClusterOptions>(
            options => (options.ClusterId, options.ServiceId) = (settings.Cluster.ClusterId, settings.Cluster.ServiceId));
        if (settings.Cluster.Tls.IsOn) client.UseMutualTls(tls => CopyTls(settings.Cluster.Tls, tls));
        client.AddLeases();
    }

    private static void CopyTls(ClusterTlsSettings from, MutualTlsOptions to)
    {
        (to.Certificate, to.Key, to.Authority) = (from.Certificate, from.Key, from.Authority);
        to.Section = "Cluster:Tls:";
    }

    /// <summary>Errors that the host prints as a sentence rather than as a stack trace.</summary>
    public static bool IsPlain(Exception error) => error is NpgsqlException or SocketException or IOException
        or OrleansConfigurationException
        or OrleansException or ArgumentException or InvalidOperationException or FormatException or SettingsException or AggregateException
        or InvalidDataException or UnauthorizedAccessException or OpenToOthersException;
}
