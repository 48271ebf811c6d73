using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Access;

namespace OrleansLeases.Gateway.JwtBearer;

/// <inheritdoc/>
internal sealed class JwtVerifiers(ILoggerFactory loggers, TimeProvider time) : IJwtVerifiers
{
    /// <inheritdoc/>
    public IJwtVerifier Create(JwtText text, byte[]? keys) => new JwtVerifier(
        text,
        keys,
        keys is null ? new AuthorityKeys(text, loggers.CreateLogger<AuthorityKeys>(), time) : new FixedKeys(SigningKeys.Read(keys)),
        loggers,
        time);
}
