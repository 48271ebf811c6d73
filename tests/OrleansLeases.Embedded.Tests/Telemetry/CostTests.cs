using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing.Telemetry;

namespace OrleansLeases.Embedded.Tests.Telemetry;

/// <summary>What it costs to be looked at, in bytes: times are the benchmark's.</summary>
[Collection(TracedTests.Name)]
public sealed class CostTests
{
    [Fact]
    public async Task Renewal_InMemory_AllocatesTheSame_WhereSomebodyListens()
    {
        using var listens = new Meters(takes: false);

        Assert.Equal(await AllocatedAsync(meters: null), await AllocatedAsync(listens));
    }

    private static async Task<long> AllocatedAsync(Meters? meters)
    {
        await using var leases = EmbeddedLeases.InMemory(new() { MeterFactory = meters });
        var grant = await leases.GrantAsync(Calls.By("alice"));
        var request = new RenewRequest { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token };
        var allocated = long.MaxValue;
        // The first ones are compiled meanwhile, and that allocates too.
        for (var round = 0; round < 50; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 10; i++) await leases.RenewAsync(request, CancellationToken.None);
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return allocated;
    }
}
