using System.Collections.Concurrent;
using OrleansLeases.Cluster.Tests.Load;
using OrleansLeases.Cluster.Tests.Processes;
using OrleansLeases.Testing.Load;

namespace OrleansLeases.Cluster.Tests;

/// <summary><c>kill -9</c> of silos, and their restart: what holders were told stays true.</summary>
[Collection(SharedCluster.Name)]
public sealed class KillTests(SharedCluster shared)
{
    [Fact]
    public async Task Grace_CoversTheProbesOfTheCluster()
    {
        var cluster = await shared.WholeAsync();

        var grace = (await cluster.Silos[0].Leases.InfoAsync()).Value.Grace;

        // The reserve of the longest lease, the skew of a second twice, three missed probes and two more, and the move.
        Assert.Equal(LeaseCluster.LongestTtl + TimeSpan.FromSeconds(2) + (5 * LeaseCluster.QuickProbe) + TimeSpan.FromSeconds(5), grace);
    }

    [Fact]
    public async Task Kill_UnderLoad_LosesNothingThatWasTold()
    {
        var cluster = await shared.WholeAsync();
        await using var run = await LoadRun.StartAsync(cluster, "kill");
        foreach (var silo in cluster.Silos.Take(2))
        {
            await run.ProceedAsync();
            var abandoned = await run.AbandonAsync(12);
            await run.ForgetAsync(12);

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
    public async Task Checks_OfARunWithFaults_FindThem()
    {
        var cluster = await shared.WholeAsync();
        await using var run = await LoadRun.StartAsync(cluster, "faults");
        await run.AssertSoundAsync();
        var held = run.Ledger.Tenures.Where(tenure => tenure.From < tenure.Until).OrderBy(tenure => tenure.From).ToList();
        var someone = held.First(tenure => held.Exists(later => later.Resource == tenure.Resource && later.From > tenure.Until));

        AssertFound("Two held at once", tenure => tenure == someone ? tenure with { Until = run.Ledger.Now } : tenure);
        AssertFound("The token went back", tenure => tenure == someone ? tenure with { Token = long.MaxValue } : tenure);
        AssertFound(
            "A token was granted twice", tenure => tenure.Resource == someone.Resource ? tenure with { Token = someone.Token } : tenure);

        var ended = new Ledger();
        foreach (var tenure in run.Ledger.Tenures) ended.Begin(tenure with { Ended = tenure.From });
        Assert.Contains(await run.Keys.FindFaultsAsync(ended), found => found.Contains("was written", StringComparison.Ordinal));
        Assert.Contains(await run.Keys.FindFaultsAsync(ended), found => found.Contains("was shown", StringComparison.Ordinal));

        void AssertFound(string fault, Func<Ledger.Tenure, Ledger.Tenure> falsify)
        {
            var ledger = new Ledger();
            foreach (var tenure in run.Ledger.Tenures) ledger.Begin(falsify(tenure));
            Assert.Contains(ledger.FindFaults(), found => found.StartsWith(fault, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task StaleToken_IsRefusedByTheTable_AndFoundWhereItWasNot(bool guarded)
    {
        var cluster = await shared.WholeAsync();
        var ledger = new Ledger();
        var table = new GuardedTable(cluster.Database, "stale", guarded);
        await table.CreateAsync([$"stale/{guarded}"]);
        var ann = await HoldAsync("ann");
        Assert.True(await table.WriteAsync(ann));

        // Ann stalls; Bob gets the lease once it is over.
        var bob = await HoldAsync("bob");
        Assert.True(await table.WriteAsync(bob));
        var accepted = await table.WriteAsync(ann);

        Assert.Equal(!guarded, accepted);
        Assert.Equal(guarded, (await table.FindFaultsAsync(ledger)).Count == 0);

        async Task<Ledger.Tenure> HoldAsync(string owner)
        {
            while (true)
            {
                var sent = ledger.Now;
                var answer = await cluster.Silos[0].Leases.AcquireAsync(
                    Ask($"stale/{guarded}", owner) with { Wait = TimeSpan.FromSeconds(25) });
                // On a busy machine a lease may end before the response that grants it.
                if (answer.Refusal is not Refusal.NotHolder { Reason: NotHolderReason.Expired }) return ledger.Begin(answer.Value, sent);
            }
        }
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
            await Eventually.TrueAsync(
                async () => (await gateway.GetAsync(new GetLeaseRequest { Resource = held.Resource })).Value.Waiters == 1,
                () => "Nobody waits.");
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

    private static AcquireRequest Ask(string resource, string owner) =>
        new() { Resource = resource, Owner = owner, Ttl = TimeSpan.FromSeconds(1) };
}
