using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Metrics;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests.Metrics;

/// <summary>Who may scrape the metrics.</summary>
public sealed class MetricsPageTests
{
    [Fact]
    public async Task Metrics_WhereNobodyIsAsked_AreOpen()
    {
        await using var leases = EmbeddedLeases.InMemory();
        await using var host = await StartAsync(leases, rights: null);

        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync(new Uri("/metrics", UriKind.Relative))).StatusCode);
        Assert.Equal(
            HttpStatusCode.MethodNotAllowed, (await host.Client.PostAsync(new Uri("/metrics", UriKind.Relative), null)).StatusCode);
    }

    [Theory]
    [InlineData(LeaseRights.Read, HttpStatusCode.OK)]
    [InlineData(LeaseRights.Admin, HttpStatusCode.OK)]
    [InlineData(LeaseRights.Hold | LeaseRights.Break | LeaseRights.Keys, HttpStatusCode.Forbidden)]
    [InlineData(LeaseRights.None, HttpStatusCode.Forbidden)]
    public async Task Metrics_WhereCallersAreAsked_TakeARight(LeaseRights rights, HttpStatusCode status)
    {
        await using var leases = EmbeddedLeases.InMemory();
        await using var host = await StartAsync(leases, rights);

        Assert.Equal(status, (await host.Client.GetAsync(new Uri("/metrics", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task Metrics_OfAServerWithoutThem_AreNotFound()
    {
        await using var leases = EmbeddedLeases.InMemory();
        await using var host = await GatewayHost.StartAsync(leases);

        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.GetAsync(new Uri("/metrics", UriKind.Relative))).StatusCode);
    }

    private static Task<GatewayHost> StartAsync(ILeaseService leases, LeaseRights? rights) => GatewayHost.StartAsync(
        leases,
        options: gateway =>
        {
            if (rights is not { } given) return;
            var all = new AccessRights("ci", [new() { Prefix = given == LeaseRights.Admin ? "" : "jobs", Rights = given }]);
            gateway.Authenticate = _ => new(new LeaseCaller("ci", () => all));
        },
        services: services => services.AddSingleton<IMetricsPage>(new Page()));

    private sealed class Page : IMetricsPage
    {
        public Task WriteAsync(HttpContext context) => context.Response.WriteAsync("leases_held 1\n");
    }
}
