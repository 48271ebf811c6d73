namespace OrleansLeases.Conformance.Stores;

/// <summary>What every store must do that drops records.</summary>
public abstract partial class RecordStoreSuite
{
    [Theory]
    [InlineData(RecordKind.Lease)]
    [InlineData(RecordKind.Key)]
    public async Task Drop_ComparesTheVersion_AndRaisesTheFloor(RecordKind kind)
    {
        var store = await StartAsync();
        Assert.True(store.CanDrop);
        // A store may know the floors of earlier tests.
        var other = kind == RecordKind.Lease ? RecordKind.Key : RecordKind.Lease;
        var (before, others) = (store.FloorOf(kind, "a"), store.FloorOf(other, "a"));
        var records = await OfCyclesAsync(kind, "a", 2, before);
        await SaveAllAsync(store, records[..3]);
        Assert.Equal(SaveOutcome.Conflict, await store.DropAsync(records[1]));
        Assert.Equal(SaveOutcome.Conflict, await store.DropAsync(records[3]));
        AssertSame(records[2], await store.LoadAsync(kind, "a"));
        Assert.Equal(before, store.FloorOf(kind, "a"));

        Assert.Equal(SaveOutcome.Saved, await store.SaveAsync(records[2], records[3], background: false));
        Assert.Equal(SaveOutcome.Saved, await store.DropAsync(await store.LoadAsync(kind, "a")));
        Assert.Equal(0, (await store.LoadAsync(kind, "a")).Version);
        Assert.Empty(await RangeAsync(store, kind, "", heldOnly: false));
        Assert.Empty(await store.IdleAsync(kind, new() { Until = long.MaxValue, Limit = 10 }, default));
        Assert.Equal(records[3].FloorAfter, store.FloorOf(kind, "a"));
        Assert.Equal(others, store.FloorOf(other, "a"));
        Assert.Equal(SaveOutcome.Conflict, await store.DropAsync(records[3]));
    }

    [Theory]
    [InlineData(RecordKind.Lease)]
    [InlineData(RecordKind.Key)]
    public async Task FirstRecord_AfterADrop_IsStoredOnlyAboveTheFloor(RecordKind kind)
    {
        var store = await StartAsync();
        var records = await OfCyclesAsync(kind, "a", 2, store.FloorOf(kind, "a"));
        await SaveAllAsync(store, records);
        var none = StoredRecord.None(kind, "a");
        var dropped = await store.LoadAsync(kind, "a");
        Assert.Equal(SaveOutcome.Saved, await store.DropAsync(dropped));

        // Made before the drop, and late on its way.
        Assert.Equal(SaveOutcome.Conflict, await store.SaveAsync(none, records[0], background: false));
        if (store.CanAddOrLoad) Assert.Equal(new(SaveOutcome.Conflict), await store.AddOrLoadAsync(records[0], background: false));
        Assert.Equal(records[3].FloorAfter, store.FloorOf(kind, "a"));

        var again = await OfCyclesAsync(kind, "a", 2, store.FloorOf(kind, "a"));
        Assert.True(again[0].Version > dropped.Version);
        Assert.Equal(SaveOutcome.Saved, await store.SaveAsync(none, again[0], background: false));
        AssertSame(again[0], await store.LoadAsync(kind, "a"));

        // A keeper that remembers the dropped record changes and drops nothing.
        foreach (var (stale, index) in records.Append(dropped).Select((record, index) => (record, index)))
        {
            Assert.Equal(SaveOutcome.Conflict, await store.SaveAsync(stale, records[Math.Min(index + 1, 3)], background: false));
            Assert.Equal(SaveOutcome.Conflict, await store.DropAsync(stale));
        }

        for (var i = 1; i < 4; i++) Assert.Equal(SaveOutcome.Saved, await store.SaveAsync(again[i - 1], again[i], background: false));
        AssertSame(again[3], await store.LoadAsync(kind, "a"));
    }

    [Fact]
    public async Task Floor_OfAShard_IsThatOfTheHighestRecordDropped()
    {
        var store = await StartAsync();
        // Two names of one shard.
        var other = Enumerable.Range(0, int.MaxValue).Select(number => $"n/{number}")
            .First(name => RecordFloor.ShardOf(name) == RecordFloor.ShardOf("a"));
        var many = await OfCyclesAsync("a", 20, store.FloorOf(RecordKind.Lease, "a"));
        var few = await OfCyclesAsync(other, 2, store.FloorOf(RecordKind.Lease, "a"));
        await SaveAllAsync(store, [.. many, .. few]);
        Assert.Equal(SaveOutcome.Saved, await store.DropAsync(await store.LoadAsync(RecordKind.Lease, "a")));
        Assert.Equal(SaveOutcome.Saved, await store.DropAsync(await store.LoadAsync(RecordKind.Lease, other)));
        Assert.Equal(many[^1].FloorAfter, store.FloorOf(RecordKind.Lease, other));
    }

