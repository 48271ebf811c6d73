using System.Security.Cryptography;
using System.Text;

namespace OrleansLeases.Cli.Mcp;

/// <summary>What an agent's calls to the lease service are made with. Thread-safe.</summary>
/// <param name="principal">The principal that it is of.</param>
/// <param name="first">The credential that the session began with; null where the caller brings none.</param>
internal sealed class AgentCredential(string principal, string? first)
{
    private string? _current = first;

    /// <summary>The principal.</summary>
    public string Principal => principal;

    /// <summary>The credential that was brought last.</summary>
    public string? Current => Volatile.Read(ref _current);

    /// <summary>
    /// Goes on with a credential that the service has just said to be of the same principal, unless another one has come while it was
    /// asked: that was judged later than this one, which may have been revoked since.
    /// </summary>
    /// <param name="before">What <see cref="Current"/> was before the service was asked.</param>
    /// <param name="brought">The credential.</param>
    public void Renew(string? before, string? brought)
    {
        if (before != brought) Interlocked.CompareExchange(ref _current, brought, before);
    }

    /// <summary>Whether a credential is the one that was brought last.</summary>
    public bool Is(string? brought) => Current is { } current
        ? brought is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(current), Encoding.UTF8.GetBytes(brought))
        : brought is null;
}
