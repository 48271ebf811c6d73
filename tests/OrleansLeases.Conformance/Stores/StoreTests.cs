using OrleansLeases.OutsideStore;

namespace OrleansLeases.Conformance.Stores;

public sealed class ByteStoreTests : RecordStoreSuite
{
    protected override Task<IRecordStore> StartAsync() => Task.FromResult<IRecordStore>(new ByteStore());
}

public sealed class MemoryStoreTests : RecordStoreSuite
{
    protected override Task<IRecordStore> StartAsync() => Task.FromResult<IRecordStore>(new MemoryRecordStore());
}

/// <summary>Shards of the names of a store that has no hash of its own.</summary>
public sealed class DueQueryTests
{
    [Fact]
    public void Takes_EachNameInOneShard_AndSpreadsThem()
    {
        var counts = new int[16];
        foreach (var name in Enumerable.Range(0, 1_600).Select(number => $"jobs/{number}"))
        {
            var shard = Assert.Single(
                Enumerable.Range(0, 16), shard => new DueQuery { Until = 0, Limit = 1, Shard = shard, Shards = 16 }.Takes(name));
            counts[shard]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 50, 150));
    }
}
