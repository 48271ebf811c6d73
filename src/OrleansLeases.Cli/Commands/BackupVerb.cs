using System.CommandLine;
using System.Text.Json;
using OrleansLeases.Cli.Printing;
using OrleansLeases.Embedded;

namespace OrleansLeases.Cli.Commands;

internal sealed class BackupVerb : Verb
{
    public BackupVerb()
        : base(
            "backup", "Copy the leases of a data folder into one file, also while the server runs.",
            "leases backup leases-backup.db", "leases backup /backups/leases.db --data /var/lib/leases")
    {
        var file = new Argument<string>("FILE") { Description = "The file to make; it must not exist." };
        var data = Inputs.DataFolder();
        Arguments.Add(file);
        Options.Add(data);
        SetAction(parsed => DataFolderCommand.Run(parsed, () =>
        {
            var made = Path.GetFullPath(parsed.GetRequiredValue(file));
            DataFolder.BackUp(parsed.GetRequiredValue(data), made);
            return parsed.GetValue(GlobalOptions.Json)
                ? $"{{\"file\":\"{JsonEncodedText.Encode(made)}\"}}"
                : $"Copied and verified: {TerminalText.Show(made)}";
        }));
    }
}

internal sealed class RestoreVerb : Verb
{
    public RestoreVerb()
        : base(
            "restore", "Put a backup into a data folder, with the server stopped, and raise its restore epoch.",
            "leases restore leases-backup.db", "leases restore /backups/leases.db --data /var/lib/leases")
    {
        Details =
        [
            "What was in the folder is kept aside in it. A lease that was granted after the backup was made is not in it: start",
            "the server only when the longest time to live in use has passed since the last one stopped. API keys that were revoked since",
            "the backup are valid again: revoke them once more.",
        ];
        var file = new Argument<string>("FILE") { Description = "A file that `leases backup` made, or the leases.db of a stopped server." };
        var data = Inputs.DataFolder();
        Arguments.Add(file);
        Options.Add(data);
        SetAction(parsed => DataFolderCommand.Run(parsed, () =>
        {
            var restored = DataFolder.Restore(parsed.GetRequiredValue(file), parsed.GetRequiredValue(data));
            if (parsed.GetValue(GlobalOptions.Json)) return $"{{\"epoch\":{restored.Epoch}}}";
            if (restored.Aside is { } aside) Output.Of(parsed).Note($"what was there is kept in {aside}");
            Output.Of(parsed).Note(
                "leases granted after the backup are not in it: before you start the server, wait until the longest ttl in use has "
                    + "passed since the last one stopped");
            Output.Of(parsed).Note("API keys that were revoked after the backup are valid again, and retired keys of proofs sign again");
            return $"Restored, in epoch {restored.Epoch}: every token from now on is larger than any before";
        }));
    }
}

/// <summary>Runs what changes a data folder: prints its outcome, or one sentence for an error.</summary>
internal static class DataFolderCommand
{
    public static int Run(ParseResult parsed, Func<string> act)
    {
        string outcome;
        try
        {
            outcome = act();
        }
        catch (Exception e) when (e is IOException or InvalidDataException or InvalidOperationException or UnauthorizedAccessException)
        {
            Output.Of(parsed).Note($"{e.Message} (--data)");
            return ExitCode.Failed;
        }

        parsed.InvocationConfiguration.Output.WriteLine(outcome);
        return ExitCode.Done;
    }
}
