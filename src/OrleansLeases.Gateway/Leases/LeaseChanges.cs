using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Leases;

/// <summary>The calls that change a lease.</summary>
internal sealed partial class LeaseChanges(ILeaseService leases, ServiceCalls calls, ILogger<LeaseChanges> logger)
{
    private static readonly BodyReader<AcquireRequest> Acquire = new(LeaseJson.Default.AcquireRequest);
    private static readonly BodyReader<RenewRequest> Renew = new(LeaseJson.Default.RenewRequest);
    private static readonly BodyReader<RenewBatchRequest> RenewBatch = new(LeaseJson.Default.RenewBatchRequest);
    private static readonly BodyReader<ReleaseRequest> Release = new(LeaseJson.Default.ReleaseRequest);
    private static readonly BodyReader<TransferRequest> Transfer = new(LeaseJson.Default.TransferRequest);
    private static readonly BodyReader<BreakRequest> Break = new(LeaseJson.Default.BreakRequest);

    public async Task AcquireAsync(HttpContext context)
    {
        if (await RequestBody.ReadAsync(context, Acquire) is not { } request) return;

        // A wait would hold up the shutdown for as long as it lasts.
        using var wait = request.Wait > TimeSpan.Zero
            ? CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, calls.Stopping)
            : null;
        var cancellation = wait?.Token ?? context.RequestAborted;
        var answer = await calls.ChangeAsync(context, leases.AcquireAsync, request, request.RequestId, cancellation);
        if (answer.TryGetValue(out var grant, out var refusal))
            await DeliverAsync(context, grant);
        else
            await ResponseWriter.RefuseAsync(context, refusal);
    }

    public Task RenewAsync(HttpContext context) =>
        ChangeAsync(context, Renew, leases.RenewAsync, LeaseJson.Default.LeaseRenewal);

    public Task RenewBatchAsync(HttpContext context) =>
        ChangeAsync(context, RenewBatch, leases.RenewBatchAsync, LeaseJson.Default.RenewBatchReply);

    public Task ReleaseAsync(HttpContext context) =>
        ChangeAsync(context, Release, leases.ReleaseAsync, LeaseJson.Default.LeaseRelease);

    public Task TransferAsync(HttpContext context) =>
        ChangeAsync(context, Transfer, leases.TransferAsync, LeaseJson.Default.LeaseGrant);

    public Task BreakAsync(HttpContext context) =>
        ChangeAsync(context, Break, leases.BreakAsync, LeaseJson.Default.LeaseBreak);

    private async Task ChangeAsync<TRequest, TReply>(
        HttpContext context,
        BodyReader<TRequest> body,
        Func<TRequest, CancellationToken, ValueTask<LeaseResult<TReply>>> change,
        JsonTypeInfo<TReply> reply)
        where TRequest : class
        where TReply : class
    {
        if (await RequestBody.ReadAsync(context, body) is not { } request) return;
        var answer = await calls.ChangeAsync(context, change, request, body.RequestIdOf(request), context.RequestAborted);
        await ResponseWriter.WriteAsync(context, answer, reply);
    }

    private async Task DeliverAsync(HttpContext context, LeaseGrant grant)
    {
        var delivered = false;
        try
        {
            delivered = !context.RequestAborted.IsCancellationRequested
                && await ResponseWriter.WriteAsync(context, grant, LeaseJson.Default.LeaseGrant);
        }
        finally
        {
            // A replayed grant may have been delivered to an earlier call, whose holder relies on it.
            if (!delivered && !grant.Replayed) await ReleaseUndeliveredAsync(grant);
        }

        // The call was given up, but perhaps not by its caller.
        if (!delivered && !context.Response.HasStarted)
            await ResponseWriter.RefuseAsync(context, Failures.GivenUp(isChange: true, grant.RequestId));
    }

    private async Task ReleaseUndeliveredAsync(LeaseGrant grant)
    {
        // Another service would end the lease also where a repeat has been answered with it; there it runs out.
        if (leases is not IUndeliveredGrants host)
        {
            LogUndelivered(logger, VisibleText.Show(grant.Resource), grant.Token, "left to expire");
            return;
        }

        try
        {
            var result = await host.GiveBackAsync(grant);
            LogUndelivered(logger, VisibleText.Show(grant.Resource), grant.Token, VisibleText.Show(result.Refusal?.Detail ?? "released"));
        }
        catch (Exception e)
        {
            LogUndeliveredNotReleased(logger, VisibleText.Show(grant.Resource), grant.Token, grant.Ttl, e);
        }
    }
}
