using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class KeyVerb : Verb
{
    public KeyVerb()
        : base(
            "key", "Write, read, delete and list keys; a key bound to a lease ends with it.",
            "leases key put config/color blue", "leases key get config/color", "leases key list --prefix config/")
    {
        Subcommands.Add(new PutKeyVerb());
        Subcommands.Add(new GetKeyVerb());
        Subcommands.Add(new DeleteKeyVerb());
        Subcommands.Add(new ListKeysVerb());
    }
}

internal sealed class PutKeyVerb : ClientVerb
{
    private readonly Argument<string> _key = Inputs.Key();
    private readonly Argument<string> _value = new("VALUE") { Description = "The value; - reads it from standard input." };
    private readonly LeaseInput _lease = new("Bind the key to this lease of the resource: it ends with it. [default: the key stands free]");
    private readonly Option<TimeSpan?> _ttl =
        Inputs.Duration("--ttl", "How long the key is there, unless it is put again. [default: until it is deleted]");
    private readonly Option<long?> _ifVersion =
        Inputs.IfVersion("Write only if this is the key's version; 0: only if there is no such key.");
    private readonly Option<string?> _requestId = Inputs.RequestId();

    public PutKeyVerb()
        : base(
            "put", "Write a key.",
            "leases key put config/color blue",
            "leases key put config/color red --if-version 1",
            "leases key put seen/mail-17 yes --ttl 1h",
            "leases key put workers/7 up --lease jobs/nightly --owner ann --token 7",
            "leases run jobs/nightly -- sh -c 'leases key put at \"$HOSTNAME\" --lease \"$LEASE_RESOURCE\" --owner \"$LEASE_OWNER\" "
                + "--token \"$LEASE_TOKEN\"; …'")
    {
        Arguments.Add(_key);
        Arguments.Add(_value);
        _lease.AddTo(this);
        Options.Add(_ttl);
        Options.Add(_ifVersion);
        Options.Add(_requestId);
        Formats = new("the version");
        Validators.Add(result =>
        {
            if (result.GetResult(_ttl) is not null && _lease.IsNamed(result))
                result.AddError("--ttl is for keys without a lease, since a bound key ends with its lease; leave out it or --lease.");
        });
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var value = parsed.GetRequiredValue(_value);
        var request = new PutKeyRequest
        {
            Value = value == "-" ? await Console.In.ReadToEndAsync(cancellationToken) : value,
            Lease = _lease.Of(parsed),
            Ttl = parsed.GetValue(_ttl),
            IfVersion = parsed.GetValue(_ifVersion),
            RequestId = parsed.GetValue(_requestId),
        };
        return output.Print(
            await server.Service.PutKeyAsync(parsed.GetRequiredValue(_key), request, cancellationToken),
            LeaseJson.Default.KeyPut, KeyPrinter.Print, server.Hint, KeyPrinter.Alone);
    }
}

internal sealed class GetKeyVerb : ClientVerb
{
    private readonly Argument<string> _key = Inputs.Key();
    private readonly Option<bool> _raw = new("--raw") { Description = "Print the value alone, as it is." };

    public GetKeyVerb()
        : base("get", "Show a key.", "leases key get config/color", "leases key get config/color --raw")
    {
        Arguments.Add(_key);
        Options.Add(_raw);
        Formats = new("the value, and the end of a line,");
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken) =>
        output.Print(
            await server.Service.GetKeyAsync(parsed.GetRequiredValue(_key), cancellationToken), LeaseJson.Default.KeyValue,
            parsed.GetValue(_raw) ? (key, writer) => writer.Write(key.Value) : KeyPrinter.Print,
            server.Hint, KeyPrinter.Alone);
}

internal sealed class DeleteKeyVerb : ClientVerb
{
    private readonly Argument<string> _key = Inputs.Key();
    private readonly Option<long?> _ifVersion = Inputs.IfVersion("Delete only this version.");

    public DeleteKeyVerb()
        : base(
            "delete", "Delete a key, whatever it is bound to.", "leases key delete config/color",
            "leases key delete config/color --if-version 2")
    {
        Arguments.Add(_key);
        Options.Add(_ifVersion);
        Formats = new();
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken) =>
        output.Print(
            await server.Service.DeleteKeyAsync(parsed.GetRequiredValue(_key), parsed.GetValue(_ifVersion), cancellationToken),
            LeaseJson.Default.KeyDeletion, KeyPrinter.Print, server.Hint);
}

internal sealed class ListKeysVerb : ClientVerb
{
    private readonly Option<string?> _prefix = Inputs.Prefix();
    private readonly Option<int?> _pageSize = Inputs.PageSize();
    private readonly Option<string?> _after = Inputs.After();

    public ListKeysVerb()
        : base("list", "List keys by name.", "leases key list", "leases key list --prefix config/ --json")
    {
        foreach (var option in new Option[] { _prefix, _pageSize, _after }) Options.Add(option);
        Formats = new("the names", isWide: true);
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var request = new ListKeysRequest
        {
            Prefix = parsed.GetValue(_prefix), PageSize = parsed.GetValue(_pageSize) ?? Inputs.DefaultPageSize,
            After = parsed.GetValue(_after),
        };
        var listed = await server.Service.ListKeysAsync(request, cancellationToken);
        var code = output.Print(
            listed, LeaseJson.Default.KeyPage, (page, writer) => KeyPrinter.Print(page, output.IsWide, writer), server.Hint,
            page => page.Keys.Select(key => key.Key));
        if (!output.IsData && listed.TryGetValue(out var page, out _))
        {
            if (page.Keys.Count == 0) output.Note("there are no such keys");
            if (page.Next is { } next) output.Note($"there are more; add --after {TerminalText.Quote(next)}");
        }

        return code;
    }
}
