using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;
using OrleansLeases.Fencing.PostgreSql;

namespace OrleansLeases.Fencing.AspNetCore;

/// <summary>
/// Lets requests in that come with the token of a lease, unless a greater one has been seen, and keeps greater ones out while they
/// run.
/// </summary>
/// <remarks>
/// It has a pool of its own: every request inside keeps a connection, and would wait for ever for a second one for its own
/// work where those inside have them all.
/// </remarks>
internal sealed partial class FencingFilter(
    NpgsqlDataSource database, FenceHoldOptions options, TimeProvider time, LeaseProofVerifier? proofs, ILogger<FencingFilter> logger)
    : IAsyncDisposable
{
    private const string TraceHeader = "Lease-Trace";

    private readonly LeaseFence _fence = new(database, time: time);

    public async Task PassAsync(HttpContext context, string resource, RequestDelegate next)
    {
        if (proofs is not null)
        {
            await ProveAsync(context, proofs, resource, next);
            return;
        }

        var given = context.Request.Headers[FencedRequest.Header];
        if (given.Count == 0)
            await Problems.NoTokenAsync(context, resource);
        else if (TokenOf(given.ToString()) is { } token)
            await EnterAsync(context, resource, token, next);
        else
            await Problems.NotATokenAsync(context, Shorten(given.ToString()));
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    /// <summary>Lets no token near the fence that was not granted: one that is greater than any would close it.</summary>
    private async Task ProveAsync(HttpContext context, LeaseProofVerifier verifier, string resource, RequestDelegate next)
    {
        if (context.Request.Headers[LeaseProof.Header] is not [{ Length: > 0 } given])
        {
            await Problems.NoProofAsync(context, resource);
            return;
        }

        LeaseProof? proof;
        try
        {
            proof = await verifier.VerifyAsync(given, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (HttpRequestException e)
        {
            LogNoKeys(logger, e);
            await Problems.UnavailableAsync(context, "The keys of the lease service cannot be fetched. Try again.");
            return;
        }

        // A token beside it that it does not prove is a mistake of the caller's, and nobody knows which of both is meant.
        var token = context.Request.Headers[FencedRequest.Header];
        if (proof?.Resource != resource || !Tokens.IsToken(proof.Token)
            || (token.Count > 0 && TokenOf(token.ToString()) != proof.Token))
            await Problems.NotProvedAsync(context, resource);
        else
            await EnterAsync(context, resource, proof.Token, next);
    }

    private async Task EnterAsync(HttpContext context, string resource, long token, RequestDelegate next)
    {
        FenceHold hold;
        using var span = StartSpan(context, token);
        try
        {
            hold = await _fence.HoldAsync(resource, token, options, context.RequestAborted);
        }
        catch (StaleTokenException)
        {
            await Problems.StaleAsync(context, resource, token);
            return;
        }
        catch (UnknownEpochException unknown)
        {
            LogUnknownEpoch(logger, VisibleText.Show(resource), token, unknown.Epoch);
            await Problems.UnavailableAsync(
                context, $"The fence does not take tokens of the restore epoch {unknown.Epoch}. Its owner has to accept the epoch.");
            return;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (TimeoutException busy)
        {
            await Problems.UnavailableAsync(context, busy.Message);
            return;
        }
        catch (NpgsqlException e)
        {
            LogUnavailable(logger, VisibleText.Show(resource), token, e);
            await Problems.UnavailableAsync(context, "The database of the fence does not answer. Try again.");
            return;
        }

        // What the endpoint does is the request's own, and not the fence's.
        span?.Dispose();
        await using (hold) await RunAsync(context, hold, next);
    }

    /// <summary>Traces the way through the fence, with a link to the acquire that the token is of.</summary>
    private static Activity? StartSpan(HttpContext context, long token)
    {
        if (!LeaseTracing.IsOn) return null;
        var links = ActivityContext.TryParse(context.Request.Headers[TraceHeader], traceState: null, isRemote: true, out var grant)
            ? new[] { new ActivityLink(grant) }
            : null;
        return LeaseTracing.Source.StartActivity(
            ActivityKind.Internal, parentContext: default, [new("leases.token", token)], links, startTime: default, "leases.fence");
    }

    /// <summary>Runs the endpoint, to its end: a caller that hangs up does not end what it has begun.</summary>
    private async Task RunAsync(HttpContext context, FenceHold hold, RequestDelegate next)
    {
        var callerIsGone = context.RequestAborted;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(callerIsGone, hold.LostToken);
        context.RequestAborted = stop.Token;
        context.Features.Set(new FencedRequest(hold.Resource, hold.Token));
        try
        {
            await next(context);
        }
        catch (StaleTokenException stale) when (!context.Response.HasStarted)
        {
            await Problems.StaleAsync(context, stale.Resource, stale.Token);
        }
        catch (OperationCanceledException) when (hold.LostToken.IsCancellationRequested && !callerIsGone.IsCancellationRequested
            && !context.Response.HasStarted)
        {
            await Problems.OutcomeUnknownAsync(context);
        }
        finally
        {
            if (hold.LostToken.IsCancellationRequested) LogLost(logger, VisibleText.Show(hold.Resource), hold.Token);
            context.RequestAborted = callerIsGone;
        }
    }

    private static long? TokenOf(string given) =>
        long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var token) && Tokens.IsToken(token) ? token : null;

    private static string Shorten(string text) => text.Length <= 100 ? text : $"{text[..100]}…";
}
