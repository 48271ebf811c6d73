using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Gateway.Http;

namespace OrleansLeases.Cli.Mcp;

/// <summary>
/// Who may call over HTTP: no web page of another origin, and nobody whom the lease service does not know at that moment. A session
/// belongs to the principal that began it, and calls with the credential that this principal brought last, such as a token that was
/// renewed. Thread-safe.
/// </summary>
/// <param name="callers">Keeps out web pages.</param>
/// <param name="open">Opens a connection to the service for a credential.</param>
/// <param name="wantsCredentials">Others reach this server: a service that asks nobody is not passed on to them.</param>
/// <param name="room">Where sessions begin.</param>
internal sealed class CallerGate(
    CallerCheck callers, Func<Func<string?>, ServerConnection> open, bool wantsCredentials, SessionRoom room)
{
    private const string Scheme = "Bearer ";
    private const string SessionHeader = "Mcp-Session-Id";

    // As often as a server looks for keys that were revoked.
    private static readonly TimeSpan AskedAgain = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, AgentCredential> _sessions = new(StringComparer.Ordinal);

    /// <summary>Lets a call pass, or refuses it.</summary>
    public async Task PassAsync(HttpContext context, RequestDelegate next)
    {
        if (callers.Refuse(context, isOpenToLinks: false) is { } refusal)
        {
            await ResponseWriter.RefuseAsync(context, refusal);
            return;
        }

        var id = context.Request.Headers[SessionHeader].ToString();
        var session = _sessions.GetValueOrDefault(id);
        var (principal, refused) = await PrincipalOfAsync(context, session);
        if (principal is null)
        {
            await ResponseWriter.RefuseAsync(context, refused!);
            return;
        }

        if (id.Length > 0 || !HttpMethods.IsPost(context.Request.Method))
        {
            await CallAsync(context, next, principal);
            return;
        }

        if (room.TryTake(principal, out var full) is not { } place)
        {
            await ResponseWriter.RefuseAsync(context, full!);
            return;
        }

        context.Features.Set(place);
        try
        {
            await CallAsync(context, next, principal);
        }
        finally
        {
            if (!place.IsOfASession) place.Dispose();
        }
    }

    /// <summary>The credential of a session that begins with a call.</summary>
    public static AgentCredential CredentialOf(HttpContext context) =>
        new(context.User.FindFirstValue(ClaimTypes.NameIdentifier)!, BearerOf(context.Request));

    /// <summary>Has later calls of a session renew its credential.</summary>
    public void Began(string session, AgentCredential credential) => _sessions[session] = credential;

    /// <summary>Forgets a session.</summary>
    public void Ended(string session) => _sessions.TryRemove(session, out _);

    private async Task CallAsync(HttpContext context, RequestDelegate next, string principal)
    {
        // Its own source: the connection's may serve the next request by then.
        var gone = new CancellationTokenSource();
        await using var aborted = context.RequestAborted.UnsafeRegister(static gone => ((CancellationTokenSource)gone!).Cancel(), gone);
        using var answered = new CancellationTokenSource();
        // What a session of the protocol is bound to.
        context.User = new Caller(new([new(ClaimTypes.NameIdentifier, principal)], "leases"), gone.Token);
        var judged = KeepJudgingAsync(context, principal, answered.Token);
        try
        {
            await next(context);
        }
        finally
        {
            await answered.CancelAsync();
            await judged.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // A stream that stays open would keep a session for somebody whose key was revoked.
    private async Task KeepJudgingAsync(HttpContext context, string principal, CancellationToken answered)
    {
        var bearer = BearerOf(context.Request);
        while (true)
        {
            await Task.Delay(AskedAgain, TimeProvider.System, answered);
            var (now, refusal) = await AskAsync(bearer, answered);
            if (now == principal || (now is null && !IsNo(refusal!))) continue;
            context.Abort();
            return;
        }
    }

    // Asked for each call: a session tells what it holds without the service, and ends without it.
    private async ValueTask<(string? Principal, Refusal? Refusal)> PrincipalOfAsync(HttpContext context, AgentCredential? session)
    {
        var bearer = BearerOf(context.Request);
        var before = session?.Current;
        var (principal, refusal) = await AskAsync(bearer, context.RequestAborted);
        if (session is null) return (principal, refusal);
        if (principal == session.Principal) session.Renew(before, bearer);
        // While the service cannot be asked, an agent must hear of what it loses. Nothing is granted meanwhile, and nothing ended.
        if (principal is null && !IsNo(refusal!) && session.Is(bearer) && !HttpMethods.IsDelete(context.Request.Method))
            return (session.Principal, null);
        return (principal, refusal);
    }

    private async ValueTask<(string? Principal, Refusal? Refusal)> AskAsync(string? bearer, CancellationToken cancellationToken)
    {
        using var connection = open(() => bearer);
        var asked = await connection.WhoAmIAsync(cancellationToken);
        if (!asked.TryGetValue(out var caller, out var refusal)) return (null, refusal);
        if (wantsCredentials && caller.Principal == Callers.Anonymous)
        {
            return (null, new Refusal.Forbidden(
                "The lease service asks nobody who is calling, and this server is reached by others: it passes nobody on. Start the "
                    + "service with --access, or this server with --insecure."));
        }

        return (caller.Principal, null);
    }

    private static bool IsNo(Refusal refusal) => refusal is Refusal.Unauthorized or Refusal.Forbidden;

    private static string? BearerOf(HttpRequest request) =>
        request.Headers.Authorization.ToString() is { } header && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? header[Scheme.Length..].Trim()
            : null;
}
