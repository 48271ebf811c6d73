using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Core.Internal;
using Orleans.Runtime;
using OrleansLeases.Grains.Tests.Hosting;
using static OrleansLeases.Grains.Tests.Hosting.Calls;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests;

/// <summary>What only a grain can get wrong: names, lines and shutdown, forgotten records, being called directly.</summary>
public sealed class GrainTests
{
    public static TheoryData<string, string> NamesThatLookAlike { get; } = new()
    {
        { "cafe", "CAFE" },
        { "0a", "A" },
        { "20235", "020235" },
        { "f3b5c0de-0000-0000-0000-000000000000", "F3B5C0DE-0000-0000-0000-000000000000" },
        { "12+ext", "0c+ext" },
        { "é", "e\u0301" },
        { new string('ä', 256), new string('ä', 255) + "aa" },
    };

    [Theory]
    [MemberData(nameof(NamesThatLookAlike))]
    public async Task Names_ThatLookAlike_AreDifferentResources(string one, string other)
    {
        var serviceId = Cluster.NewServiceId();
        await using (var cluster = await Cluster.OnPostgresAsync(serviceId))
        {
            Assert.Null((await cluster.ClientLeases.AcquireAsync(Acquire(one, "one"))).Refusal);
            Assert.Null((await cluster.ClientLeases.AcquireAsync(Acquire(other, "other"))).Refusal);
        }

        // Not from memory: a silo that has seen neither.
        await using var later = await Cluster.OnPostgresAsync(serviceId);
        Assert.Equal("one", Assert.Single((await later.ClientLeases.GetAsync(new GetLeaseRequest { Resource = one })).Value.Holders).Owner);
        Assert.Equal(
            "other", Assert.Single((await later.ClientLeases.GetAsync(new GetLeaseRequest { Resource = other })).Value.Holders).Owner);
        Assert.Equal(2, (await later.ClientLeases.ListAsync(new ListLeasesRequest())).Value.Leases.Count);
    }

    [Fact]
    public async Task Restart_KeepsTokensHoldersAndHistory()
    {
        var serviceId = Cluster.NewServiceId();
        LeaseGrant last;
        await using (var cluster = await Cluster.OnPostgresAsync(serviceId))
        {
            for (var i = 0; i < 40; i++)
                Assert.Null(
                    (await cluster.Leases.ReleaseAsync(
                        Release((await cluster.Leases.AcquireAsync(Acquire("busy", $"w{i}"))).Value))).Refusal);
            last = (await cluster.Leases.AcquireAsync(Acquire("busy", "last", "last-id"))).Value;
        }

        await using var later = await Cluster.OnPostgresAsync(serviceId);
        Assert.Null((await later.Leases.RenewAsync(Renew(last))).Refusal);
        Assert.True((await later.Leases.AcquireAsync(Acquire("busy", "last", "last-id"))).Value.Replayed);
        var history = (await later.Leases.HistoryAsync("busy")).Value;
        Assert.Equal(81, history.Events.Count);
        Assert.Equal(Enumerable.Range(1, 81).Select(n => (long)n), history.Events.Select(change => change.Sequence));
        await later.Leases.ReleaseAsync(Release(last));
        Assert.True((await later.Leases.AcquireAsync(Acquire("busy", "next"))).Value.Token > last.Token);
    }

    [Fact]
    public async Task Sweep_RecordsTheEndOfWhatNoActivationRemembers()
    {
        var serviceId = Cluster.NewServiceId();
        DateTimeOffset then;
        await using (var cluster = await Cluster.OnPostgresAsync(serviceId))
        {
            then = cluster.Time.GetUtcNow();
            for (var i = 0; i < 100; i++) Assert.Null((await cluster.Leases.AcquireAsync(Acquire($"forgotten/{i}", "me"))).Refusal);
            await cluster.Leases.PutKeyAsync("forgotten", new PutKeyRequest { Value = "v", Ttl = TimeSpan.FromSeconds(30) });
        }

        await using var later = await Cluster.OnPostgresAsync(
            serviceId, time: new(then + TimeSpan.FromMinutes(5)), configure: options => options.ClockSkew = TimeSpan.FromMinutes(20));
        Assert.Equal(100, (await later.Leases.ListAsync(new ListLeasesRequest())).Value.Leases.Count);
        Assert.Single(await DueKeysAsync());
        // The skew between the two silos' clocks is waited out first.
        await UntilAsync(async () =>
        {
            later.Time.Advance(TimeSpan.FromMinutes(1));
            return (await later.Leases.ListAsync(new ListLeasesRequest())).Value.Leases.Count == 0
                && (await DueKeysAsync()).Count == 0;
        });
        Assert.Equal(LeaseEventKind.Expired, (await later.Leases.HistoryAsync("forgotten/7")).Value.Events[^1].Kind);

        async Task<IReadOnlyList<DueRecord>> DueKeysAsync() => await later.Silo.GetRequiredService<LeaseSilo>().Store.DueAsync(
            new() { Kind = RecordKind.Key, Until = long.MaxValue, Limit = 10 }, default);
    }

    [Fact]
    public async Task Sweep_GoesOnWithoutAReminder_AfterItsGrainWasDeactivated()
    {
        await using var cluster = await Cluster.OnPostgresAsync();
        await cluster.Leases.AcquireAsync(Acquire("forgotten", "me"));
        var sweeper = cluster.Grains.GetGrain<ILeaseSweeperGrain>(0);
        await sweeper.StartAsync();
        await sweeper.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        await cluster.Grains.GetLease("forgotten").AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        await UntilAsync(async () =>
        {
            cluster.Time.Advance(TimeSpan.FromMinutes(1));
            return (await cluster.Leases.ListAsync(new ListLeasesRequest())).Value.Leases.Count == 0;
        });
    }

