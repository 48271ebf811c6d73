using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Mcp;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class McpVerb : Verb
{
    private static readonly TimeSpan DefaultIdle = TimeSpan.FromMinutes(2);

    private readonly Option<string?> _owner = Inputs.Owner(
        "What the owner names of agents begin with; each has an end of its own. [default: LEASES_OWNER, or the agent's principal, or "
            + "this machine's name]");

    private readonly Option<TimeSpan?> _ttl = Inputs.Duration("--ttl", "How long a lease lives when its agent is gone. [default: 30s]");
    private readonly Option<string?> _http = new("--http")
    {
        Description = "Serve several agents over HTTP at this address, below /mcp, each with its own credential, instead of the one that "
            + "started this command. Several are separated by semicolons.",
        HelpName = "URL",
    };

    private readonly Option<string> _allowedHosts = new("--allowed-hosts")
    {
        Description = "With --http, the names, separated by semicolons, under which others call it, besides localhost and its own "
            + "addresses.",
        HelpName = "NAMES",
        DefaultValueFactory = _ => "",
    };

    private readonly Option<TimeSpan?> _idle = Inputs.Duration(
        "--idle", "With --http, how long an agent without an open connection keeps its session and its leases. [default: 2m]",
        TimeSpan.FromSeconds(10));

    private readonly Option<string?> _cert = new("--cert")
    {
        Description = "With --http, the certificate of https addresses, as PEM; read again when it changes. It goes with --key.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _key = new("--key") { Description = "The private key of --cert, as PEM.", HelpName = "FILE" };
    private readonly Option<bool> _insecure = new("--insecure")
    {
        Description = "With --http, listen on addresses that others reach, though the lease server asks nobody who is calling. It takes "
            + "--allowed-hosts, against web pages that call it under a name of their own.",
    };

    public McpVerb()
        : base(
            "mcp", "Offer leases to AI agents, by the Model Context Protocol.",
            "leases mcp", "leases mcp --server https://leases.example.org", "leases mcp --http http://127.0.0.1:7410")
    {
        Details =
        [
            "On standard input and output it serves the one agent that started it, with the credential of this command. Its leases are",
            "renewed while it lives, and released when its input ends. Logs go to standard error.",
        ];
        foreach (var option in new Option[] { _owner, _ttl, _http, _allowedHosts, _idle, _cert, _key, _insecure }) Options.Add(option);
        _http.Validators.Add(result =>
        {
            if (ListenUrls.ProblemOf("--http", result.GetValueOrDefault<string>() ?? "") is { } problem) result.AddError(problem);
        });
        Validators.Add(result =>
        {
            if (result.GetResult(_cert) is null != result.GetResult(_key) is null) result.AddError("--cert and --key go together.");
            if (result.GetResult(_http) is not null) return;
            foreach (var option in new Option[] { _allowedHosts, _idle, _cert, _key, _insecure })
                if (result.GetResult(option) is { Implicit: false }) result.AddError($"{option.Name} goes with --http.");
        });
        SetAction((parsed, _) => parsed.GetValue(_http) is null ? ServeOneAsync(parsed) : ServeManyAsync(parsed));
    }

    private async Task<int> ServeOneAsync(ParseResult parsed)
    {
        using var server = ServerConnection.Of(parsed);
        return await StdioServer.RunAsync(server, SettingsOf(parsed));
    }

    private Task<int> ServeManyAsync(ParseResult parsed) => McpHttpServer.RunAsync(
        SettingsOf(parsed), ServerConnection.ForCallers(parsed), parsed.InvocationConfiguration.Output, Output.Of(parsed).Note);

    private McpSettings SettingsOf(ParseResult parsed) => new()
    {
        Owner = parsed.GetValue(_owner) ?? Environment.GetEnvironmentVariable("LEASES_OWNER"),
        Ttl = parsed.GetValue(_ttl) ?? Inputs.DefaultTtl,
        Log = new(),
        Urls = parsed.GetValue(_http),
        AllowedHosts = parsed.GetRequiredValue(_allowedHosts),
        CertificateFile = parsed.GetValue(_cert),
        KeyFile = parsed.GetValue(_key),
        Idle = parsed.GetValue(_idle) ?? DefaultIdle,
        IsInsecure = parsed.GetValue(_insecure),
    };
}
