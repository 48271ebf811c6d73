using System.CommandLine;
using OrleansLeases.Cli.Commands;
using OrleansLeases.Cli.Printing;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Connecting;

/// <summary>The lease server this command talks to.</summary>
internal sealed class ServerConnection : IDisposable
{
    public const string DefaultAddress = "http://127.0.0.1:7400";

    private readonly HttpClient _http;
    private readonly Uri _address;

    private ServerConnection(Uri address, bool named)
    {
        _address = address;
        NextSteps = new NextSteps(named ? address : null);
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(5),
            AllowAutoRedirect = false,
            UseProxy = !address.IsLoopback,
        })
        {
            BaseAddress = address,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        Service = new HttpLeaseService(_http) { CallTimeout = TimeSpan.FromSeconds(10) };
    }

    public ILeaseService Service { get; }

    public NextSteps NextSteps { get; }

    public static ServerConnection Of(ParseResult parsed)
    {
        var named = parsed.GetValue(GlobalOptions.Server);
        var (text, origin) = named is not null ? (named, "--server")
            : Environment.GetEnvironmentVariable("LEASES_SERVER") is { Length: > 0 } environment ? (environment, "LEASES_SERVER")
            : (DefaultAddress, "");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new UsageException($"{origin} '{text}' is not a server's address; write one such as {DefaultAddress}.");
        return new(address, named is not null);
    }

    /// <summary>What to try where the server could not be asked.</summary>
    public string? Hint(Refusal refusal) => refusal is Refusal.Unavailable
        ? $"Is a server running at {_address}? Start one with `leases serve`, or name another with --server URL or LEASES_SERVER."
        : null;

    public void Dispose() => _http.Dispose();
}
