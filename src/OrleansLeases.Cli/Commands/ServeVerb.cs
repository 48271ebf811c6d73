using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;
using OrleansLeases.Cli.Serving;
using OrleansLeases.Gateway.Hosting;

namespace OrleansLeases.Cli.Commands;

internal sealed class ServeVerb : Verb
{
    private readonly Option<string> _data = Inputs.DataFolder();
    private readonly Option<bool> _memory = new("--memory") { Description = "Keep the leases in memory: nothing survives a restart." };
    private readonly Option<string> _urls = new("--urls")
    {
        Description = "The addresses to listen on, separated by semicolons.",
        HelpName = "URL",
        DefaultValueFactory = _ => ServerConnection.DefaultAddress,
    };

    private readonly Option<string> _allowedHosts = new("--allowed-hosts")
    {
        Description = "The names, separated by semicolons, under which others call the server, such as "
            + "leases.example.org or *.example.org. "
            + "It takes localhost and its own addresses anyway; one that others reach takes every name unless some are given.",
        HelpName = "NAMES",
        DefaultValueFactory = _ => "",
    };

    private readonly Option<string?> _access = new("--access")
    {
        Description = "Want a credential of every caller: the file with the rules of who may do what. It is read again when it changes.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _cert = new("--cert")
    {
        Description = "The certificate of https addresses, as PEM; read again when it changes. It goes with --key.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _key = new("--key") { Description = "The private key of --cert, as PEM.", HelpName = "FILE" };

    private readonly Option<string?> _audit = new("--audit")
    {
        Description = "Record each change, and each refusal for lack of rights, in this file: JSON lines, read by `leases audit`.",
        HelpName = "FILE",
    };

    private readonly Option<string> _bounds = new("--bounds")
    {
        Description = "How much it takes at once, separated by semicolons; what comes beyond is refused. What is left out is found by the "
            + "memory that it may use, and by the limit of open files.",
        HelpName = ServerBounds.Form,
        DefaultValueFactory = _ => "",
    };

    private readonly Option<string> _retain = new("--retain")
    {
        Description = "How long a name is kept that is free, unbound and unwatched; other times for names that start so are separated by "
            + "semicolons, and 0 is for ever: 30d;tasks/=1d;locks/=0. Its tokens go on growing when it comes back.",
        HelpName = RetainedNames.Form,
        DefaultValueFactory = _ => RetainedNames.Default,
    };

    private readonly Option<string> _logFormat = new("--log-format")
    {
        Description = "How the log on stderr is written: text, or json for machines; a line for each event.",
        HelpName = "FORMAT",
        DefaultValueFactory = _ => ServerLog.Text,
    };

    private readonly Option<string> _logLevel = new("--log-level")
    {
        Description = "The least level that is logged, such as Information; or by category, such as OrleansLeases=Debug;Microsoft=Error.",
        HelpName = "LEVELS",
        DefaultValueFactory = _ => "",
    };

    private readonly Option<bool> _insecure = new("--insecure")
    {
        Description = "Listen on addresses that others reach, without asking who is calling.",
    };

    public ServeVerb()
        : base(
            "serve", "Run a lease server on this machine.",
            "leases serve", "leases serve --data /var/lib/leases --urls http://127.0.0.1:7401", "leases serve --memory")
    {
        Option[] options =
        [
            _data, _memory, _urls, _allowedHosts, _access, _cert, _key, _audit, _bounds, _retain,
            _logFormat, _logLevel, _insecure,
        ];
        foreach (var option in options)
            Options.Add(option);
        Validators.Add(result =>
        {
            if (result.GetResult(_data) is { Implicit: false } && result.GetResult(_memory) is { Implicit: false })
            {
                result.AddError("Choose one of --data and --memory.");
            }
        });
        Validators.Add(result =>
        {
            if (result.GetResult(_cert) is null != result.GetResult(_key) is null) result.AddError("--cert and --key go together.");
        });
        _urls.Validators.Add(result =>
        {
            if (ListenUrls.ProblemOf("--urls", result.GetValueOrDefault<string>()) is { } problem) result.AddError(problem);
        });
        _logFormat.Validators.Add(result =>
        {
            if (ServerLog.ProblemOf(result.GetValueOrDefault<string>() ?? "") is { } problem) result.AddError($"--log-format {problem}");
        });
        Parses(_logLevel, text => ServerLog.ParseLevels(text));
        Parses(_bounds, text => ServerBounds.Parse(text));
        Parses(_retain, text => RetainedNames.Parse(text));
        SetAction((parsed, _) => LeaseServer.RunAsync(
            new()
            {
                Folder = parsed.GetValue(_memory) ? null : parsed.GetRequiredValue(_data),
                Urls = parsed.GetRequiredValue(_urls),
                AllowedHosts = parsed.GetRequiredValue(_allowedHosts),
                AccessFile = parsed.GetValue(_access),
                CertificateFile = parsed.GetValue(_cert),
                KeyFile = parsed.GetValue(_key),
                AuditFile = parsed.GetValue(_audit),
                Bounds = ServerBounds.Parse(parsed.GetRequiredValue(_bounds)),
                Retained = RetainedNames.Parse(parsed.GetRequiredValue(_retain)),
                Log = new()
                {
                    Format = parsed.GetRequiredValue(_logFormat), Levels = ServerLog.ParseLevels(parsed.GetRequiredValue(_logLevel)),
                },
                IsInsecure = parsed.GetValue(_insecure),
            },
            parsed.InvocationConfiguration.Output, Output.Of(parsed).Note));
    }

    private static void Parses(Option<string> option, Action<string> parse) => option.Validators.Add(result =>
    {
        try
        {
            parse(result.GetValueOrDefault<string>() ?? "");
        }
        catch (FormatException e)
        {
            result.AddError($"{option.Name} {e.Message}");
        }
    });
}
