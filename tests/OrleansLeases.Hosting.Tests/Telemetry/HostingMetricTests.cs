using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Hosting.Tests.Support;
using OrleansLeases.Testing.Telemetry;

namespace OrleansLeases.Hosting.Tests.Telemetry;

/// <summary>What a host counts, and that <c>docs/telemetry.md</c> says so.</summary>
public sealed class HostingMetricTests
{
    [Fact]
    public async Task Table_IsWhatIsCounted()
    {
        using var meters = new Meters();
        await using var world = new HostingWorld();
        var fails = true;
        var member = await world.StartAsync("ann", services =>
        {
            services.AddSingleton<IMeterFactory>(meters).AddSingleton(new Exports("ann", [])).AddLeaderService<Exporter>();
            services.AddScheduledJob("bills", "* * * * *", (_, _) => fails ? throw new InvalidOperationException() : Task.CompletedTask);
        });
        await world.SettleAsync(() => Total($"leases.leader.leading{{{typeof(Exporter)}}}") == 1);
        await world.SettleAsync(() => world.Service.GetKeyAsync("jobs/bills").AsTask().Result.Refusal is null);
        await world.PassAsync(TimeSpan.FromMinutes(1));
        await world.SettleAsync(() => Total("leases.job.duration{bills,failed}") == 1);
        fails = false;
        // The clock leaps over ticks.
        world.Time.StepWall(TimeSpan.FromMinutes(3));
        await world.Time.AdvanceUntilAsync(() => Total("leases.job.duration{bills,completed}") == 1, TimeSpan.FromMilliseconds(100));
        Assert.Equal(2, Total("leases.job.missed{bills}"));
        Assert.Equal(2, Total("leases.job.delay{bills}"));

        await member.Host.StopAsync();

        Assert.Equal(0, Total($"leases.leader.leading{{{typeof(Exporter)}}}"));
        var attributes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (instrument, seen) in meters.Attributes)
            if (IsOfHosting(instrument)) attributes[instrument] = string.Join(", ", seen);
        Assert.Equal(InstrumentTable.AttributesOf("OrleansLeases.Hosting"), attributes);
        Assert.Equal(
            InstrumentTable.RowsOf("OrleansLeases.Hosting"),
            InstrumentTable.RowsOf(meters.Instruments.Where(instrument => instrument.Meter.Name == "OrleansLeases.Hosting")));

        double Total(string series) => meters.Totals().GetValueOrDefault(series);

        static bool IsOfHosting(string instrument) => instrument.Split('.') is ["leases", "leader" or "job", ..];
    }
}
