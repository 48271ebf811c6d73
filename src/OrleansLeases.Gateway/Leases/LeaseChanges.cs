using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Http;

namespace OrleansLeases.Gateway.Leases;

/// <summary>The calls that change a lease.</summary>
internal sealed partial class LeaseChanges(ILeaseService leases, ServiceCalls calls, ILogger<LeaseChanges> logger)
{
    public async Task AcquireAsync(HttpContext context)
    {
        if (await RequestBody.ReadAsync(context, AcquireBody.Read, takesRequestId: true) is not { } request) return;

        // A wait would hold up the shutdown for as long as it lasts.
        using var wait = request.Wait > TimeSpan.Zero
            ? CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, calls.Stopping)
            : null;
        var answer = await calls.ChangeAsync(context, leases.AcquireAsync, request, request.RequestId, wait?.Token ?? context.RequestAborted);
        if (answer.TryGetValue(out var grant, out var refusal))
            await DeliverAsync(context, grant);
        else
            await Answer.RefuseAsync(context, refusal);
    }

    public Task RenewAsync(HttpContext context) =>
        ChangeAsync(context, RenewBody.Read, leases.RenewAsync, LeaseJson.Default.LeaseRenewal);

    public Task RenewBatchAsync(HttpContext context) =>
        ChangeAsync(context, RenewBatchBody.Read, leases.RenewBatchAsync, LeaseJson.Default.RenewBatchReply);

    public Task ReleaseAsync(HttpContext context) =>
        ChangeAsync(context, ReleaseBody.Read, leases.ReleaseAsync, LeaseJson.Default.LeaseRelease);

    public Task TransferAsync(HttpContext context) =>
        ChangeAsync(context, TransferBody.Read, leases.TransferAsync, LeaseJson.Default.LeaseGrant, request => request.RequestId);

    public Task BreakAsync(HttpContext context) =>
        ChangeAsync(context, BreakBody.Read, leases.BreakAsync, LeaseJson.Default.LeaseBreak, request => request.RequestId);

    private async Task ChangeAsync<TRequest, TReply>(
        HttpContext context,
        BodyParser<TRequest> parse,
        Func<TRequest, CancellationToken, ValueTask<LeaseResult<TReply>>> change,
        JsonTypeInfo<TReply> reply,
        Func<TRequest, string?>? requestIdOf = null)
        where TRequest : class
        where TReply : class
    {
        if (await RequestBody.ReadAsync(context, parse, takesRequestId: requestIdOf is not null) is not { } request) return;
        var answer = await calls.ChangeAsync(context, change, request, requestIdOf?.Invoke(request), context.RequestAborted);
        await Answer.WriteAsync(context, answer, reply);
    }

    private async Task DeliverAsync(HttpContext context, LeaseGrant grant)
    {
        var delivered = false;
        try
        {
            delivered = !context.RequestAborted.IsCancellationRequested
                && await Answer.WriteAsync(context, grant, LeaseJson.Default.LeaseGrant);
        }
        finally
        {
            // A replayed grant may have been delivered to an earlier call, whose holder relies on it.
            if (!delivered && !grant.Replayed) await ReleaseUndeliveredAsync(grant);
        }

        // The call was given up, but perhaps not by its caller.
        if (!delivered && !context.Response.HasStarted) await Answer.RefuseAsync(context, Failures.GivenUp(isChange: true, grant.RequestId));
    }

    private async Task ReleaseUndeliveredAsync(LeaseGrant grant)
    {
        // Another service would end the lease also where a repeat has been answered with it; there it runs out.
        if (leases is not IUndeliveredGrants host)
        {
            LogUndelivered(logger, grant.Resource, grant.Token, "left to expire");
            return;
        }

        try
        {
            var result = await host.GiveBackAsync(grant);
            LogUndelivered(logger, grant.Resource, grant.Token, result.Refusal?.Detail ?? "released");
        }
        catch (Exception e)
        {
            LogUndeliveredNotReleased(logger, grant.Resource, grant.Token, grant.Ttl, e);
        }
    }
}
