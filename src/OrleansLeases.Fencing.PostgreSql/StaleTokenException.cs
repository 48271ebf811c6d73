using Npgsql;

namespace OrleansLeases.Fencing.PostgreSql;

/// <summary>
/// A write came under a token that another one has overtaken: its lease was lost, and somebody else works on the resource.
/// </summary>
public sealed class StaleTokenException : Exception
{
    internal StaleTokenException(string resource, long token, PostgresException refused)
        : base($"The write was refused: {refused.MessageText}.", refused) => (Resource, Token) = (resource, token);

    /// <summary>The resource.</summary>
    public string Resource { get; }

    /// <summary>The token that came too late.</summary>
    public long Token { get; }
}
