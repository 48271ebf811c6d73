using Microsoft.AspNetCore.Http;

namespace OrleansLeases.Gateway.Access;

/// <summary>Makes what verifies JWTs. In a package of its own, so that hosts which take none need not take its libraries either.</summary>
internal interface IJwtVerifiers
{
    /// <summary>Makes one.</summary>
    /// <param name="text">What the access file says.</param>
    /// <param name="keys">What is in the file of keys; null where an authority publishes them.</param>
    /// <exception cref="WrongFileException">The file of keys is wrong.</exception>
    IJwtVerifier Create(JwtText text, byte[]? keys);
}

/// <summary>Verifies the JWTs of callers. Thread-safe.</summary>
internal interface IJwtVerifier
{
    /// <summary>Whether it is made of these, so that there is no need of another.</summary>
    bool IsOf(JwtText text, byte[]? keys);

    /// <summary>Verifies the token in the header of a call, which has one bearer token.</summary>
    /// <returns>Whom it is for, or the refusal that answers the call.</returns>
    ValueTask<LeaseResult<JwtIdentity>> VerifyAsync(HttpContext context);

    /// <summary>Whether a token that was verified once would still be, its own times aside.</summary>
    bool Accepts(JwtIdentity identity);

    /// <summary>Reads the keys again where that is due. It logs what goes wrong.</summary>
    Task RefreshAsync(CancellationToken cancellationToken);
}

/// <summary>Whom a JWT is for.</summary>
/// <param name="Principal">The principal.</param>
/// <param name="Groups">Its groups.</param>
/// <param name="Expires">When the token expires.</param>
/// <param name="Text">What it was verified by.</param>
/// <param name="SigningKey">A digest of the key that signed it.</param>
internal sealed record JwtIdentity(
    string Principal, IReadOnlyList<string> Groups, DateTimeOffset Expires, JwtText Text, string SigningKey);
