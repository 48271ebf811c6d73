using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Server;
using OrleansLeases.Cli.Commands;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Serving;
using OrleansLeases.Gateway;
using OrleansLeases.Gateway.Hosting;
using OrleansLeases.Gateway.Http;

namespace OrleansLeases.Cli.Mcp;

/// <summary><c>leases mcp --http</c>: a session for each agent, which calls with its own credential.</summary>
internal static class McpHttpServer
{
    private const long MostBody = 1024 * 1024;
    private const int DescriptorsInReserve = 96;
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(8);

    /// <summary>Serves until the process is told to end.</summary>
    /// <param name="settings">How.</param>
    /// <param name="open">Opens a connection to the lease service for a credential.</param>
    /// <param name="results">Receives the addresses, once the server listens on them.</param>
    /// <param name="note">Receives what went wrong.</param>
    public static async Task<int> RunAsync(
        McpSettings settings, Func<Func<string?>, ServerConnection> open, TextWriter results, Action<string> note)
    {
        var isOpen = ListenUrls.Split(settings.Urls!).Any(ListenUrls.IsOpenToOthers);
        if (isOpen && !settings.IsInsecure && await AsksNobodyAsync(open))
        {
            throw new UsageException(
                $"Others reach {settings.Urls}, and the lease server asks nobody who is calling: start that with --access FILE, listen on "
                    + "loopback, or, on a network that you trust, say --insecure.");
        }

        if (isOpen && settings.IsInsecure && settings.AllowedHosts.Length == 0)
        {
            throw new UsageException(
                $"Others reach {settings.Urls} without a credential, and so does any web page that one of them has open, under a name that "
                    + "its author gives this address (DNS rebinding). Say with --allowed-hosts under which names it is called, such as "
                    + "mcp.example.org; localhost and its own addresses are taken anyway.");
        }

        await using var app = Build(settings, open, wantsCredentials: isOpen && !settings.IsInsecure);
        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (e is IOException or SocketException or FormatException or InvalidOperationException or AggregateException)
        {
            note(ServingCertificate.ListenFault(settings.Urls!, e, "Choose another address with --http."));
            return ExitCode.Failed;
        }

        results.WriteLine($"Listening on {string.Join(", ", app.Urls)}");
        results.WriteLine("Agents call with credentials of their own. Ctrl-C stops it.");
        results.Flush();
        if (app.Urls.FirstOrDefault(IsReadByOthers) is { } clear)
            note($"Credentials travel to {clear} unencrypted, for all to read on the way: use https, with --cert and --key.");
        await app.WaitForShutdownAsync();
        return ExitCode.Done;
    }

    private static bool IsReadByOthers(string url) =>
        ListenUrls.IsOpenToOthers(url) && url.StartsWith("http:", StringComparison.OrdinalIgnoreCase);

    private static async Task<bool> AsksNobodyAsync(Func<Func<string?>, ServerConnection> open)
    {
        using var connection = open(() => null);
        return (await connection.WhoAmIAsync(CancellationToken.None)).Refusal is null;
    }

    private static WebApplication Build(McpSettings settings, Func<Func<string?>, ServerConnection> open, bool wantsCredentials)
    {
        // The working directory is the caller's: an appsettings.json there is somebody else's.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseUrls(ListenUrls.Split(settings.Urls!)).UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MostBody;
        }).BoundConnections(ServerBounds.Parse("").Connections, DescriptorsInReserve);
        builder.WebHost.ConfigureKestrel((context, _) => ListenUrls.Check(context.Configuration, settings.Urls!, mayBeReached: true));
        var certificate = ServingCertificate.Of(settings.CertificateFile, settings.KeyFile, settings.Urls!, "--http");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.UseHttps(certificate));
        settings.Log.Apply(builder.Logging);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownLimit);
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = ListenWithKeepAlive);
        builder.Services.AddSingleton(services => new CallerGate(CheckOf(settings, services), open, wantsCredentials, new()));
        builder.Services.AddMcpServer().WithHttpTransport(http => Configure(http, settings, open));
        var app = builder.Build();
        CallerGate gate;
        try
        {
            gate = app.Services.GetRequiredService<CallerGate>();
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"{e.Message} (--allowed-hosts)");
        }

        app.Use(next => context => gate.PassAsync(context, next));
        app.MapMcp("/mcp");
        return app;
    }

    private static CallerCheck CheckOf(McpSettings settings, IServiceProvider services)
    {
        var names = new LeaseGatewayOptions();
        foreach (var name in ListenUrls.Split(settings.AllowedHosts)) names.AllowedHosts.Add(name);
        return new(names, services.GetRequiredService<IServer>());
    }

    private static void Configure(HttpServerTransportOptions http, McpSettings settings, Func<Func<string?>, ServerConnection> open)
    {
        // The agent's leases end with its session. Decision agents-have-sessions.
        http.SessionMode = HttpServerSessionMode.Stateful;
#pragma warning disable MCP9006 // They are of sessions, which the newest revision of the protocol has not.
        http.IdleTimeout = settings.Idle;
        // CallerGate refuses new sessions instead: beyond this count the protocol's library ends the one that is idle for longest, of any
        // caller.
        http.MaxIdleSessionCount = int.MaxValue;
#pragma warning restore MCP9006
        http.ConfigureSessionOptions = (context, options, _) =>
        {
            var credential = CallerGate.CredentialOf(context);
            var connection = open(() => credential.Current);
            var session = new AgentSession(connection, settings);
            var place = context.Features.GetRequiredFeature<SessionRoom.Place>();
            context.Features.Set(new BegunSession(session, credential, connection, place));
            SessionTools.Offer(options, session);
            return Task.CompletedTask;
        };
#pragma warning disable MCPEXP002 // There is no other way to hear of a session's end.
        http.RunSessionHandler = RunAsync;
#pragma warning restore MCPEXP002
    }

    private static async Task RunAsync(HttpContext context, McpServer server, CancellationToken stop)
    {
        var gate = context.RequestServices.GetRequiredService<CallerGate>();
        var stopping = context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var begun = context.Features.GetRequiredFeature<BegunSession>();
        using var place = begun.Place;
        place.IsOfASession = true;
        var id = server.SessionId!;
        gate.Began(id, begun.Credential);
        try
        {
            // Its calls end first: the protocol's server waits for them.
            using var ended = stop.UnsafeRegister(End, begun.Session);
            using var stopped = stopping.UnsafeRegister(End, begun.Session);
            await server.RunAsync(stop);
        }
        finally
        {
            gate.Ended(id);
            await begun.Session.DisposeAsync();
            begun.Connection.Dispose();
        }
    }

    private static void End(object? session) => _ = ((AgentSession)session!).EndAsync();

    // An agent whose machine is gone closes no connection: its session would live for as long as the connection seems to.
    private static Socket ListenWithKeepAlive(EndPoint endpoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        if (endpoint is not IPEndPoint) return socket;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 30);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        return socket;
    }

    private sealed record BegunSession(
        AgentSession Session, AgentCredential Credential, ServerConnection Connection, SessionRoom.Place Place);
}