    [Fact]
    public async Task Sweeper_HasItsReminder()
    {
        await using var cluster = await Cluster.OnPostgresAsync();
        var sweeper = cluster.Grains.GetGrain<ILeaseSweeperGrain>(0).GetGrainId();
        var table = cluster.Silo.GetRequiredService<IReminderTable>();
        await UntilAsync(async () => (await table.ReadRow(sweeper, "sweep")) is not null);
    }

    [Fact]
    public async Task GiveUp_TakesTheWaitingCallOutOfTheLine()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        var holder = (await cluster.Leases.AcquireAsync(Acquire("a", "holder"))).Value;
        using var gone = new CancellationTokenSource();
        var first = cluster.ClientLeases.AcquireAsync(Acquire("a", "first") with { Wait = TimeSpan.FromSeconds(25) }, gone.Token).AsTask();
        await UntilAsync(async () => (await cluster.Leases.GetAsync(new GetLeaseRequest { Resource = "a" })).Value.Waiters == 1);
        var second = cluster.ClientLeases.AcquireAsync(Acquire("a", "second") with { Wait = TimeSpan.FromSeconds(25) }).AsTask();
        await UntilAsync(async () => (await cluster.Leases.GetAsync(new GetLeaseRequest { Resource = "a" })).Value.Waiters == 2);

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(WaitTimeout));
        await cluster.Leases.ReleaseAsync(Release(holder));
        Assert.Equal("second", (await second.WaitAsync(WaitTimeout)).Value.Owner);
    }

    [Fact]
    public async Task Shutdown_AnswersWhoWaits_AtOnce()
    {
        await using var cluster = await Cluster.OnPostgresAsync();
        await cluster.Leases.AcquireAsync(Acquire("a", "holder"));
        var waiting = cluster.Leases.AcquireAsync(Acquire("a", "waiter") with { Wait = TimeSpan.FromSeconds(25) }).AsTask();
        await UntilAsync(async () => (await cluster.Leases.GetAsync(new GetLeaseRequest { Resource = "a" })).Value.Waiters == 1);
        var stopping = cluster.StopSiloAsync();
        // The clock stands still, so nothing but the shutdown can answer it.
        Assert.IsType<Refusal.Unavailable>((await waiting.WaitAsync(WaitTimeout)).Refusal);
        await stopping.WaitAsync(WaitTimeout);
    }

    [Fact]
    public async Task Deactivation_SendsAwayWhoWaits_SoThatTheHolderCanRenew()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        var holder = (await cluster.Leases.AcquireAsync(Acquire("a", "holder"))).Value;
        var waiting = cluster.Leases.AcquireAsync(Acquire("a", "waiter") with { Wait = TimeSpan.FromSeconds(25) }).AsTask();
        await UntilAsync(async () => (await cluster.Leases.GetAsync(new GetLeaseRequest { Resource = "a" })).Value.Waiters == 1);
        // What Orleans does to some activations of every other silo when one goes. The clock stands still meanwhile.
        await cluster.Grains.GetLease("a").AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        Assert.IsType<Refusal.Unavailable>((await waiting.WaitAsync(WaitTimeout)).Refusal);
        Assert.Null((await cluster.Leases.RenewAsync(Renew(holder))).Refusal);
    }

    [Fact]
    public async Task Calls_AfterTheSiloHasStopped_AreAnswered()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        var leases = cluster.Leases;
        await cluster.StopSiloAsync();
        // The last silo releases by its own store, and asks no grain for anything else.
        Assert.IsType<Refusal.NotHolder>(
            (await leases.ReleaseAsync(new ReleaseRequest { Resource = "a", Owner = "b", Token = 1 })).Refusal);
        Assert.IsType<Refusal.Unavailable>((await leases.GetAsync(new GetLeaseRequest { Resource = "a" })).Refusal);
    }

    [Fact]
    public async Task DirectCalls_ForAnotherResource_AreRefused()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        var grain = cluster.Grains.GetLease("a");
        var refusal = Assert.IsType<Refusal.InvalidRequest>((await grain.AcquireAsync(Acquire("b", "me"))).Refusal);
        Assert.Contains("resource", refusal.Errors.Keys);
        Assert.IsType<Refusal.InvalidRequest>(
            (await grain.TransferAsync(new TransferRequest { Resource = "a", Owner = null!, Token = 1, NewOwner = null! })).Refusal);
        Assert.Equal(0, (await grain.GetAsync(new GetLeaseRequest { Resource = "a" })).Value.LastToken);
    }

    [Fact]
    public async Task Deactivation_ForgetsTheActivation_AndKeepsTheLease()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        var grant = (await cluster.Leases.AcquireAsync(Acquire("a", "me"))).Value;
        var management = cluster.Grains.GetGrain<IManagementGrain>(0);
        await management.ForceActivationCollection(TimeSpan.Zero);
        Assert.Null((await cluster.Leases.RenewAsync(Renew(grant))).Refusal);
        Assert.IsType<Refusal.Held>((await cluster.Leases.AcquireAsync(Acquire("a", "other"))).Refusal);
    }
}
