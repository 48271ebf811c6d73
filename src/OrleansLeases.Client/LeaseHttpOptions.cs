using System.Security.Cryptography.X509Certificates;
using OrleansLeases.Client.Internal;

namespace OrleansLeases.Client;

/// <summary>How an application reaches a lease service over HTTP, and holds its leases. Checked when the host starts.</summary>
public sealed class LeaseHttpOptions
{
    /// <summary>The addresses of the service: calls go to the first, and to the next where that fails.</summary>
    /// <value>
    /// At least one, absolute http or https, none twice. All must reach one service, such as the gateways of one cluster: two
    /// services would grant the same resource twice.
    /// </value>
    public IList<string> Servers { get; } = [];

    /// <summary>How long a call may take beyond the wait of its request; after that its response counts as lost.</summary>
    /// <value>15 s by default; more than 0, up to one day.</value>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long one of several servers may take, beyond the wait of the request, before the call goes to the next one.
    /// </summary>
    /// <value>5 s by default; more than 0, up to <see cref="CallTimeout"/>.</value>
    public TimeSpan ServerTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection may take to be made.</summary>
    /// <value>2 s by default; more than 0, up to <see cref="CallTimeout"/>.</value>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The age at which a connection takes no more calls; a new one resolves DNS again. Calls under way are not aborted.</summary>
    /// <value>2 min by default; 1 s to one day.</value>
    public TimeSpan ConnectionLifetime { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>The credential of this client, such as an API key, sent as <c>Authorization: Bearer …</c> with each request.</summary>
    /// <value>
    /// None by default. A secret: configure it from where the application keeps its secrets. Of this, <see cref="TokenFile"/> and
    /// <see cref="TokenProvider"/> one at most is set.
    /// </value>
    public string? Token { get; set; }

    /// <summary>A file with the credential, read for each request, so that one that is replaced works from the next request on.</summary>
    /// <value>None by default. Space around the credential is left out.</value>
    public string? TokenFile { get; set; }

    /// <summary>Finds the credential of a request, for tokens that are renewed.</summary>
    /// <value>
    /// None by default. It is called for each request, by several threads at once, so it is the application that keeps a token for as
    /// long as it is valid. Its own token is cancelled when the call is over. Where it throws, or what it returns is no bearer token, the
    /// request is not sent: the call is refused as <see cref="Refusal.Unavailable"/> with the message, and a renewal is tried again.
    /// </value>
    public Func<CancellationToken, ValueTask<string>>? TokenProvider { get; set; }

    /// <summary>Finds the certificate, with its private key, that this client shows to https servers which ask for one.</summary>
    /// <value>
    /// None by default. It is called for each new connection; so one that is renewed is in use everywhere after
    /// <see cref="ConnectionLifetime"/>. Not for an application that replaces the primary handler.
    /// </value>
    public Func<X509Certificate2?>? ClientCertificate { get; set; }

    /// <summary>How leases are held.</summary>
    /// <value>The defaults of <see cref="LeaseClientOptions"/>.</value>
    public LeaseClientOptions Client { get; set; } = new();

    /// <summary>Finds the credential of a request; null where this client has none.</summary>
    internal Func<CancellationToken, ValueTask<string>>? Credential =>
        Token is { } token ? _ => new(token)
        : TokenFile is { } file ? _ => new(BearerToken.Read(file))
        : TokenProvider;

    /// <summary>What is wrong, with the remedy.</summary>
    internal IEnumerable<string> Faults()
    {
        const string Name = nameof(LeaseHttpOptions);
        var day = TimeSpan.FromDays(1);
        IEnumerable<string?> own =
        [
            OptionBounds.Fault($"{Name}.{nameof(CallTimeout)}", CallTimeout, TimeSpan.FromTicks(1), day),
            OptionBounds.Fault($"{Name}.{nameof(ServerTimeout)}", ServerTimeout, TimeSpan.FromTicks(1), CallTimeout),
            OptionBounds.Fault($"{Name}.{nameof(ConnectTimeout)}", ConnectTimeout, TimeSpan.FromTicks(1), CallTimeout),
            OptionBounds.Fault($"{Name}.{nameof(ConnectionLifetime)}", ConnectionLifetime, TimeSpan.FromSeconds(1), day),
        ];
        var clients = Client is null ? [$"{Name}.{nameof(Client)} is null; leave it out for the defaults."] : Client.Faults();
        return
        [
            .. ServerAddresses.Faults($"{Name}.{nameof(Servers)}", [.. Servers]),
            .. own.OfType<string>(),
            .. CredentialFaults(),
            .. clients,
        ];
    }

    private IEnumerable<string> CredentialFaults()
    {
        const string Name = nameof(LeaseHttpOptions);
        if (new object?[] { Token, TokenFile, TokenProvider }.Count(source => source is not null) > 1)
            yield return $"{Name} has several credentials; set one of {nameof(Token)}, {nameof(TokenFile)} and {nameof(TokenProvider)}.";
        // The value is a secret, even one that is mistyped.
        if (Token is not null && !BearerToken.IsValid(Token))
            yield return $"{Name}.{nameof(Token)} is no bearer token; {BearerToken.Form}.";
        if (TokenFile is "") yield return $"{Name}.{nameof(TokenFile)} is empty; name a file, or leave it out.";
    }
}
