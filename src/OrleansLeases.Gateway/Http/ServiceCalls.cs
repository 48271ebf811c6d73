using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Http;

/// <summary>
/// Calls the service and turns its exceptions into refusals that claim no more than is known: a change whose call failed may have
/// happened.
/// </summary>
internal sealed partial class ServiceCalls(
    ILeaseService leases, ILogger<ServiceCalls> logger, MemoryWatch memory, CancellationToken stopping)
{
    /// <summary>Whether a call has met the end of memory.</summary>
    public MemoryWatch Memory => memory;

    /// <summary>Fires when the host begins to shut down.</summary>
    public CancellationToken Stopping => stopping;

    /// <summary>Asks for a change.</summary>
    /// <param name="context">The call.</param>
    /// <param name="call">The member of the service.</param>
    /// <param name="request">Its request.</param>
    /// <param name="requestId">What to repeat if the outcome is not known.</param>
    /// <param name="cancellation">Fires no later than the caller is gone.</param>
    /// <returns>The answer, also where nobody may be left to read it.</returns>
    public ValueTask<LeaseResult<TReply>> ChangeAsync<TRequest, TReply>(
        HttpContext context,
        Func<ILeaseService, TRequest, CancellationToken, ValueTask<LeaseResult<TReply>>> call,
        TRequest request,
        string? requestId,
        CancellationToken cancellation)
        where TReply : class
        => AskAsync(context, call, request, isChange: true, requestId, cancellation);

    /// <summary>Asks for something that changes nothing.</summary>
    /// <param name="context">The call.</param>
    /// <param name="call">The member of the service.</param>
    /// <param name="request">Its request.</param>
    /// <returns>The answer, also where nobody may be left to read it.</returns>
    public ValueTask<LeaseResult<TReply>> ReadAsync<TRequest, TReply>(
        HttpContext context, Func<ILeaseService, TRequest, CancellationToken, ValueTask<LeaseResult<TReply>>> call, TRequest request)
        where TReply : class => AskAsync(context, call, request, isChange: false, requestId: null, context.RequestAborted);

    private async ValueTask<LeaseResult<TReply>> AskAsync<TRequest, TReply>(
        HttpContext context,
        Func<ILeaseService, TRequest, CancellationToken, ValueTask<LeaseResult<TReply>>> call,
        TRequest request,
        bool isChange,
        string? requestId,
        CancellationToken cancellation)
        where TReply : class
    {
        try
        {
            return await call(context.Features.Get<ILeaseService>() ?? leases, request, cancellation);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return Failures.GivenUp(isChange, requestId);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return Failures.ShuttingDown;
        }
        catch (ObjectDisposedException)
        {
            return Failures.ShuttingDown;
        }
        catch (Exception e)
        {
            memory.Note(e);
            var failure = FailureId.New();
            LogFailed(logger, context.Request.Method, context.Request.Path, failure, e);
            return Failures.Failed(failure, isChange, requestId);
        }
        finally
        {
            // A client that keeps the connection might send its next request as the host cuts it, and not know what became of it.
            if (stopping.IsCancellationRequested) context.Response.Headers.Connection = "close";
        }
    }
}
