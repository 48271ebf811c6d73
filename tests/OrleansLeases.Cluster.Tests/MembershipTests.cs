using OrleansLeases.Cluster.Tests.Load;
using OrleansLeases.Cluster.Tests.Processes;

namespace OrleansLeases.Cluster.Tests;

/// <summary>A silo that joins, and one that leaves as it is told to.</summary>
[Collection(SharedCluster.Name)]
public sealed class MembershipTests(SharedCluster shared)
{
    [Fact]
    public async Task Joining_UnderLoad_IsNotNoticed()
    {
        var cluster = await shared.WholeAsync();
        var others = cluster.Silos.ToList();
        await using var run = await LoadRun.StartAsync(cluster, "joining");
        await run.ProceedAsync();

        var began = TimeProvider.System.GetTimestamp();
        await cluster.Add().StartAsync();
        await run.ProceedAsync();

        Assert.DoesNotContain(
            others.SelectMany(silo => silo.Watch.RefusalsSince(began)),
            refusal => refusal is not (Refusal.Held or Refusal.NotHolder or Refusal.NotFound));
        await run.AssertSoundAsync();
    }

    [Fact]
    public async Task Leaving_UnderLoad_AnswersWhoWaitsAndEndsWell()
    {
        var cluster = await shared.WholeAsync();
        var leaving = cluster.Silos[^1];
        var others = cluster.Silos.Except([leaving]).ToList();
        await using var run = await LoadRun.StartAsync(cluster, "leaving");
        await run.ProceedAsync();
        var here = await WaitAsync("leaving/here", leaving.Leases);
        var there = await WaitAsync("leaving/there", others[0].Leases);

        var began = TimeProvider.System.GetTimestamp();
        leaving.AskToEnd();

        // At its gateway everyone is told, wherever the lease is; else they would wait for 25 s.
        foreach (var (_, waiting) in here) Assert.IsType<Refusal.Unavailable>((await waiting).Refusal);
        Assert.Equal(0, await leaving.Process.ExitCodeAsync());
        var took = TimeProvider.System.GetElapsedTime(began);
        Assert.True(took < LeaseCluster.ShutdownTimeout + LoadRun.SchedulingSlack, $"The silo took {took} to end.");

        // Who asked elsewhere goes on waiting, unless the lease lived here: then they are told, or the lease is another's to know.
        foreach (var (grant, _) in there) await ReleaseAsync(grant, others[0].Leases);
        foreach (var (_, waiting) in there) Assert.True(
            (await waiting).Refusal is null or Refusal.Unavailable or Refusal.OutcomeUnknown, $"Who waited was told {await waiting}");
        await run.ProceedAsync();
        Assert.DoesNotContain(
            leaving.Watch.RefusalsSince(began),
            refusal => refusal is not (Refusal.Held or Refusal.NotHolder or Refusal.NotFound or Refusal.Unavailable));
        Assert.DoesNotContain(
            others.SelectMany(silo => silo.Watch.RefusalsSince(began)),
            refusal =>
                refusal is not (Refusal.Held or Refusal.NotHolder or Refusal.NotFound or Refusal.Unavailable or Refusal.OutcomeUnknown));

        await leaving.StartAsync();
        await run.AssertSoundAsync();
    }

    // Holders of leases that live here and there, and a call that waits in the queue for each.
    private static async Task<IReadOnlyList<(LeaseGrant Grant, Task<LeaseResult<LeaseGrant>> Waiting)>> WaitAsync(
        string names, ILeaseService gateway) =>
        await Task.WhenAll(Enumerable.Range(0, 10).Select(async number =>
        {
            var request = new AcquireRequest { Resource = $"{names}/{number}", Owner = "ann", Ttl = LeaseCluster.LongestTtl };
            var grant = (await gateway.AcquireAsync(request)).Value;
            var waiting = gateway.AcquireAsync(request with { Owner = "bob", Wait = TimeSpan.FromSeconds(25) }).AsTask();
            await Eventually.TrueAsync(
                async () => (await gateway.GetAsync(new GetLeaseRequest { Resource = request.Resource })).Value.Waiters == 1,
                () => "Nobody waits.");
            return (grant, waiting);
        }));

    private static async Task ReleaseAsync(LeaseGrant grant, ILeaseService gateway)
    {
        var release = new ReleaseRequest { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token };
        LeaseResult<LeaseRelease> answer;
        do answer = await gateway.ReleaseAsync(release);
        while (answer.Refusal is Refusal.Unavailable or Refusal.OutcomeUnknown);
    }
}
