using Npgsql;

namespace OrleansLeases.Fencing.PostgreSql;

/// <summary>
/// A write was refused since a greater token was seen: its lease was lost, and another holder has the resource. Immutable.
/// </summary>
public sealed class StaleTokenException : Exception
{
    internal StaleTokenException(string resource, long token, PostgresException refused)
        : base($"The write was refused: {refused.MessageText}.", refused) => (Resource, Token) = (resource, token);

    /// <summary>The resource.</summary>
    public string Resource { get; }

    /// <summary>The token that was refused.</summary>
    public long Token { get; }
}
