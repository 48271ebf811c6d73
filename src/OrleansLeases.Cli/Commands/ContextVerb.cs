using System.CommandLine;
using System.Text.Json;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;
using OrleansLeases.Client.Internal;

namespace OrleansLeases.Cli.Commands;

internal sealed class ContextVerb : Verb
{
    public ContextVerb()
        : base(
            "context", "Give servers names, for --context, and choose the one that is meant where none is named.",
            "leases context set prod --server https://leases.example.org --token-file ~/.config/leases/prod.token",
            "leases context use prod", "leases list --context prod")
    {
        Subcommands.Add(new SetContextVerb());
        Subcommands.Add(new UseContextVerb());
        Subcommands.Add(new ListContextsVerb());
        Subcommands.Add(new RemoveContextVerb());
    }

    private static Argument<string> NameArgument() => new("CONTEXT") { Description = "The name that you give the server." };

    private static void Write(ContextFile file, ParseResult parsed, string outcome)
    {
        file.Write();
        parsed.InvocationConfiguration.Output.WriteLine(outcome);
    }

    private sealed class SetContextVerb : Verb
    {
        public SetContextVerb()
            : base(
                "set", "Name a server, or change what its name means.",
                "leases context set prod --server https://leases.example.org --token-file ~/.config/leases/prod.token")
        {
            var name = NameArgument();
            var tokenFile = new Option<string?>("--token-file")
            {
                Description = "The file that has the credential; it must be yours alone.", HelpName = "FILE",
            };
            Details = ["--server names the server, --cacert the authority to trust. No credential is stored: only where its file is."];
            Arguments.Add(name);
            Options.Add(tokenFile);
            SetAction(parsed =>
            {
                if (parsed.GetValue(GlobalOptions.Server) is not { Length: > 0 } servers)
                    throw new UsageException("Say which server it is with --server URL.");
                var server = string.Join(',', servers);
                if (server.Split(',').Select(text => ServerAddresses.Fault("--server", text)).FirstOrDefault(fault => fault is not null) is
                    { } fault) throw new UsageException(fault);
                var file = ContextFile.Read();
                var named = new NamedServer
                {
                    Server = server, TokenFile = Absolute(parsed.GetValue(tokenFile)), Authority = Absolute(
                        parsed.GetValue(GlobalOptions.Authority)),
                };
                var text = parsed.GetRequiredValue(name);
                Write(
                    file with { Contexts = new SortedDictionary<string, NamedServer>(file.Contexts.ToDictionary()) { [text] = named } },
                    parsed, $"set {TerminalText.Show(text)} in {TerminalText.Show(ContextFile.Path)}");
            });
        }

        private static string? Absolute(string? path) => path is null ? null : Path.GetFullPath(path);
    }

    private sealed class UseContextVerb : Verb
    {
        public UseContextVerb()
            : base("use", "Choose the server that is meant where none is named.", "leases context use prod")
        {
            var name = NameArgument();
            Arguments.Add(name);
            SetAction(parsed =>
            {
                var (file, text) = (ContextFile.Read(), parsed.GetRequiredValue(name));
                _ = file.Find(text);
                Write(file with { Current = text }, parsed, $"using {TerminalText.Show(text)}");
            });
        }
    }

    private sealed class RemoveContextVerb : Verb
    {
        public RemoveContextVerb()
            : base("remove", "Forget a name.", "leases context remove prod")
        {
            var name = NameArgument();
            Arguments.Add(name);
            SetAction(parsed =>
            {
                var (file, text) = (ContextFile.Read(), parsed.GetRequiredValue(name));
                _ = file.Find(text);
                Write(
                    file with
                    {
                        Contexts = file.Contexts.Where(context => context.Key != text).ToDictionary(),
                        Current = file.Current == text ? null : file.Current,
                    },
                    parsed, $"removed {TerminalText.Show(text)}");
            });
        }
    }

    private sealed class ListContextsVerb : Verb
    {
        public ListContextsVerb()
            : base("list", "List the names; * is the one that is meant where none is named.", "leases context list")
        {
            Formats = new("the names");
            SetAction(parsed => Output.Of(parsed).Print(
                ContextFile.Read(), ContextJson.Default.ContextFile,
                (file, writer) =>
                {
                    var rows = new Columns();
                    foreach (var (name, server) in file.Contexts)
                        rows.Row(
                            file.Current == name ? "*" : "", name, server.Server,
                            server.TokenFile is { } token ? $"credential in {token}" : "no credential");
                    rows.WriteTo(writer);
                    if (file.Contexts.Count == 0) Output.Of(parsed).Note($"{ContextFile.Path} names no servers");
                },
                file => file.Contexts.Keys));
        }
    }
}
