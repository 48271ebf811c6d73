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
    NpgsqlDataSource database, FenceHoldOptions options, TimeProvider time, ILogger<FencingFilter> logger) : IAsyncDisposable
{
    private readonly LeaseFence _fence = new(database, time: time);

    public async Task PassAsync(HttpContext context, string resource, RequestDelegate next)
    {
        var given = context.Request.Headers[FencedRequest.Header];
        if (given.Count == 0)
            await Problems.NoTokenAsync(context, resource);
        else if (TokenOf(given.ToString()) is { } token)
            await EnterAsync(context, resource, token, next);
        else
            await Problems.NotATokenAsync(context, Shorten(given.ToString()));
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private async Task EnterAsync(HttpContext context, string resource, long token, RequestDelegate next)
    {
        FenceHold hold;
        try
        {
            hold = await _fence.HoldAsync(resource, token, options, context.RequestAborted);
        }
        catch (StaleTokenException)
        {
            await Problems.StaleAsync(context, resource, token);
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

        await using (hold) await RunAsync(context, hold, next);
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
