using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;
using OrleansLeases.Gateway.Access;

namespace OrleansLeases.Cli.Commands;

internal sealed class TokenVerb : Verb
{
    public TokenVerb()
        : base(
            "token", "Make, list and revoke the API keys of a server that wants credentials.",
            "leases token create ci --principal ci --expires 90d", "leases token list", "leases token revoke 0123456789abcdef")
    {
        Subcommands.Add(new CreateTokenVerb());
        Subcommands.Add(new ListTokensVerb());
        Subcommands.Add(new RevokeTokenVerb());
    }
}

internal sealed class CreateTokenVerb : ClientVerb
{
    private readonly Argument<string> _name = new("NAME") { Description = "What the key is called in listings." };
    private readonly Option<string> _principal = new("--principal")
    {
        Description = "Who its holder is: a name that the access file has rules for.",
        HelpName = "NAME",
        Required = true,
    };

    private readonly Option<TimeSpan?> _expires = Inputs.Duration("--expires", "How long it is valid. [default: for ever]");
    private readonly Option<bool> _forFile = new("--for-file")
    {
        Description = "Ask no server: print a key, and the entry for it in the access file, such as for the first administrator.",
    };

    public CreateTokenVerb()
        : base(
            "create", "Make an API key, and show it this once.",
            "leases token create ci --principal ci --expires 90d", "leases token create admin --principal admin --for-file")
    {
        Arguments.Add(_name);
        foreach (var option in new Option[] { _principal, _expires, _forFile }) Options.Add(option);
        Formats = new();
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var request = new CreateApiKeyRequest
        {
            Name = parsed.GetRequiredValue(_name), Principal = parsed.GetRequiredValue(_principal), ExpiresIn = parsed.GetValue(_expires),
        };
        if (parsed.GetValue(_forFile)) return PrintEntry(request, parsed, output);
        var body = JsonSerializer.SerializeToUtf8Bytes(request, LeaseJson.Default.CreateApiKeyRequest);
        return output.Print(
            await server.SendAsync(HttpMethod.Post, "v1/tokens", body, LeaseJson.Default.CreatedApiKey, cancellationToken),
            LeaseJson.Default.CreatedApiKey,
            (key, writer) =>
            {
                writer.WriteLine(key.Token);
                output.Note($"key {key.Id} of '{key.Principal}', shown this once; revoke it with `leases token revoke {key.Id}`");
            },
            refusal => refusal is Refusal.OutcomeUnknown
                ? "A key may have been made that nobody has seen: look with `leases token list`, and revoke it."
                : server.Hint(refusal));
    }

    private static int PrintEntry(CreateApiKeyRequest request, ParseResult parsed, Output output)
    {
        var (id, token) = ApiKeyText.New();
        var results = parsed.InvocationConfiguration.Output;
        results.WriteLine(token);
        output.Note("shown this once; put this entry into the list \"keys\" of the access file:");
        results.WriteLine(ApiKeyText.Entry(id, token, request, TimeProvider.System.GetUtcNow()));
        return ExitCode.Done;
    }
}

internal sealed class ListTokensVerb : ClientVerb
{
    public ListTokensVerb()
        : base("list", "List the API keys, without what proves them.", "leases token list", "leases token list --json") =>
        Formats = new();

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken) =>
        output.Print(
            await server.SendAsync(HttpMethod.Get, "v1/tokens", body: null, LeaseJson.Default.ApiKeyList, cancellationToken),
            LeaseJson.Default.ApiKeyList,
            (list, writer) =>
            {
                var rows = new Columns();
                foreach (var key in list.Tokens)
                    rows.Row(
                        key.Id, key.Name, key.Principal,
                        $"used {Moment(key.LastUsed, "never")}", $"expires {Moment(key.Expires, "never")}");
                rows.WriteTo(writer);
                if (list.Tokens.Count == 0) output.Note("there are no API keys but those in the access file");
            },
            server.Hint);

    private static string Moment(DateTimeOffset? at, string none) =>
        at?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture) ?? none;
}

internal sealed class RevokeTokenVerb : ClientVerb
{
    private readonly Argument<string> _id = new("ID") { Description = "The key's id, as `leases token list` shows it." };

    public RevokeTokenVerb()
        : base("revoke", "Revoke an API key: it is refused everywhere within 5 s.", "leases token revoke 0123456789abcdef")
    {
        Arguments.Add(_id);
        Formats = new();
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken) =>
        output.Print(
            await server.SendAsync(
                HttpMethod.Delete, $"v1/tokens/{Uri.EscapeDataString(parsed.GetRequiredValue(_id))}", body: null,
                LeaseJson.Default.RevokedApiKey, cancellationToken),
            LeaseJson.Default.RevokedApiKey,
            (revoked, writer) => writer.WriteLine(revoked.Existed ? $"revoked {revoked.Id}" : $"there was no key {revoked.Id}"),
            server.Hint);
}

internal sealed class WhoAmIVerb : ClientVerb
{
    public WhoAmIVerb()
        : base("whoami", "Show who the server takes this command for, and what it may do.", "leases whoami", "leases whoami --json") =>
        Formats = new();

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken) =>
        output.Print(
            await server.WhoAmIAsync(cancellationToken),
            LeaseJson.Default.CallerInfo, Print, server.Hint);

    private static void Print(CallerInfo caller, TextWriter writer)
    {
        writer.WriteLine(TerminalText.Show(caller.Principal));
        var rows = new Columns();
        foreach (var rule in caller.Rules)
        {
            var prefix = rule.Prefix.Length == 0 ? "all names" : rule.Prefix;
            rows.Row("", prefix, string.Join(", ", rule.Verbs), rule.Owners is { } owners ? $"as {string.Join(", ", owners)}" : "");
        }

        rows.WriteTo(writer);
    }
}
