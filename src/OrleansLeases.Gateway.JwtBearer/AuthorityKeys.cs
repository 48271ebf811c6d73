using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using OrleansLeases.Gateway.Access;

namespace OrleansLeases.Gateway.JwtBearer;

/// <summary>
/// The keys that an OpenID Connect authority publishes. They are read in the background, so that no call waits for an authority that is
/// slow; while it is away, those that are known stay valid. Thread-safe.
/// </summary>
/// <param name="text">Which authority, and the issuer that it must be.</param>
/// <param name="logger">Receives what goes wrong.</param>
/// <param name="time">The clock.</param>
internal sealed partial class AuthorityKeys(JwtText text, ILogger<AuthorityKeys> logger, TimeProvider time) : IKeySource
{
    // A key that was withdrawn is good for no longer than this.
    private static readonly TimeSpan ReadEvery = TimeSpan.FromMinutes(5);

    // Tokens may name made-up keys: what they make this server ask for stays little.
    private static readonly TimeSpan ReadAtMostEvery = TimeSpan.FromSeconds(10);

    private static readonly HttpClient Http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        Timeout = TimeSpan.FromSeconds(10),
        MaxResponseContentBufferSize = 1 << 20,
    };

    private readonly Lock _gate = new();
    private volatile SigningKeys? _keys;
    private Task _reading = Task.CompletedTask;
    private DateTimeOffset _lastTry = DateTimeOffset.MinValue;
    private DateTimeOffset _lastSuccess = DateTimeOffset.MinValue;
    private string? _problem;

    /// <inheritdoc/>
    public SigningKeys? Current => _keys;

    /// <inheritdoc/>
    public Task RefreshAsync(CancellationToken cancellationToken) => ReadAsync(ReadEvery).WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public bool Missed() => !ReadAsync(unlessWithin: TimeSpan.Zero).IsCompleted;

    // One reading at a time, which ends by itself: requests that come meanwhile share it.
    private Task ReadAsync(TimeSpan unlessWithin)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (!_reading.IsCompleted || now - _lastTry < ReadAtMostEvery || now - _lastSuccess < unlessWithin) return _reading;
            _lastTry = now;
            return _reading = ReadNowAsync(now);
        }
    }

    private async Task ReadNowAsync(DateTimeOffset now)
    {
        try
        {
            var address = text.Authority!.TrimEnd('/') + "/.well-known/openid-configuration";
            var published = await OpenIdConnectConfigurationRetriever.GetAsync(address, new Documents(), CancellationToken.None);
            if (published.Issuer != text.Issuer)
            {
                throw new WrongFileException(
                    $"it says that its issuer is '{published.Issuer}', and 'issuer' of the access file says '{text.Issuer}'.");
            }

            // What an authority shares with its clients alone is no key of ours.
            _keys = SigningKeys.OfSet(published.JsonWebKeySet ?? new());
            lock (_gate) _lastSuccess = now;
            _problem = null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            var reason = (error.InnerException ?? error).Message;
            if (reason != _problem) LogUnreadable(logger, text.Authority!, reason);
            _problem = reason;
        }
    }

    [LoggerMessage(
        1, LogLevel.Error,
        "The keys of the authority {Authority} cannot be read; those that are known stay valid, and no others. {Problem}")]
    private static partial void LogUnreadable(ILogger logger, string authority, string problem);

    /// <summary>Reads what the authority publishes, from safe addresses alone: it names one of them itself.</summary>
    private sealed class Documents : IDocumentRetriever
    {
        public async Task<string> GetDocumentAsync(string address, CancellationToken cancel)
        {
            if (!JwtText.IsSafe(address)) throw new WrongFileException($"it names '{address}', which is no https address.");
            return await Http.GetStringAsync(address, cancel);
        }
    }
}
