using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Testing.Telemetry;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests.Telemetry;

/// <summary>What a silo counts: the same instruments as one process, on its own host's meter.</summary>
public sealed class SiloMetricTests
{
    [Fact]
    public async Task Silo_HasTheInstrumentsOfTheTable_AndCountsWhatItsGrainsDo()
    {
        using var meters = new Meters();
        await using var cluster = await Cluster.OnAsync(
            await TestDatabase.ConnectionStringAsync(), Cluster.NewServiceId(),
            also: silo => silo.Services.Replace(ServiceDescriptor.Singleton<IMeterFactory>(meters)));

        var grant = (await cluster.Leases.AcquireAsync(Acquire("orders/42", "alice"))).Value;
        var held = meters.Totals();
        Assert.Null((await cluster.Leases.RenewAsync(Renew(grant))).Refusal);
        // Another process may have written it since: it is loaded.
        await cluster.Leases.GetAsync(new GetLeaseRequest { Resource = "orders/42", Consistent = true });
        Assert.Null((await cluster.Leases.ReleaseAsync(Release(grant))).Refusal);
        var totals = meters.Totals();

        Assert.Equal(InstrumentTable.RowsOf("OrleansLeases"), InstrumentTable.RowsOf(meters.Instruments));
        Assert.Equal((1, 0), (held["leases.held"], totals["leases.held"]));
        string[] once =
        [
            "leases.operation.duration{ok,acquire}", "leases.operation.duration{ok,renew}", "leases.operation.duration{ok,release}",
            "leases.renewals{memory}", "leases.ends{released}", "leases.store.duration{ok,add}", "leases.store.duration{ok,save}",
        ];
        Assert.All(once, series => Assert.Equal(1, totals[series]));
        Assert.All(["load", "save"], operation => Assert.True(totals[$"leases.store.batch.size{{{operation}}}"] > 0));
        // The silo's clock was read before the database's, on one machine.
        Assert.InRange(totals["leases.clock.offset{database}"], -60, 60);
        Assert.NotEqual(0, totals["leases.clock.offset{database}"]);
    }
}
