using System.CommandLine;
using System.Globalization;
using OrleansLeases.Embedded;

namespace OrleansLeases.Cli.Commands;

internal sealed class EpochVerb : Verb
{
    public EpochVerb()
        : base(
            "epoch", "Show or raise the restore epoch of a data folder, the high bits of its tokens.",
            "leases epoch show --data /var/lib/leases", "leases epoch bump --data /var/lib/leases")
    {
        Subcommands.Add(new Part(
            "show", "Show the restore epoch.", DataFolder.ReadEpoch, "epoch {0}",
            "leases epoch show", "leases epoch show --data /var/lib/leases --json"));
        Subcommands.Add(new Part(
            "bump",
            "Raise the restore epoch, with the server stopped: every later token is then larger than any before.",
            DataFolder.BumpEpoch, "epoch {0}: every token from now on is larger than any before",
            "leases epoch bump", "leases epoch bump --data /var/lib/leases")
        {
            Details =
            [
                "Do it once after restoring a backup by hand (`leases restore` does it): tokens granted after the backup was made",
                "are not in it, and would be granted a second time. In a folder that has lost what it knew, it accepts the loss.",
            ],
        });
    }

    private sealed class Part : Verb
    {
        public Part(string name, string description, Func<string, int> epochOf, string format, params string[] examples)
            : base(name, description, examples)
        {
            var data = Inputs.DataFolder();
            Options.Add(data);
            SetAction(parsed => DataFolderCommand.Run(parsed, () => string.Format(
                CultureInfo.InvariantCulture,
                parsed.GetValue(GlobalOptions.Json) ? "{{\"epoch\":{0}}}" : format,
                epochOf(parsed.GetRequiredValue(data)))));
        }
    }
}
