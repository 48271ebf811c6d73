using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Bounds;
using OrleansLeases.Gateway.Hosting;

namespace OrleansLeases.Gateway.Http;

/// <summary>
/// What every call passes on its way in and out, whichever endpoint it is for: whether there is room for it, who may not call, and which
/// paths are the contract's, is decided here; and nothing leaves that looks like a success and was not written as one.
/// </summary>
internal sealed partial class Entrance(
    CallerCheck callers, Authentication? authentication, CallerTraces? traces, GatewayBounds bounds, MemoryWatch memory,
    ILogger<Entrance> logger)
{
    /// <summary>Maps endpoints that are reached through the entrance only.</summary>
    public IEndpointRouteBuilder Before(IEndpointRouteBuilder endpoints)
    {
        var behind = endpoints.MapGroup("");
        // No answer is true for longer than the moment, and an output cache of the host looks at no header.
        behind.CacheOutput(cache => cache.NoCache());
        // Waits and watches are meant to be long, and have bounds of their own; so is whatever the store is slow with.
        behind.DisableRequestTimeout();
        // The documents of the host are about what is the host's.
        behind.ExcludeFromDescription();
        ((IEndpointConventionBuilder)behind).Finally(Guard);
        return behind;
    }

    private void Guard(EndpointBuilder endpoint)
    {
        var next = endpoint.RequestDelegate!;
        var isOpenToAll = endpoint.Metadata.Contains(OpenToAll.Instance);
        var kind = new Kind(
            isOpenToAll,
            endpoint.Metadata.Contains(OpenToLinks.Instance),
            isOpenToAll || endpoint.Metadata.Contains(OwnRoom.Instance));
        endpoint.Metadata.Add(kind.HasOwnRoom ? bounds.OwnBodies : bounds.Bodies);
        endpoint.RequestDelegate = context => PassAsync(context, next, kind);
    }

    private async Task PassAsync(HttpContext context, RequestDelegate next, Kind kind)
    {
        context.Response.Headers.CacheControl = "no-store";
        var trace = traces is null ? null : CallerTraces.Suspend(context);
        // Before anything else: what is too much costs as little as can be.
        var place = context.Features.Get<ConnectionPlace>();
        if ((kind.HasOwnRoom ? bounds.EnterOwn(kind.IsOpenToAll) : bounds.Enter(place)) is { } full)
        {
            await Full.RefuseAsync(context, full);
            return;
        }

        if (place is { IsInReserve: true }) Full.EndConnection(context);
        string? failure = null;
        var isIn = true;
        try
        {
            var refusal = await RefuseAsync(context, kind);
            if (refusal is null && !kind.IsOpenToAll) CallerTraces.Resume(trace);
            if (refusal is not null)
            {
                // Over HTTP/2 who reads no answer holds up its writing: an outsider must not keep a holder's place meanwhile.
                Leave(kind, ref isIn);
                await ResponseWriter.RefuseAsync(context, refusal);
            }
            else if (!RawPath.IsExact(context))
                await UnknownPath.RefuseAsync(context);
            else
            {
                if (!kind.IsOpenToAll) place?.Hear();
                await next(context);
            }

            if (IsAnswered(context.Response)) return;
            LogUnanswered(logger, context.Request.Method, context.Request.Path, failure = FailureId.New());
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // By its caller, or by a limit of the host on the time of requests.
        }
        catch (Exception e)
        {
            memory.Note(e);
            LogFailed(logger, context.Request.Method, context.Request.Path, failure = FailureId.New(), e);
        }
        finally
        {
            Leave(kind, ref isIn);
        }

        await EndAsync(context, failure);
    }

    private async ValueTask<Refusal?> RefuseAsync(HttpContext context, Kind kind) =>
        callers.Refuse(context, kind.IsOpenToLinks) is { } refusal ? refusal
        : authentication is not null && !kind.IsOpenToAll ? await authentication.RefuseAsync(context)
        : null;

    private void Leave(Kind kind, ref bool isIn)
    {
        if (!isIn) return;
        isIn = false;
        if (kind.HasOwnRoom) bounds.LeaveOwn(kind.IsOpenToAll);
        else bounds.Leave();
    }

    // Every answer says what it is before a byte of it leaves. A host that buffers may not have started it by now.
    private static bool IsAnswered(HttpResponse response) =>
        response.HasStarted || response.ContentType is not null || response.StatusCode != StatusCodes.Status200OK;

    // Half an answer is cut off, so that nobody takes it for a whole one. What was written and has not left cannot be taken back.
    private static Task EndAsync(HttpContext context, string? failure)
    {
        if (context.Response.HasStarted || context.Response.BodyWriter is { CanGetUnflushedBytes: true, UnflushedBytes: > 0 })
        {
            context.Abort();
            return Task.CompletedTask;
        }

        context.Response.Clear();
        context.Response.Headers.CacheControl = "no-store";
        var isChange = !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method);
        return ResponseWriter.RefuseAsync(
            context, failure is null ? Failures.GivenUp(isChange, requestId: null) : Failures.Failed(failure, isChange, requestId: null));
    }

    /// <summary>What an endpoint's metadata say of how it is reached.</summary>
    private readonly record struct Kind(bool IsOpenToAll, bool IsOpenToLinks, bool HasOwnRoom);
}
