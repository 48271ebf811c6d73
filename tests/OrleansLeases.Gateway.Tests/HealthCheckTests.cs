using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>The gateway among an application's health checks.</summary>
public sealed class HealthCheckTests
{
    [Fact]
    public async Task Check_SaysWhyTheServiceTakesNoCalls()
    {
        var leases = EmbeddedLeases.InMemory();
        HealthCheckService checks = null!;
        await using var host = await GatewayHost.StartAsync(
            leases,
            services: services => services.AddHealthChecks().AddLeaseGateway(),
            app: app => checks = app.Services.GetRequiredService<HealthCheckService>());
        var healthy = await checks.CheckHealthAsync();
        Assert.Equal(HealthStatus.Healthy, healthy.Entries["leases-gateway"].Status);
        Assert.Equal("embedded-memory", healthy.Entries["leases-gateway"].Data["engine"]);

        await leases.DisposeAsync();
        var closed = (await checks.CheckHealthAsync()).Entries["leases-gateway"];

        Assert.Equal((HealthStatus.Unhealthy, "The service is shutting down."), (closed.Status, closed.Description));
    }

    [Fact]
    public async Task Check_OfAGatewayThatStops_SaysSo()
    {
        await using var leases = EmbeddedLeases.InMemory();
        HealthCheckService checks = null!;
        await using var host = await GatewayHost.StartAsync(
            leases,
            services: services => services.AddHealthChecks().AddLeaseGateway(failureStatus: HealthStatus.Degraded),
            app: app => checks = app.Services.GetRequiredService<HealthCheckService>());

        host.Lifetime.StopApplication();

        var stopping = (await checks.CheckHealthAsync()).Entries["leases-gateway"];
        Assert.Equal((HealthStatus.Degraded, "The gateway is shutting down."), (stopping.Status, stopping.Description));
    }
}
