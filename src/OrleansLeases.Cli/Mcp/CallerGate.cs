using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Gateway.Http;

namespace OrleansLeases.Cli.Mcp;

/// <summary>
/// Who may call over HTTP: no web page of another origin, and nobody whom the lease service does not know. A session belongs to the
/// principal that began it, and calls with the credential that this principal brought last, such as a token that was renewed. Thread-safe.
/// </summary>
/// <param name="callers">Keeps out web pages.</param>
/// <param name="open">Opens a connection to the service for a credential.</param>
/// <param name="wantsCredentials">Others reach this server: a service that asks nobody is not passed on to them.</param>
internal sealed class CallerGate(CallerCheck callers, Func<Func<string?>, ServerConnection> open, bool wantsCredentials)
{
    private const string Scheme = "Bearer ";
    private const string SessionHeader = "Mcp-Session-Id";
    private const int MostKnown = 10_000;

    private readonly ConcurrentDictionary<string, AgentCredential> _sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _principals = new(StringComparer.Ordinal);

    /// <summary>Lets a call pass, or refuses it.</summary>
    public async Task PassAsync(HttpContext context, RequestDelegate next)
    {
        if (callers.Refuse(context, isOpenToLinks: false) is { } refusal)
        {
            await ResponseWriter.RefuseAsync(context, refusal);
            return;
        }

        var bearer = BearerOf(context.Request);
        var (principal, refused) = await PrincipalOfAsync(bearer, context.RequestAborted);
        if (principal is null)
        {
            await ResponseWriter.RefuseAsync(context, refused!);
            return;
        }

        // What a session of the protocol is bound to.
        context.User = new(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, principal)], "leases"));
        if (context.Request.Headers[SessionHeader].ToString() is { Length: > 0 } id && _sessions.TryGetValue(id, out var credential)
            && credential.Principal == principal)
            credential.Current = bearer;
        await next(context);
    }

    /// <summary>The credential of a session that begins with a call.</summary>
    public static AgentCredential CredentialOf(HttpContext context) =>
        new(context.User.FindFirstValue(ClaimTypes.NameIdentifier)!) { Current = BearerOf(context.Request) };

    /// <summary>Has later calls of a session renew its credential.</summary>
    public void Began(string session, AgentCredential credential) => _sessions[session] = credential;

    /// <summary>Forgets a session.</summary>
    public void Ended(string session) => _sessions.TryRemove(session, out _);

    // Asked once for each credential: the service itself judges every call that is made with it.
    private async ValueTask<(string? Principal, Refusal? Refusal)> PrincipalOfAsync(string? bearer, CancellationToken cancellationToken)
    {
        var digest = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(bearer ?? "")));
        if (_principals.TryGetValue(digest, out var known)) return (known, null);
        using var connection = open(() => bearer);
        var asked = await connection.WhoAmIAsync(cancellationToken);
        if (!asked.TryGetValue(out var caller, out var refusal)) return (null, refusal);
        if (wantsCredentials && caller.Principal == Callers.Anonymous)
        {
            return (null, new Refusal.Forbidden(
                "The lease service asks nobody who is calling, and this server is reached by others: it passes nobody on. Start the "
                    + "service with --access, or this server with --insecure."));
        }

        if (_principals.Count >= MostKnown) _principals.Clear();
        _principals[digest] = caller.Principal;
        return (caller.Principal, null);
    }

    private static string? BearerOf(HttpRequest request) =>
        request.Headers.Authorization.ToString() is { } header && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? header[Scheme.Length..].Trim()
            : null;
}

/// <summary>What an agent's calls to the lease service are made with.</summary>
/// <param name="principal">The principal that it is of.</param>
internal sealed class AgentCredential(string principal)
{
    private volatile string? _current;

    /// <summary>The principal.</summary>
    public string Principal => principal;

    /// <summary>The credential as it was brought last; null where the caller brings none.</summary>
    public string? Current
    {
        get => _current;
        set => _current = value;
    }
}