    [Theory]
    [InlineData(RecordKind.Lease, 100)]
    [InlineData(RecordKind.Key, 100)]
    public async Task Blocks_OfADroppedLog_AreNotThoseOfTheNext(RecordKind kind, int cycles)
    {
        var store = await StartAsync();
        await SaveAllAsync(store, await OfCyclesAsync(kind, "a", cycles, store.FloorOf(kind, "a")));
        Assert.Equal(SaveOutcome.Saved, await store.DropAsync(await store.LoadAsync(kind, "a")));
        var again = await OfCyclesAsync(kind, "a", 20, store.FloorOf(kind, "a"));
        await SaveAllAsync(store, again);
        var loaded = await store.LoadAsync(kind, "a");
        Assert.True(loaded.Block > loaded.FirstBlock);
        AssertSame(again[^1], loaded);
    }

    [Theory]
    [InlineData(RecordKind.Lease)]
    [InlineData(RecordKind.Key)]
    public async Task Idle_IsWhatIsNotInUse_TheLongestIdleFirst_PageByPage(RecordKind kind)
    {
        var store = await StartAsync();
        var names = new[] { "d", "b", "c", "a" };
        var records = await SavedRecords.OfAsync(async (leases, time) =>
        {
            foreach (var name in names)
            {
                await UseAsync(leases, kind, name, end: true);
                time.Advance(TimeSpan.FromHours(2));
            }

            await UseAsync(leases, kind, "in use", end: false);
        }, HighestFloor(store, kind, [.. names, "in use"]));
        await SaveAllAsync(store, records);
        Assert.Null(records[^1].IdleSince);
        var idle = records.Where(record => record.IdleSince is not null).ToList();
        Assert.Equal(names, idle.Select(record => record.Name));

        var found = new List<DueRecord>();
        var query = new DueQuery { Until = long.MaxValue, Limit = 1 };
        while (await store.IdleAsync(kind, query with { After = found.LastOrDefault() }, default) is { Count: > 0 } page)
            found.Add(Assert.Single(page));
        Assert.Equal(names, found.Select(record => record.Name));

        // Later than it is, by a store that rounds, but never sooner.
        Assert.Empty(await store.IdleAsync(kind, query with { Until = idle[0].IdleSince!.Value - 1 }, default));
        var hourLater = (long)TimeSpan.FromHours(1).TotalMilliseconds;
        Assert.Equal("d", Assert.Single(await store.IdleAsync(
            kind, query with { Until = idle[0].IdleSince!.Value + hourLater, Limit = 10 }, default)).Name);
    }

    [Fact]
    public async Task Drops_AndFirstRecords_ThatMeet_NeverRepeatAVersion()
    {
        var store = await StartAsync();
        var highest = store.FloorOf(RecordKind.Lease, "a").Sequence;
        for (var round = 0; round < 10; round++)
        {
            var records = await OfCyclesAsync("a", 1, store.FloorOf(RecordKind.Lease, "a"));
            await SaveAllAsync(store, records);
            Assert.True(records[0].Version > highest);
            highest = records[1].Version;
            var stored = await store.LoadAsync(RecordKind.Lease, "a");
            // Made above what was there when the records above were made, or above what the drop has left by then.
            var drop = Task.Run(async () => await store.DropAsync(stored));
            var first = Task.Run(async () =>
            {
                var made = await OfCyclesAsync("a", 1, store.FloorOf(RecordKind.Lease, "a"));
                var outcome = await store.SaveAsync(StoredRecord.None(RecordKind.Lease, "a"), made[0], background: false);
                return (made, outcome);
            });
            Assert.Equal(SaveOutcome.Saved, await drop);
            var (late, saved) = await first;
            if (saved != SaveOutcome.Saved) continue;
            Assert.True(late[0].Version > highest);
            await SaveAllAsync(store, [late[1]]);
            highest = late[1].Version;
            Assert.Equal(SaveOutcome.Saved, await store.DropAsync(await store.LoadAsync(RecordKind.Lease, "a")));
        }
    }

    private static RecordFloor HighestFloor(IRecordStore store, RecordKind kind, string[] names) =>
        names.Aggregate(default(RecordFloor), (floor, name) => floor.RaisedTo(store.FloorOf(kind, name)));

    internal static Task<List<StoredRecord>> OfCyclesAsync(RecordKind kind, string name, int cycles, RecordFloor floor = default) =>
        kind == RecordKind.Lease ? OfCyclesAsync(name, cycles, floor) : OfKeyCyclesAsync(name, cycles, floor);

    private static async Task UseAsync(ILeaseService leases, RecordKind kind, string name, bool end)
    {
        if (kind == RecordKind.Key)
        {
            await leases.PutKeyAsync(name, new PutKeyRequest { Value = "x" });
            if (end) await leases.DeleteKeyAsync(name);
            return;
        }

        var request = new AcquireRequest { Resource = name, Owner = "me", Ttl = TimeSpan.FromMinutes(1) };
        var grant = (await leases.AcquireAsync(request)).Value;
        if (end) await leases.ReleaseAsync(new ReleaseRequest { Resource = name, Owner = "me", Token = grant.Token });
    }
}
