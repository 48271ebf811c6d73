using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrleansLeases.Client;

namespace OrleansLeases.Hosting.Aspire.Tests;

/// <summary>Servers that Aspire's orchestrator has started, and an application that is told of them as by <c>WithReference</c>.</summary>
public sealed class RunningTests(AppHost apphost) : IClassFixture<AppHost>
{
    [OrchestratedFact]
    public async Task Application_FindsItsServersByTheirNames_AndHoldsALeaseOfEach()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(
            apphost.Environment.Select(variable =>
                KeyValuePair.Create(variable.Key.Replace("__", ":", StringComparison.Ordinal), (string?)variable.Value)));
        builder.AddLeasesClient("leases");
        builder.AddKeyedLeasesClient("billing");
        using var host = builder.Build();
        await host.StartAsync();

        var leases = host.Services.GetRequiredService<LeaseClient>();
        var billing = host.Services.GetRequiredKeyedService<LeaseClient>("billing");
        await using var first = await leases.AcquireAsync("orders/42");
        await using var second = await billing.AcquireAsync("orders/42");

        Assert.True(first.IsValid());
        Assert.True(second.IsValid());
        Assert.Equal("embedded-memory", (await leases.Service.InfoAsync()).Value.Engine);
        Assert.Equal("embedded-sqlite", (await billing.Service.InfoAsync()).Value.Engine);
        Assert.True(File.Exists(Path.Combine(apphost.DataFolder, "leases.db")));
    }

    [OrchestratedFact]
    public async Task Server_WithAccess_KnowsNobodyWithoutItsKey()
    {
        using var http = new HttpClient { BaseAddress = new Uri(apphost.Environment["BILLING_URI"]) };

        var refused = await new HttpLeaseService(http).GetAsync(new() { Resource = "orders/42" });

        Assert.False(refused.TryGetValue(out _, out var refusal));
        Assert.IsType<Refusal.Unauthorized>(refusal);
    }

    // As from a container, whose URL has one of these names.
    [OrchestratedTheory]
    [InlineData("aspire.dev.internal")]
    [InlineData("host.docker.internal")]
    [InlineData("host.containers.internal")]
    public async Task Server_OnLoopback_IsCalledFromContainers(string host)
    {
        using var http = new HttpClient { BaseAddress = new Uri(apphost.Environment["LEASES_URI"]) };
        http.DefaultRequestHeaders.Host = host;

        Assert.True((await new HttpLeaseService(http).GetAsync(new() { Resource = "orders/43" })).TryGetValue(out _, out _));
    }
}
