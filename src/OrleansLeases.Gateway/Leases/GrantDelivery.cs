using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Http;

namespace OrleansLeases.Gateway.Leases;

/// <summary>Writes responses that carry grants, and gives back the grants of one that could not be delivered.</summary>
internal sealed partial class GrantDelivery(ILeaseService leases, ILogger<GrantDelivery> logger)
{
    /// <summary>Writes a response.</summary>
    /// <param name="context">The call.</param>
    /// <param name="grants">What its acquires were granted.</param>
    /// <param name="requestId">What to repeat where it was not delivered; null where there is no one id.</param>
    /// <param name="write">Writes it, and returns whether the connection took it.</param>
    public async Task DeliverAsync(
        HttpContext context, IReadOnlyList<LeaseGrant> grants, string? requestId, Func<ValueTask<bool>> write)
    {
        var delivered = false;
        try
        {
            delivered = !context.RequestAborted.IsCancellationRequested && await write();
        }
        finally
        {
            // A replayed grant may have been delivered to an earlier call, whose holder relies on it.
            if (!delivered) await Task.WhenAll(grants.Where(grant => !grant.Replayed).Select(GiveBackAsync));
        }

        // The call was given up, but perhaps not by its caller.
        if (!delivered && !context.Response.HasStarted)
            await ResponseWriter.RefuseAsync(context, Failures.GivenUp(isChange: true, requestId));
    }

    private async Task GiveBackAsync(LeaseGrant grant)
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
