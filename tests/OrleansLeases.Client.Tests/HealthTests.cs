using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansLeases.Client.Health;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests;

/// <summary>The health check that <c>AddLeasesClient</c> registers, and its reasons.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task Check_IsAmongTheApplications_AndSaysWhyTheServiceDoesNotAnswer()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddLeasesClient(leases => leases.Servers.Add("http://127.0.0.1:1"));
        services.AddKeyedLeasesClient("billing", leases => leases.Servers.Add("http://127.0.0.1:1"));
        services.AddHealthChecks();
        await using var provider = services.BuildServiceProvider();

        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        Assert.Equal(["leases", "leases:billing"], report.Entries.Keys.Order());
        Assert.Equal(HealthStatus.Unhealthy, report.Entries["leases"].Status);
        Assert.StartsWith("The lease service is not available: ", report.Entries["leases"].Description, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:1", report.Entries["leases"].Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_GivesWayToOneOfTheApplications_AndIsThereOnce()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddLeasesClient(leases => leases.Servers.Add("http://127.0.0.1:1"));
        services.AddLeasesClient(_ => { });
        services.AddKeyedLeasesClient("billing", leases => leases.Servers.Add("http://127.0.0.1:1"));
        services.AddHealthChecks().AddCheck("leases:billing", () => HealthCheckResult.Healthy("It is the application's."));
        await using var provider = services.BuildServiceProvider();

        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        Assert.Equal(["leases", "leases:billing"], report.Entries.Keys.Order());
        Assert.Equal("It is the application's.", report.Entries["leases:billing"].Description);
    }

    [Fact]
    public async Task Check_IsDegraded_WhileLeasesAreNotRenewed()
    {
        await using var fixture = new HandleFixture();
        var check = new LeaseClientHealthCheck(fixture.Client);
        var context = new HealthCheckContext
        {
            Registration = new("leases", check, HealthStatus.Unhealthy, tags: null),
        };
        await fixture.AcquireAsync("one");
        await fixture.AcquireAsync("other");
        Assert.Equal(HealthStatus.Healthy, (await check.CheckHealthAsync(context)).Status);

        fixture.Network.FateOf = verb => verb == "renew" ? Fate.Refused(new Refusal.Unavailable(TimeSpan.Zero, "away")) : Fate.Passes;
        await fixture.AdvanceAsync(HandleFixture.Ttl / 2);
        var degraded = await check.CheckHealthAsync(context);

        Assert.Equal(HealthStatus.Degraded, degraded.Status);
        Assert.StartsWith("2 of 2 leases are not being renewed", degraded.Description, StringComparison.Ordinal);
        Assert.Equal((2, 2), ((int)degraded.Data["held"], (int)degraded.Data["notRenewed"]));
        fixture.Network.FateOf = _ => Fate.Passes;
        await fixture.AdvanceAsync(HandleFixture.Ttl / 4);
        Assert.Equal(HealthStatus.Healthy, (await check.CheckHealthAsync(context)).Status);
    }
}
