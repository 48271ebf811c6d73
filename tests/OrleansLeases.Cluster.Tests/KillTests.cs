using System.Collections.Concurrent;
using OrleansLeases.Cluster.Tests.Load;
using OrleansLeases.Cluster.Tests.Processes;

namespace OrleansLeases.Cluster.Tests;

/// <summary><c>kill -9</c> of silos, and their restart: what holders were told stays true.</summary>
[Collection(SharedCluster.Name)]
public sealed class KillTests(SharedCluster shared)
{
    [Fact]
    public async Task Kill_UnderLoad_LosesNothingThatWasTold()
    {
        var cluster = await shared.WholeAsync();
        await using var run = await LoadRun.StartAsync(cluster, "kill");
        foreach (var silo in cluster.Silos.Take(2))
        {
            await run.ProceedAsync();
            var abandoned = await run.AbandonAsync(12);

            await silo.KillAsync();
            var heirs = run.AssertGrantableAsync(abandoned);
            // Once the others have noticed, or before: a silo that comes back says itself that its predecessor is gone.
            if (silo != cluster.Silos[0]) await cluster.DeclaredDeadAsync(silo);
            await silo.StartAsync();

            await heirs;
        }

        await run.AssertSoundAsync();
    }

    [Fact]
    public async Task Kill_WhileOthersWait_LetsHoldersRenew()
    {
        var cluster = await shared.WholeAsync();
        var gateway = cluster.Silos[1].Leases;
        var grants = new ConcurrentBag<LeaseGrant>();
        var waiting = new ConcurrentBag<Task>();
        // So many that the silo that dies is the directory for some that live elsewhere.
        await Task.WhenAll(Enumerable.Range(0, 30).Select(async number =>
        {
            var held = (await gateway.AcquireAsync(Ask($"long/{number}", "ann") with { Ttl = LeaseCluster.LongestTtl })).Value;
            grants.Add(held);
            waiting.Add(gateway.AcquireAsync(Ask(held.Resource, "bob") with { Wait = TimeSpan.FromSeconds(25) }).AsTask());
            await Eventually.TrueAsync(async () => (await gateway.GetAsync(new GetLeaseRequest { Resource = held.Resource })).Value.Waiters == 1, () => "Nobody waits.");
        }));

        await cluster.Silos[0].KillAsync();
        await cluster.DeclaredDeadAsync(cluster.Silos[0]);

        // However long the calls of the others would still wait.
        await Task.WhenAll(grants.Select(async held =>
        {
            var renewal = new RenewRequest { Resource = held.Resource, Owner = held.Owner, Token = held.Token };
            LeaseResult<LeaseRenewal> answer;
            do answer = await gateway.RenewAsync(renewal);
            while (answer.Refusal is Refusal.Unavailable or Refusal.OutcomeUnknown);
            Assert.Null(answer.Refusal);
            await gateway.ReleaseAsync(new ReleaseRequest { Resource = held.Resource, Owner = held.Owner, Token = held.Token });
        }));
        await Task.WhenAll(waiting);
    }

    private static AcquireRequest Ask(string resource, string owner) => new() { Resource = resource, Owner = owner, Ttl = TimeSpan.FromSeconds(1) };
}
