using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OrleansLeases.Client.Health;

/// <summary>
/// Whether the service answers, and whether the leases that are held are being renewed. Those in trouble are still held: they make the
/// client degraded, and not unhealthy.
/// </summary>
internal sealed class LeaseClientHealthCheck(LeaseClient client) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var (held, inTrouble) = client.Counts;
        var data = new Dictionary<string, object> { ["held"] = held, ["notRenewed"] = inTrouble };
        var info = await client.Service.InfoAsync(cancellationToken).ConfigureAwait(false);
        if (!info.TryGetValue(out var service, out var refusal))
            return new(context.Registration.FailureStatus, $"The lease service is not available: {refusal.Detail}", data: data);
        data["engine"] = service.Engine;
        return inTrouble == 0
            ? HealthCheckResult.Healthy($"The lease service answers; {held} leases are held.", data)
            : HealthCheckResult.Degraded(
                $"{inTrouble} of {held} leases are not being renewed, and end at their deadlines if that lasts; the log says why.",
                data: data);
    }
}
