using OrleansLeases.Cluster.Tests.Load;
using OrleansLeases.Cluster.Tests.Processes;

namespace OrleansLeases.Cluster.Tests;

/// <summary>SIGSTOP of a silo past the deadlines of its leases, and SIGCONT: a silo that comes back late harms nobody.</summary>
[Collection(SharedCluster.Name)]
public sealed class FreezeTests(SharedCluster shared)
{
    [Fact]
    public async Task Freeze_UntilDeclaredDead_HarmsNobody()
    {
        var cluster = await shared.WholeAsync();
        await using var run = await LoadRun.StartAsync(cluster, "freeze_long");
        var silo = cluster.Silos[1];
        await run.ProceedAsync();
        var abandoned = await run.AbandonAsync(24);

        Assert.All(
            await MembersAsync(), member => Assert.Equal((MemberState.Ready, true), (member.State, member.ClockOffset is not null)));

        silo.Process.Freeze();
        Assert.Equal(
            MemberState.Silent, (await MembersAsync()).Single(member => member.Address == $"127.0.0.1:{silo.SiloPort}").State);
        var patient = run.AskPatientlyAsync(silo, abandoned);
        var heirs = run.AssertGrantableAsync(abandoned, silo);
        await cluster.DeclaredDeadAsync(silo);
        // The others take over while it still believes to own what it had, and has calls to answer.
        await heirs;
        await run.ProceedAsync();
        silo.Process.Thaw();

        await patient;
        // It learns that it was given up, and ends; a supervisor starts it anew.
        await Eventually.TrueAsync(() => !run.Ended.IsEmpty, () => $"The silo that was declared dead goes on. {silo.Process.Error}");
        await run.AssertSoundAsync();

        async Task<IReadOnlyList<ServiceMember>> MembersAsync() => (await cluster.Silos[0].Leases.ListMembersAsync()).Value.Members;
    }

    [Fact]
    public async Task Freeze_PastDeadlines_HarmsNobody()
    {
        var cluster = await shared.UnsuspectingAsync();
        await using var run = await LoadRun.StartAsync(cluster, "freeze_short");
        foreach (var silo in cluster.Silos.Take(2))
        {
            await run.ProceedAsync();
            var abandoned = await run.AbandonAsync(4);
            silo.Process.Freeze();
            // All of its leases are over by then.
            await LoadRun.ForAsync(2 * LoadRun.Ttl);
            silo.Process.Thaw();
            await run.AssertGrantableAsync(abandoned);
        }

        await run.AssertSoundAsync();
        Assert.Empty(run.Ended);
    }
}
