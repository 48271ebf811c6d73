using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Commands;

internal sealed class AcquireVerb : ClientVerb
{
    private readonly Argument<string> _resource = Inputs.Resource();
    private readonly Option<TimeSpan?> _ttl = Inputs.Duration("--ttl", "How long the lease lives unless renewed. [default: 30s]");
    private readonly Option<TimeSpan?> _wait = Inputs.Duration("--wait", "How long to wait in the queue for it. [default: do not wait]");
    private readonly Option<string?> _owner =
        Inputs.Owner("Who holds it. [default: LEASES_OWNER, or a unique name of this host and process]");
    private readonly Option<bool> _shared = Inputs.Shared();
    private readonly Option<int?> _capacity = Inputs.Capacity();
    private readonly Option<TimeSpan?> _lockDelay =
        Inputs.Duration("--lock-delay", "How long other owners wait after this lease expires or is broken by force.");
    private readonly Option<TimeSpan?> _holdAtLeast = Inputs.HoldAtLeast();
    private readonly Option<KeyValuePair<string, string>[]> _metadata = new("--meta")
    {
        Description = "Shown to anyone who asks about the lease. Repeatable.",
        HelpName = "NAME=VALUE",
        CustomParser = result => [.. result.Tokens.Select(token =>
        {
            var at = token.Value.IndexOf('=', StringComparison.Ordinal);
            if (at < 1) result.AddError($"--meta is '{token.Value}'; it takes NAME=VALUE.");
            return KeyValuePair.Create(token.Value[..Math.Max(at, 0)], token.Value[(at + 1)..]);
        })],
    };
    private readonly Option<bool> _proof = new("--proof")
    {
        Description = "Ask for a proof of the token, which a service can check by itself.",
    };
    private readonly Option<string?> _requestId = Inputs.RequestId();

    public AcquireVerb()
        : base(
            "acquire", "Take a lease on a resource.",
            "leases acquire jobs/nightly --ttl 30s",
            "leases acquire jobs/nightly --owner ann --wait 10m",
            "token=$(leases acquire jobs/nightly --owner ann --quiet)",
            "leases acquire printers/blue --shared --capacity 3 --meta room=12")
    {
        Arguments.Add(_resource);
        foreach (var option in new Option[]
            { _ttl, _wait, _owner, _shared, _capacity, _lockDelay, _holdAtLeast, _proof, _metadata, _requestId })
        {
            Options.Add(option);
        }

        Formats = new("the token");
        this.CapacityNeedsShared(_capacity, _shared);
        this.ForExclusive(_lockDelay, _shared);
        this.ForExclusive(_holdAtLeast, _shared);
    }

    protected override bool WaitsToTell(ParseResult parsed) => parsed.GetValue(_wait) > TimeSpan.Zero;

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var metadata = parsed.GetValue(_metadata) ?? [];
        if (metadata.GroupBy(entry => entry.Key, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new UsageException($"--meta names '{twice.Key}' twice; give each name one value.");
        var wait = parsed.GetValue(_wait) ?? TimeSpan.Zero;
        var request = new AcquireRequest
        {
            Resource = parsed.GetRequiredValue(_resource),
            Owner = parsed.OwnerOrUnique(_owner),
            Ttl = parsed.GetValue(_ttl) ?? Inputs.DefaultTtl,
            Mode = parsed.GetValue(_shared) ? LeaseMode.Shared : LeaseMode.Exclusive,
            Capacity = parsed.GetValue(_capacity),
            LockDelay = parsed.GetValue(_lockDelay) ?? TimeSpan.Zero,
            HoldAtLeast = parsed.GetValue(_holdAtLeast) ?? TimeSpan.Zero,
            Proof = parsed.GetValue(_proof),
            Metadata = metadata.Length == 0 ? null : metadata.ToDictionary(StringComparer.Ordinal),
            RequestId = parsed.GetValue(_requestId),
        };
        var result = await server.Service.AcquireWithRetryAsync(request, wait, cancellationToken: cancellationToken);
        return output.Print(
            result, LeaseJson.Default.LeaseGrant,
            (grant, writer) => LeasePrinter.Print(grant, server.NextSteps, writer),
            refusal => server.Hint(refusal) ?? HeldHint(refusal, wait), LeasePrinter.Alone);
    }

    public static string? HeldHint(Refusal refusal, TimeSpan wait) => refusal switch
    {
        Refusal.Held { SameOwner: true } => "To go on with the lease that this owner has, renew it by its token, which `leases get` shows.",
        Refusal.Held when wait > TimeSpan.Zero => $"The wait of {Durations.Format(wait)} ran out.",
        Refusal.Held => "To wait in the queue for it, add --wait 1m.",
        _ => null,
    };
}
