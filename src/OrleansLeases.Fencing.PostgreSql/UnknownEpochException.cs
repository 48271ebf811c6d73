using Npgsql;

namespace OrleansLeases.Fencing.PostgreSql;

/// <summary>
/// A write was refused since its token is of a later restore epoch than the fence takes: the token was never granted, or the lease
/// service was restored and the fence's owner has not yet said so, by <see cref="LeaseFence.AcceptEpochAsync"/>. Immutable.
/// </summary>
public sealed class UnknownEpochException : Exception
{
    internal UnknownEpochException(string resource, long token, PostgresException refused)
        : base($"The write was refused: {refused.MessageText}. {refused.Hint}", refused) => (Resource, Token) = (resource, token);

    /// <summary>The resource.</summary>
    public string Resource { get; }

    /// <summary>The token that was refused.</summary>
    public long Token { get; }

    /// <summary>The restore epoch of the token: its bits above the 40 of the counter.</summary>
    public int Epoch => Tokens.EpochOf(Token);
}
