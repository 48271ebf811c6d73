using System.Net.Sockets;
using OrleansLeases.Cli.Commands;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway;
using OrleansLeases.Gateway.Audit;
using OrleansLeases.Gateway.Hosting;
using OrleansLeases.Gateway.OpenApi;

namespace OrleansLeases.Cli.Serving;

/// <summary><c>leases serve</c>: the gateway over the embedded engine, in this process.</summary>
internal static class LeaseServer
{
    // For the store and its listings, and for what .NET opens when it is first needed.
    private const int DescriptorsInReserve = 96;

    // Together less than the 10 s after which docker stop kills a container.
    private static readonly TimeSpan ConnectionsLimit = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(8);

    /// <summary>Serves until the process receives SIGTERM or SIGINT.</summary>
    /// <param name="settings">How.</param>
    /// <param name="results">Receives the addresses, once the server listens on them.</param>
    /// <param name="note">Receives what went wrong.</param>
    public static async Task<int> RunAsync(ServeSettings settings, TextWriter results, Action<string> note)
    {
        var folder = settings.Folder;
        OutOfMemory.EndsTheProcess();
        using var loggers = LoggerFactory.Create(logging => settings.Log.Apply(logging));
        EmbeddedLeases leases;
        try
        {
            var options = new EmbeddedLeaseOptions
            {
                Logger = loggers.CreateLogger<EmbeddedLeases>(),
                Retain = settings.Retained.Usual,
                RetainByPrefix = settings.Retained.ByPrefix,
            };
            leases = folder is null ? EmbeddedLeases.InMemory(options) : await EmbeddedLeases.OpenAsync(folder, options);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            note(
                e is DataFolderInUseException
                    ? $"{e.Message} (--data)"
                    : $"The leases in '{folder}' cannot be opened: {e.Message} Name another folder with --data, or use --memory.");
            return ExitCode.Failed;
        }

        await using (leases)
        {
            await using var app = Build(leases, settings);
            try
            {
                await app.StartAsync();
            }
            catch (Exception e) when (e is IOException or SocketException or FormatException or InvalidOperationException
                or AggregateException)
            {
                note(
                    ServingCertificate.ListenFault(
                        settings.Urls, e, "Choose another address with --urls, such as --urls http://127.0.0.1:7401."));
                return ExitCode.Failed;
            }

            ServeBanner.Print(app.Urls, settings, app.Services.Bounds(), results, note);
            await StartLog.LogAsync(
                app.Services, app.Urls, folder is null ? "memory" : Path.GetFullPath(folder), settings.AccessFile is not null);
            await app.WaitForShutdownAsync();
        }

        return ExitCode.Done;
    }

    private static WebApplication Build(EmbeddedLeases leases, ServeSettings settings)
    {
        // The working directory is the caller's: an appsettings.json there is somebody else's.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseUrls(ListenUrls.Split(settings.Urls)).UseKestrelHttpsConfiguration().ConfigureKestrel(
            kestrel => kestrel.AddServerHeader = false)
            .BoundConnections(settings.Bounds.Connections, DescriptorsInReserve);
        var isAsked = settings.AccessFile is not null || settings.IsInsecure;
        builder.WebHost.ConfigureKestrel((context, _) => ListenUrls.Check(context.Configuration, settings.Urls, isAsked));
        var certificate = ServingCertificate.Of(settings.CertificateFile, settings.KeyFile, settings.Urls, "--urls");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.UseHttps(certificate));
        settings.Log.Apply(builder.Logging);
        builder.Services.BoundStop(ConnectionsLimit).Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownLimit);
        builder.Services.AddExporting("leases");
        builder.Services.AddSingleton<ILeaseService>(leases).AddSingleton(leases.ServiceRecords);
        builder.Services.AddLeaseGateway(gateway =>
        {
            foreach (var name in ListenUrls.Split(settings.AllowedHosts)) gateway.AllowedHosts.Add(name);
            settings.Bounds.Apply(gateway);
        });
        // A developer says so by ASP.NET Core's own environment, as for any other server.
        if (builder.Environment.IsDevelopment()) builder.Services.AddSingleton<IApiPage, ScalarPage>();
        if (settings.AccessFile is { } access) builder.Services.AddLeaseAccess(access).AddLeaseJwtBearer();
        if (settings.AuditFile is { } file) builder.Services.AddLeaseAudit(audit => audit.File = file);
        WebApplication app;
        try
        {
            app = builder.Build();
            app.MapLeaseServer();
        }
        catch (OpenToOthersException e)
        {
            throw new UsageException(e.Message);
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"{e.Message} (--allowed-hosts)");
        }
        catch (AuditFileException e)
        {
            throw new UsageException($"{e.Message} (--audit)");
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{e.Message} (--access)");
        }

        return app;
    }
}
