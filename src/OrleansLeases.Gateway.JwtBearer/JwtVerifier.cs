using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OrleansLeases.Gateway.Access;

namespace OrleansLeases.Gateway.JwtBearer;

/// <summary>
/// Verifies tokens by the handler of ASP.NET Core, which is asked here and not registered: a scheme more or less changes which one is the
/// default of a host. Thread-safe.
/// </summary>
internal sealed class JwtVerifier : IJwtVerifier, IOptionsMonitor<JwtBearerOptions>
{
    private const string SigningKey = "OrleansLeases.SigningKey";
    private const string Payload = "OrleansLeases.Payload";

    // What verifies can also sign where a secret does both, so none of those; `none` is no algorithm at all.
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
    ];

    // How far the clock of an issuer may be ahead. One that is behind costs the holder of its tokens, and nobody else.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    private static readonly AuthenticationScheme Scheme = new("OrleansLeases", displayName: null, typeof(JwtBearerHandler));

    private static readonly Refusal.Unavailable NotReadYet = new(
        TimeSpan.FromSeconds(1),
        "This server is still reading the keys that tokens are verified by, and cannot tell whether this one is valid; ask again.");

    private readonly JwtText _text;
    private readonly byte[]? _file;
    private readonly IKeySource _keys;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly JwtBearerOptions _options;

    /// <param name="text">What tokens must say.</param>
    /// <param name="file">The file that the keys are from; null for none.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="loggers">The loggers of the host.</param>
    /// <param name="time">The clock.</param>
    public JwtVerifier(JwtText text, byte[]? file, IKeySource keys, ILoggerFactory loggers, TimeProvider time)
    {
        (_text, _file, _keys, _loggers, _time) = (text, file, keys, loggers, time);
        _options = new JwtBearerOptions
        {
            MapInboundClaims = false,
            SaveToken = false,
            TimeProvider = time,
            TokenValidationParameters = new TokenValidationParameters
            {
                ValidIssuer = text.Issuer,
                ValidAudience = text.Audience,
                ValidAlgorithms = Algorithms,
                IssuerSigningKeyResolver = (_, _, id, _) => keys.Current?.For(id) ?? [],
                // Otherwise a token that names no known key is tried with all of them.
                TryAllIssuerSigningKeys = false,
                LifetimeValidator = (notBefore, expires, _, _) => CheckTimes(notBefore, expires),
            },
            Events = new JwtBearerEvents
            {
                OnTokenValidated = validated =>
                {
                    // What a token calls critical must be understood (RFC 7515), and the library knows none of it.
                    var token = (JsonWebToken)validated.SecurityToken;
                    if (token.TryGetHeaderValue<object>("crit", out _)) validated.Fail(new CriticalHeaderException());
                    validated.Properties.SetParameter(Payload, token.EncodedPayload);
                    validated.Properties.SetParameter(SigningKey, validated.SecurityToken.SigningKey);
                    return Task.CompletedTask;
                },
            },
        };
    }

    /// <inheritdoc/>
    JwtBearerOptions IOptionsMonitor<JwtBearerOptions>.CurrentValue => _options;

    /// <inheritdoc/>
    public bool IsOf(JwtText text, byte[]? keys) =>
        text == _text && (keys is null ? _file is null : _file is not null && keys.AsSpan().SequenceEqual(_file));

    /// <inheritdoc/>
    public bool Accepts(JwtIdentity identity) => identity.Text == _text && _keys.Current?.Has(identity.SigningKey) == true;

    /// <inheritdoc/>
    public Task RefreshAsync(CancellationToken cancellationToken) => _keys.RefreshAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<LeaseResult<JwtIdentity>> VerifyAsync(HttpContext context)
    {
        if (_keys.Current is not { } known) return NotReadYet;
        var result = await AuthenticateAsync(context);
        if (result.Failure is SecurityTokenSignatureKeyNotFoundException)
        {
            // An issuer may have begun with a new key a moment ago.
            if (_keys.Missed()) return NotReadYet;
            if (_keys.Current != known) result = await AuthenticateAsync(context);
        }

        return result.Succeeded
            ? IdentityOf(result)
            : new Refusal.Unauthorized($"The JWT is not valid: {ProblemOf(result.Failure)}.");
    }

    /// <inheritdoc/>
    JwtBearerOptions IOptionsMonitor<JwtBearerOptions>.Get(string? name) => _options;

    /// <inheritdoc/>
    IDisposable? IOptionsMonitor<JwtBearerOptions>.OnChange(Action<JwtBearerOptions, string?> listener) => null;

    private async Task<AuthenticateResult> AuthenticateAsync(HttpContext context)
    {
        // Made for one call, as ASP.NET Core does.
        var handler = new JwtBearerHandler(this, _loggers, UrlEncoder.Default);
        await handler.InitializeAsync(Scheme, context);
        return await handler.AuthenticateAsync();
    }

    private bool CheckTimes(DateTime? notBefore, DateTime? expires)
    {
        var now = _time.GetUtcNow().UtcDateTime;
        if (expires is null) throw new SecurityTokenNoExpirationException();
        if (expires <= now) throw new SecurityTokenExpiredException();
        if (notBefore > now + ClockSkew) throw new SecurityTokenNotYetValidException();
        return true;
    }

    private LeaseResult<JwtIdentity> IdentityOf(AuthenticateResult result)
    {
        var payload = result.Properties!.GetParameter<string>(Payload)!;
        if (JwtNames.Read(payload, _text.PrincipalClaim, _text.GroupsClaim) is not { } names)
            return new Refusal.Unauthorized($"The JWT is not valid: {ProblemOf(failure: null)}.");
        if (!PrincipalName.IsValid(names.Principal))
        {
            return new Refusal.Unauthorized(
                $"The JWT is not valid: its claim '{_text.PrincipalClaim}' is no name of a principal: a text, {PrincipalName.Form}.");
        }

        return new JwtIdentity(
            names.Principal!,
            names.Groups,
            result.Properties.ExpiresUtc!.Value,
            _text,
            SigningKeys.DigestOf(result.Properties.GetParameter<SecurityKey>(SigningKey)!));
    }

    // Not what the libraries say, which is at length of types and keys.
    private string ProblemOf(Exception? failure) => failure switch
    {
        SecurityTokenExpiredException => "it has expired",
        SecurityTokenNotYetValidException => "it is not valid yet",
        SecurityTokenNoExpirationException => "it has no time of expiry",
        SecurityTokenInvalidAudienceException => $"its audience is not '{_text.Audience}'",
        SecurityTokenInvalidIssuerException => $"its issuer is not '{_text.Issuer}'",
        SecurityTokenSignatureKeyNotFoundException => "none of the keys that its issuer has published has signed it",
        SecurityTokenInvalidAlgorithmException or SecurityTokenInvalidSignatureException => "its signature is not",
        CriticalHeaderException => "its header 'crit' names something that this service does not know",
        _ => "it cannot be read",
    };

    private sealed class CriticalHeaderException : Exception;
}
