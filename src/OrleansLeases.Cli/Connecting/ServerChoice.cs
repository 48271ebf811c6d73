using System.CommandLine;
using OrleansLeases.Cli.Commands;

namespace OrleansLeases.Cli.Connecting;

/// <summary>Which server a command line is for: the one it names, else the environment's, else the user's current one.</summary>
/// <param name="Origin">What said so; empty for the default.</param>
/// <param name="Servers">The addresses.</param>
/// <param name="Named">The options that say it again, for commands to paste.</param>
/// <param name="Context">The context, where it is one's.</param>
internal sealed record ServerChoice(string Origin, string[] Servers, string[] Named, NamedServer? Context)
{
    private const string ServerVariable = "LEASES_SERVER";
    private const string ContextVariable = "LEASES_CONTEXT";

    /// <exception cref="UsageException">There is no such context.</exception>
    public static ServerChoice Of(ParseResult parsed)
    {
        var context = parsed.GetValue(GlobalOptions.Context);
        if (parsed.GetValue(GlobalOptions.Server) is { Length: > 0 } servers)
        {
            return context is null
                ? new("--server", Split(servers), ["--server", string.Join(',', Split(servers))], null)
                : throw new UsageException("--context names a server already; leave out it or --server.");
        }

        if (context is not null) return Of(ContextFile.Read(), context, ["--context", context]);
        if (Variable(ServerVariable) is { } address) return new(ServerVariable, Split(address), [], null);
        var file = ContextFile.Read();
        return (Variable(ContextVariable) ?? file.Current) is { } current
            ? Of(file, current, [])
            : new("", [ServerConnection.DefaultAddress], [], null);
    }

    private static ServerChoice Of(ContextFile file, string name, string[] named)
    {
        var context = file.Find(name);
        return new($"the context '{name}'", Split(context.Server), named, context);
    }

    private static string[] Split(params string[] texts) => [.. texts.SelectMany(text => text.Split(',', StringSplitOptions.TrimEntries))];

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
