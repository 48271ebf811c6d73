using System.CommandLine;
using System.CommandLine.Parsing;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;
using OrleansLeases.Cli.Running;
using OrleansLeases.Client.Holding;

namespace OrleansLeases.Cli.Commands;

internal sealed class RunVerb : ClientVerb
{
    private readonly Argument<string> _resource = Inputs.Resource();
    private readonly Argument<string[]> _command = new("COMMAND")
    {
        Description = "After --, the command and its arguments.",
        Arity = ArgumentArity.OneOrMore,
    };
    private readonly Option<TimeSpan?> _ttl =
        Inputs.Duration("--ttl", "How long the lease outlives this process; it is renewed well before. [default: 30s]");
    private readonly Option<TimeSpan?> _wait =
        Inputs.Duration("--wait", "How long to wait in the queue for the lease. [default: do not wait]");
    private readonly Option<string?> _owner =
        Inputs.Owner("Who holds it. [default: LEASES_OWNER, or a unique name of this host and process]");
    private readonly Option<bool> _shared = Inputs.Shared();
    private readonly Option<int?> _capacity = Inputs.Capacity();
    private readonly Option<TimeSpan?> _holdAtLeast = Inputs.HoldAtLeast();
    private readonly Option<bool> _passToken = new("--pass-token")
    {
        Description = "Leave LEASES_TOKEN, LEASES_TOKEN_FILE, LEASES_CLIENT_CERT and LEASES_CLIENT_KEY in COMMAND's environment; "
            + "they are taken out otherwise.",
    };

    public RunVerb()
        : base(
            "run",
            "Run a command while holding a lease.",
            "leases run jobs/nightly --ttl 30s -- ./nightly.sh",
            "leases run deploys/web --wait 10m -- sh -c 'deploy --fence \"$LEASE_TOKEN\"'",
            "leases run printers/blue --shared --capacity 3 -- lp report.pdf")
    {
        Details =
        [
            "The lease is renewed while COMMAND runs and released after it. COMMAND finds LEASE_RESOURCE, LEASE_OWNER and",
            "LEASE_TOKEN in its environment; give LEASE_TOKEN to whatever it changes, so that a stale holder is refused there.",
            "If the lease is lost or cannot be renewed, COMMAND's whole process group gets SIGTERM, then SIGKILL before the",
            "deadline. What COMMAND leaves running in its group is ended before the lease is released.",
            "Exit code: COMMAND's own (128+n if signal n killed it, 127 not found, 126 not executable); 3 if the lease is",
            "held by another, 4 if it was lost, 5 if the server cannot be reached.",
        ];
        Arguments.Add(_resource);
        Arguments.Add(_command);
        foreach (var option in new Option[] { _ttl, _wait, _owner, _shared, _capacity, _holdAtLeast, _passToken }) Options.Add(option);
        this.CapacityNeedsShared(_capacity, _shared);
        this.ForExclusive(_holdAtLeast, _shared);
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new UsageException(
                "`leases run` guards its command with Linux process groups and needs Linux; use acquire, renew and release here.");
        }

        if (BootTime.Instance is null)
        {
            throw new UsageException(
                "`leases run` needs a clock that counts the machine's sleep (CLOCK_BOOTTIME), and this system has none; use acquire, "
                    + "renew and release here.");
        }

        var command = parsed.GetRequiredValue(_command);
        var tokens = parsed.Tokens;
        var words = tokens.Count - command.Length;
        if (tokens[words - 1].Type != TokenType.DoubleDash)
        {
            throw new UsageException("Put -- before the command: leases run RESOURCE --ttl 30s -- COMMAND …");
        }

        var (path, code, message) = CommandPath.Find(command[0]);
        if (path is null)
        {
            output.Note(message);
            return code;
        }

        var wait = parsed.GetValue(_wait) ?? TimeSpan.Zero;
        var request = new AcquireRequest
        {
            Resource = parsed.GetRequiredValue(_resource),
            Owner = parsed.OwnerOrUnique(_owner),
            Ttl = parsed.GetValue(_ttl) ?? Inputs.DefaultTtl,
            Mode = parsed.GetValue(_shared) ? LeaseMode.Shared : LeaseMode.Exclusive,
            Capacity = parsed.GetValue(_capacity),
            HoldAtLeast = parsed.GetValue(_holdAtLeast) ?? TimeSpan.Zero,
        };
        var run = new LeaseRun(server.Service, request, wait, [path, .. command.AsSpan(1)], parsed.GetValue(_passToken), output.Note);
        return await run.RunAsync(refusal => output.Refuse(
            refusal, other => server.Hint(other) ?? AcquireVerb.HeldHint(other, wait) ?? UnknownHint(other)));
    }

    // Unlike acquire it takes no request id: a lease without its command is of no use.
    private static string? UnknownHint(Refusal refusal) => refusal is Refusal.OutcomeUnknown
        ? "The command has not run. Run it again; a lease that was granted all the same ends by itself, --ttl after that." : null;
}
