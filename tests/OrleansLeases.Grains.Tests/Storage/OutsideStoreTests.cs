using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.OutsideStore;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests.Storage;

/// <summary>Silos on a store of the application's.</summary>
public sealed class OutsideStoreTests
{
    [Fact]
    public async Task Silos_OnOneStore_ShareWhatIsStored_AlsoAfterARestart()
    {
        var store = new ByteStore();
        LeaseGrant grant;
        await using (var first = await Cluster.OnAsync(store))
        {
            Assert.True((await first.Leases.InfoAsync()).Value.Durable);
            grant = (await first.Leases.AcquireAsync(Acquire("orders/42", "one"))).Value;
            Assert.Null((await first.Leases.PutKeyAsync("workers/7", Put("up", grant))).Refusal);
        }

        await using var second = await Cluster.OnAsync(store);
        Assert.IsType<Refusal.Held>((await second.Leases.AcquireAsync(Acquire("orders/42", "other"))).Refusal);
        Assert.Equal(["orders/42"], (await second.Leases.ListAsync(new())).Value.Leases.Select(lease => lease.Resource));
        Assert.Equal("up", Assert.Single((await second.Leases.ListKeysAsync(new())).Value.Keys).Value);
        Assert.Null((await second.Leases.ReleaseAsync(Release(grant))).Refusal);
        Assert.True((await second.Leases.AcquireAsync(Acquire("orders/42", "other"))).Value.Token > grant.Token);
    }
}
