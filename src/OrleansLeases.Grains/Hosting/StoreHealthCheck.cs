using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OrleansLeases.Grains;

/// <summary>Whether the store of a silo's leases can be used.</summary>
internal sealed class StoreHealthCheck(LeaseStorage storage) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(storage.Store.Trouble is { } trouble
            ? new HealthCheckResult(
                context.Registration.FailureStatus,
                trouble.Reason,
                data: new Dictionary<string, object> { ["trouble"] = $"{trouble.Kind}" })
            : HealthCheckResult.Healthy("The store of the leases can be used."));
}
