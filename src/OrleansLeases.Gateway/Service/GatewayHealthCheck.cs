using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace OrleansLeases.Gateway.Service;

/// <summary>Whether the gateway takes calls, as <c>/health/ready</c> says it.</summary>
internal sealed class GatewayHealthCheck(ILeaseService leases, IHostApplicationLifetime lifetime) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
            return new(context.Registration.FailureStatus, "The gateway is shutting down.");
        var info = await leases.InfoAsync(cancellationToken);
        return info.TryGetValue(out var service, out var refusal)
            ? HealthCheckResult.Healthy(
                $"The service takes calls ({service.Engine}).",
                new Dictionary<string, object> { ["engine"] = service.Engine, ["epoch"] = service.Epoch })
            : new(context.Registration.FailureStatus, refusal.Detail);
    }
}
