using System.CommandLine;
using System.CommandLine.Help;

namespace OrleansLeases.Cli.Commands;

/// <summary>All verbs of the command and the options that they share.</summary>
internal static class CommandTree
{
    public static RootCommand Create()
    {
        var root = new RootCommand("Leases: ownership of a named resource for a limited time, with fencing tokens.")
        {
            new ServeVerb(),
            new AcquireVerb(),
            new RenewVerb(),
            new ReleaseVerb(),
            new TransferVerb(),
            new BreakVerb(),
            new GetVerb(),
            new ListVerb(),
            new HistoryVerb(),
            new WatchVerb(),
            new KeyVerb(),
            new CounterVerb(),
            new RunVerb(),
            new McpVerb(),
            new StatusVerb(),
            new TopVerb(),
            new InfoVerb(),
            new HealthVerb(),
            new AuditVerb(),
            new EpochVerb(),
            new BackupVerb(),
            new RestoreVerb(),
            new TokenVerb(),
            new ProofKeysVerb(),
            new WhoAmIVerb(),
            new ContextVerb(),
            new CompletionVerb(),
            new NamesVerb(),
            new VersionVerb(),
            new HelpVerb(),
        };
        root.Options.Add(GlobalOptions.Server);
        root.Options.Add(GlobalOptions.Context);
        root.Options.Add(GlobalOptions.Timeout);
        root.Options.Add(GlobalOptions.Json);
        root.Options.Add(GlobalOptions.Credential);
        root.Options.Add(GlobalOptions.Authority);
        root.Options.Add(GlobalOptions.ClientCertificate);
        root.Options.Add(GlobalOptions.ClientKey);
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ExamplesHelp((HelpAction)help.Action!);
        return root;
    }
}
