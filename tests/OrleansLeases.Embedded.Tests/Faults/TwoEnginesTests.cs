using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Faults;

/// <summary>Two engines on one store, as two activations of one grain would be: the compare-and-swap keeps them apart.</summary>
public sealed class TwoEnginesTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly MemoryRecordStore _store = new();

    [Fact]
    public async Task Acquire_OfUnusedNamesOnBothAtOnce_GrantsEachOnce()
    {
        await using var one = Engines.Over(_store, _time);
        await using var other = Engines.Over(_store, _time);

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i => (
            await Task.Run(() => one.AcquireAsync(By("ann", $"fleet/{i}")).AsTask()),
            await Task.Run(() => other.AcquireAsync(By("bob", $"fleet/{i}")).AsTask()))));

        Assert.All(answers, pair => Assert.Equal(1, new[] { pair.Item1, pair.Item2 }.Count(answer => answer.Refusal is null)));
    }

    [Fact]
    public async Task Acquire_OnTheOneThatLostTheRace_LooksAgain()
    {
        await using var one = Engines.Over(_store, _time);
        await using var other = Engines.Over(_store, _time);
        await one.GetAsync();
        var grant = await other.GrantAsync(By("bob"));

        var held = await one.RefusedAsync<Refusal.Held>(By("ann"));

        Assert.Equal("bob", Assert.Single(held.Holders).Owner);
        NotHolder(await one.RenewAsync(grant with { Owner = "ann" }), NotHolderReason.NeverHeld);
        Assert.Equal(grant.Token, (await one.RenewAsync(grant)).Value.Token);
    }

    [Fact]
    public async Task Renew_InMemoryByOne_IsSafeFromTheOther()
    {
        await using var one = Engines.Over(_store, _time);
        await using var other = Engines.Over(_store, _time);
        var grant = await one.GrantAsync(By("ann"));
        for (var i = 0; i < 8; i++)
        {
            _time.Advance(Seconds(20));
            Assert.Equal(Seconds(30), (await one.RenewAsync(grant)).Value.Remaining);
            await other.RefusedAsync<Refusal.Held>(By("bob"));
        }

        _time.Advance(Seconds(29));
        await other.RefusedAsync<Refusal.Held>(By("bob"));
        _time.Advance(Seconds(1) + (await one.InfoAsync()).Value.Grace);
        Assert.True((await other.GrantAsync(By("bob"))).Token > grant.Token);
        NotHolder(await one.RenewAsync(grant), NotHolderReason.Expired);
    }

    [Fact]
    public async Task FreshRead_OnAStaleEngine_ShowsWhatIsStored()
    {
        await using var one = Engines.Over(_store, _time);
        await using var other = Engines.Over(_store, _time);
        var ann = await one.GrantAsync(By("ann"));
        Assert.Equal(ann.Token, (await other.GetAsync()).LastToken);
        await one.ReleaseAsync(ann);
        var cid = await one.GrantAsync(By("cid"));

        Assert.Equal(cid.Token, (await other.GetAsync(consistent: true)).LastToken);
    }
}
