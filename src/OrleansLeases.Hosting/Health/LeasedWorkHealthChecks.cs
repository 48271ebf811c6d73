using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace OrleansLeases.Hosting.Health;

/// <summary>A health check for each leased work, by the name of its resource, where the application has none of that name.</summary>
internal sealed class LeasedWorkHealthChecks(IEnumerable<LeasedWork> works) : IPostConfigureOptions<HealthCheckServiceOptions>
{
    public void PostConfigure(string? name, HealthCheckServiceOptions options)
    {
        foreach (var work in works)
        {
            if (options.Registrations.Any(check => string.Equals(check.Name, work.Resource, StringComparison.OrdinalIgnoreCase))) continue;
            options.Registrations.Add(new(work.Resource, new Check(work), failureStatus: null, tags: null));
        }
    }

    private sealed class Check(LeasedWork work) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(work.Check(context.Registration.FailureStatus));
    }
}
