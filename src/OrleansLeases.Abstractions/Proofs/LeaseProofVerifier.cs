using System.Security.Cryptography;
using System.Text.Json;

namespace OrleansLeases;

/// <summary>
/// Checks proofs of tokens by the published keys of the service, without asking it for each. For resources that callers reach who could
/// make a token up. Thread-safe.
/// </summary>
/// <remarks>
/// The keys are fetched with the first proof, again each minute that proofs come in, and for a proof of a key that is not known: then at
/// most every 10 s, whatever comes in. While the server answers, no proof is checked by keys that are older than 5 min, so that those
/// which the service has retired pass no longer. While it is away, those that are known stay valid, however old they are.
/// </remarks>
public sealed class LeaseProofVerifier
{
    private const int MaxKeysBytes = 256 * 1024;

    private static readonly TimeSpan FetchTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan UnknownEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaxKeysAge = TimeSpan.FromMinutes(5);

    private readonly HttpClient _http;
    private readonly Uri _keys;
    private readonly LeaseProofOptions _options;
    private readonly Lock _gate = new();
    private Task _fetching = Task.CompletedTask;
    private volatile Known? _known;
    private volatile Failure? _failure;

    /// <summary>Makes a verifier of the proofs of one service.</summary>
    /// <param name="http">Fetches the keys. It is not disposed of.</param>
    /// <param name="server">The address of a server of the service; its keys are at <c>.well-known/jwks.json</c> below it.</param>
    /// <param name="options">What is taken; the defaults where left out.</param>
    /// <exception cref="ArgumentNullException"><paramref name="http"/> or <paramref name="server"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="server"/> is not absolute.</exception>
    public LeaseProofVerifier(HttpClient http, Uri server, LeaseProofOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(server);
        if (!server.IsAbsoluteUri) throw new ArgumentException($"The address is '{server}'; it takes an absolute one.", nameof(server));
        _http = http;
        _keys = new Uri($"{server.AbsoluteUri.TrimEnd('/')}/{LeaseProof.KeysPath}");
        _options = options ?? new();
    }

    /// <summary>Checks a proof. The caller compares its resource and its token with what the request is about.</summary>
    /// <param name="proof">The proof, as it came: a compact JWS.</param>
    /// <param name="cancellationToken">Ends the wait for the keys.</param>
    /// <returns>What it proves; null where it proves nothing: malformed, forged, too old, of the future, of another service.</returns>
    /// <exception cref="HttpRequestException">The keys cannot be fetched, and none are known.</exception>
    public async ValueTask<LeaseProof?> VerifyAsync(string proof, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (ProofText.Read(proof) is not { } text) return null;
        if (await FindAsync(text.KeyId, cancellationToken).ConfigureAwait(false) is not { } key) return null;
        if (!text.IsSignedBy(key) || text.Claims() is not { } claims) return null;
        var age = _options.Time.GetUtcNow() - claims.IssuedAt;
        var isTimely = age >= -_options.ClockSkew && !(age > _options.MaxAge);
        return isTimely && (_options.Service ?? claims.Service) == claims.Service ? claims : null;
    }

    private async ValueTask<ECParameters?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (IsWanted(id))
        {
            var fetching = Fetching(id);
            // Behind the calls, as long as what is known will do for them.
            if (!IsKnown(id, MaxKeysAge)) await fetching.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        if (_known is not { } known) throw new HttpRequestException("The keys of the lease service cannot be fetched.", _failure?.Error);
        return known.Keys.TryGetValue(id, out var key) ? key : null;
    }

    // One at a time, for all that wait. Under no caller's token: one that hangs up must not make it fail for the others.
    private Task Fetching(string id)
    {
        lock (_gate)
        {
            if (_fetching.IsCompleted && IsWanted(id)) _fetching = Task.Run(FetchAsync);
            return _fetching;
        }
    }

    private bool IsWanted(string id)
    {
        if (_failure is { } failure && _options.Time.GetElapsedTime(failure.At) < UnknownEvery) return false;
        return _known is not { } known
            || (_options.Time.GetElapsedTime(known.At) >= UnknownEvery && !IsKnown(id, RefreshEvery));
    }

    private bool IsKnown(string id, TimeSpan maxAge) =>
        _known is { } known && known.Keys.ContainsKey(id) && _options.Time.GetElapsedTime(known.At) < maxAge;

    private async Task FetchAsync()
    {
        try
        {
            using var stop = new CancellationTokenSource(FetchTimeout);
            using var response = await _http.GetAsync(_keys, HttpCompletionOption.ResponseHeadersRead, stop.Token).ConfigureAwait(false);
            response.EnsureSuccessStatusCode();
            await response.Content.LoadIntoBufferAsync(MaxKeysBytes, stop.Token).ConfigureAwait(false);
            var jwks = await response.Content.ReadAsByteArrayAsync(stop.Token).ConfigureAwait(false);
            _known = new(ProofText.ReadKeys(jwks), _options.Time.GetTimestamp());
            _failure = null;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or JsonException or IOException)
        {
            _failure = new(error, _options.Time.GetTimestamp());
        }
    }

    private sealed record Known(Dictionary<string, ECParameters> Keys, long At);

    private sealed record Failure(Exception Error, long At);
}
