using System.CommandLine;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization.Metadata;
using OrleansLeases.Cli.Commands;
using OrleansLeases.Cli.Printing;
using OrleansLeases.Client;
using OrleansLeases.Client.Internal;

namespace OrleansLeases.Cli.Connecting;

/// <summary>The lease server this command talks to, or several ways to one service.</summary>
internal sealed class ServerConnection : IDisposable
{
    public const string DefaultAddress = "http://127.0.0.1:7400";

    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ServerTimeout = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http;
    private readonly HttpExchange _exchange;
    private readonly string[] _servers;
    private readonly TimeSpan _timeout;

    private ServerConnection(
        string[] servers, ServerChoice choice, Func<string?> credential, HttpMessageHandler handler, TimeSpan timeout,
        bool isShared = false)
    {
        (_servers, _timeout) = (servers, timeout);
        NextSteps = new NextSteps(choice.Named);
        _http = new HttpClient(new Credential.Handler(credential, handler), disposeHandler: !isShared)
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        Uri[] addresses = [.. servers.Select(server => new Uri(server))];
        Service = new HttpLeaseService(_http, addresses)
        {
            CallTimeout = timeout, WatchConnected = isConnected => WatchConnected?.Invoke(isConnected),
        };
        _exchange = ExchangeWith(addresses);
    }

    public ILeaseService Service { get; }

    /// <summary>The addresses, none twice.</summary>
    public IReadOnlyList<string> Servers => _servers;

    public NextSteps NextSteps { get; }

    /// <summary>Is told when a watch has lost its server (false), and when it goes on (true).</summary>
    public Action<bool>? WatchConnected { get; set; }

    public static ServerConnection Of(ParseResult parsed)
    {
        var (choice, servers) = ChoiceOf(parsed);
        // A file that cannot be read is said so before anything is asked.
        var tokenFile = NamedServer.Resolve(choice.Context?.TokenFile);
        _ = Credential.Current(tokenFile);
        var timeout = parsed.GetValue(GlobalOptions.Timeout) ?? DefaultTimeout;
        var trust = TrustOf(parsed, choice.Context);
        var handler = ClientCertificate.Use(parsed, shown => HandlerFor(trust, shown, timeout));
        return new(servers, choice, () => Credential.Current(tokenFile), handler, timeout);
    }

    /// <summary>
    /// The server for callers of this command, each with a credential of its own. What this command has itself, a key or a certificate, is
    /// not shown on their behalf.
    /// </summary>
    /// <returns>Opens a connection for the caller with a credential, which is asked for with each call.</returns>
    public static Func<Func<string?>, ServerConnection> ForCallers(ParseResult parsed)
    {
        var (choice, servers) = ChoiceOf(parsed);
        var timeout = parsed.GetValue(GlobalOptions.Timeout) ?? DefaultTimeout;
        var handler = HandlerFor(TrustOf(parsed, choice.Context), shown: null, timeout);
        return credential => new(servers, choice, credential, handler, timeout, isShared: true);
    }

    private static (ServerChoice Choice, string[] Servers) ChoiceOf(ParseResult parsed)
    {
        var choice = ServerChoice.Of(parsed);
        var servers = choice.Servers;
        if (servers.Select(server => ServerAddresses.Fault(choice.Origin, server)).FirstOrDefault(fault => fault is not null) is { } fault)
        {
            throw new UsageException(fault);
        }

        // A list joined from two sources may name a server twice; it is used once.
        return (choice, [.. servers.DistinctBy(server => new Server(new(server), Random.Shared).Root)]);
    }

    private static SocketsHttpHandler HandlerFor(X509ChainPolicy? trust, SslStreamCertificateContext? shown, TimeSpan timeout) => new()
    {
        ConnectTimeout = timeout < ConnectTimeout ? timeout : ConnectTimeout,
        AllowAutoRedirect = false,
        Proxy = new ProxyForOthers(HttpClient.DefaultProxy),
        SslOptions = { CertificateChainPolicy = trust, ClientCertificateContext = shown },
    };

    private HttpExchange ExchangeWith(Uri[] addresses) =>
        new(_http, new ServerList(addresses, TimeProvider.System, Random.Shared), TimeProvider.System);

    private static X509ChainPolicy? TrustOf(ParseResult parsed, NamedServer? context)
    {
        const string Variable = "LEASES_CACERT";
        var (origin, named) = parsed.GetValue(GlobalOptions.Authority) is { } given ? ("--cacert", given)
            : context?.Authority is { } chosen ? ("the context", NamedServer.Resolve(chosen))
            : (Variable, Environment.GetEnvironmentVariable(Variable));
        if (named is not { Length: > 0 } file) return null;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(file);
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException(
                $"{origin} names '{file}', which is no certificate as PEM: {error.Message}");
        }

        return policy.CustomTrustStore.Count > 0 ? policy
            : throw new UsageException($"{origin} names '{file}', which has no certificate as PEM.");
    }

    /// <summary>Makes a call that is about no lease. Of one that may have changed something, no other server is asked.</summary>
    public ValueTask<LeaseResult<T>> SendAsync<T>(
        HttpMethod method, string path, byte[]? body, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var isRead = method == HttpMethod.Get;
        var call = new HttpCall<T>(method, path, ReplyShape.Of(type, _ => true))
        {
            // Though an empty one: without any, the connection pool would repeat the request by itself.
            Body = isRead ? null : _ => body ?? [],
            Repeatable = isRead,
        };
        return _exchange.SendAsync(call, new CallLimits(_timeout, ServerTimeout), cancellationToken);
    }

    /// <summary>Asks who the server takes the caller for.</summary>
    public ValueTask<LeaseResult<CallerInfo>> WhoAmIAsync(CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, "v1/whoami", body: null, LeaseJson.Default.CallerInfo, cancellationToken);

    /// <summary>Asks one of the servers, and no other.</summary>
    public ValueTask<LeaseResult<T>> AskAsync<T>(string server, string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class =>
        ExchangeWith([new Uri(server)]).SendAsync(
            new HttpCall<T>(HttpMethod.Get, path, ReplyShape.Of(type, _ => true)), new CallLimits(_timeout, ServerTimeout),
            cancellationToken);

    /// <summary>The remedy where the server could not be reached, or does not know who asks.</summary>
    public string? Hint(Refusal refusal) => refusal is Refusal.Unauthorized
        ? $"Say who you are with {Credential.FileVariable} or {Credential.Variable}; `leases token create` makes a key."
        : refusal is not Refusal.Unavailable ? null
        : _servers is [var only]
            ? $"Is a server running at {only}? Start one with `leases serve`, or name another with --server URL or LEASES_SERVER."
            : $"Is one of the servers running: {string.Join(", ", _servers)}? Name others with --server URL or LEASES_SERVER.";

    public void Dispose() => _http.Dispose();

    /// <summary>No proxy leads to this machine.</summary>
    private sealed class ProxyForOthers(IWebProxy proxy) : IWebProxy
    {
        public ICredentials? Credentials
        {
            get => proxy.Credentials;
            set => proxy.Credentials = value;
        }

        public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : proxy.GetProxy(destination);

        public bool IsBypassed(Uri host) => host.IsLoopback || proxy.IsBypassed(host);
    }
}
