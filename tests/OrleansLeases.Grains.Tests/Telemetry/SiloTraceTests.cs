using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.TestingHost;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Testing.Telemetry;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests.Telemetry;

/// <summary>Whoever listens has every call of the process traced: not beside other tests.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TracedTests
{
    public const string Name = "Traced";
}

/// <summary>A trace goes from silo to silo.</summary>
[Collection(TracedTests.Name)]
public sealed class SiloTraceTests
{
    [Fact]
    public async Task Acquire_ThatWaits_IsOneTrace_WhicheverOfThreeSilosHasItsGrain()
    {
        var builder = new InProcessTestClusterBuilder(3);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => silo.AddLeases());
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        ILeaseService[] silos =
        [
            .. from silo in cluster.Silos
               select cluster.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<ILeaseService>(),
        ];
        var held = (await silos[0].AcquireAsync(Acquire("orders/42", "alice"))).Value;
        List<Task<LeaseResult<LeaseGrant>>> waiting = [];
        using var spans = new Spans();

        // From each silo one: two of them are not where the grain is.
        foreach (var (i, silo) in silos.Index())
            waiting.Add(silo.AcquireAsync(Acquire("orders/42", $"bob/{i}") with { Wait = TimeSpan.FromSeconds(20) }).AsTask());
        await Calls.UntilAsync(async () => (await silos[0].GetAsync(new GetLeaseRequest { Resource = "orders/42" })).Value.Waiters == 3);
        Assert.Null((await silos[1].ReleaseAsync(Release(held))).Refusal);
        for (var i = 0; i < 3; i++)
        {
            var granted = await Task.WhenAny(waiting).WaitAsync(Calls.WaitTimeout);
            waiting.Remove(granted);
            Assert.Null((await silos[2].ReleaseAsync(Release((await granted).Value))).Refusal);
        }

        await Calls.UntilAsync(() => Task.FromResult(Of(spans, "leases.acquire").Count == 3 && Of(spans, "leases.keeper").Count >= 7));
        Assert.Equal(3, Of(spans, "leases.queue").Count);
        Assert.Equal("test/leases.acquire/leases.keeper/leases.queue", spans.PathOf("leases.queue"));
        Assert.Equal(3, Of(spans, "leases.queue").Select(span => span.ParentSpanId).Distinct().Count());
        Assert.DoesNotContain(spans.Ended, span => spans.PathOf(span.OperationName).StartsWith('?'));
    }

    private static List<Activity> Of(Spans spans, string name) => [.. spans.Ended.Where(span => span.OperationName == name)];
}
