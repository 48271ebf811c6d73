using System.CommandLine;

namespace OrleansLeases.Cli.Commands;

/// <summary>Options that every verb understands.</summary>
internal static class GlobalOptions
{
    public static readonly Option<string[]> Server = new("--server")
    {
        Description = "The lease server; several of one service, separated by commas or by repeating it, are asked in turn "
            + "until one answers. "
            + "[default: LEASES_SERVER, or that of the context, or http://127.0.0.1:7400]",
        HelpName = "URL",
        Recursive = true,
    };

    public static readonly Option<string?> Context = new("--context")
    {
        Description = "The lease server by the name that `leases context` gave it, with its credential. "
            + "[default: LEASES_CONTEXT, or the one in use]",
        HelpName = "CONTEXT",
        Recursive = true,
    };

    public static readonly Option<TimeSpan?> Timeout = ForAll(
        Inputs.Duration("--timeout", "How long an answer may take, beyond --wait. [default: 10s]", TimeSpan.FromMilliseconds(1)));

    /// <summary>
    /// For the help alone: it is taken out of the command line before that is parsed, since verbs have a <c>--token</c> of their own.
    /// </summary>
    public static readonly Option<string?> Credential = new("--token")
    {
        Description = "Who asks: an API key or a JWT. Others on this machine can read a command line; better say it with "
            + "LEASES_TOKEN_FILE, which names a file, or LEASES_TOKEN.",
        HelpName = "CREDENTIAL",
    };

    public static readonly Option<string?> Authority = new("--cacert")
    {
        Description = "Trust servers whose certificates are of this authority, as PEM, and no others. "
            + "[default: LEASES_CACERT, or what the system trusts]",
        HelpName = "FILE",
        Recursive = true,
    };

    public static readonly Option<string?> ClientCertificate = new("--client-cert")
    {
        Description = "Who asks, to https servers that take certificates: one as PEM, with those between it and its root. "
            + "[default: LEASES_CLIENT_CERT]",
        HelpName = "FILE",
        Recursive = true,
    };

    public static readonly Option<string?> ClientKey = new("--client-key")
    {
        Description = "The private key of --client-cert, as PEM, where it is not in that file. [default: LEASES_CLIENT_KEY]",
        HelpName = "FILE",
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Print the answer as the server's JSON, refusals too.",
        Recursive = true,
    };

    private static Option<T> ForAll<T>(Option<T> option)
    {
        option.Recursive = true;
        return option;
    }
}
