namespace OrleansLeases.Conformance.Stores;

/// <summary>What every <see cref="IRecordStore"/> must do. A store takes part by deriving from it.</summary>
public abstract partial class RecordStoreSuite
{
    private static readonly string[] InOrder =
        ["!", "a", "a/1", "a/10", "a/2", "b", "\u00e4", "\ud7ff", "\uffef", "\ud800\udc00", "\ud83d\udd12"];

    /// <summary>Starts the store with no records; what it needs lives as long as the test class.</summary>
    /// <returns>The store, started.</returns>
    protected abstract Task<IRecordStore> StartAsync();

    [Fact]
    public async Task Load_OfWhatWasNeverStored_IsOfVersionZero()
    {
        var store = await StartAsync();
        foreach (var kind in Enum.GetValues<RecordKind>())
        {
            var none = await store.LoadAsync(kind, "none");
            Assert.Equal((kind, "none", 0L, false, null), (none.Kind, none.Name, none.Version, none.IsHeld, none.Due));
        }
    }

    [Theory]
    [InlineData(RecordKind.Lease)]
    [InlineData(RecordKind.Key)]
    public async Task Save_ComparesTheVersion_AndStoresAllOrNothing(RecordKind kind)
    {
        var store = await StartAsync();
        var records = kind == RecordKind.Lease ? await OfCyclesAsync("a", 2) : await OfKeyCyclesAsync("a", 2);
        var none = await store.LoadAsync(kind, "a");
        Assert.Equal(SaveOutcome.Saved, await store.SaveAsync(none, records[0], background: false));
        Assert.Equal(SaveOutcome.Saved, await store.SaveAsync(records[0], records[1], background: true));

        // Of what others have changed since, nothing is written: neither by a first write nor by a later one.
        Assert.Equal(SaveOutcome.Conflict, await store.SaveAsync(none, CopyOf(records[0]), background: false));
        Assert.Equal(SaveOutcome.Conflict, await store.SaveAsync(records[0], CopyOf(records[1]), background: false));
        var loaded = await store.LoadAsync(kind, "a");
        AssertSame(records[1], loaded);

        // One that was loaded can be built on as well as one that was saved.
        Assert.Equal(SaveOutcome.Saved, await store.SaveAsync(loaded, records[2], background: false));
        AssertSame(records[2], await store.LoadAsync(kind, "a"));

        // Nor by one that makes it held again.
        Assert.Equal(SaveOutcome.Conflict, await store.SaveAsync(records[1], CopyOf(records[2]), background: false));
        AssertSame(records[2], await store.LoadAsync(kind, "a"));
    }

    // A store may write less where a record is held as before.
    [Theory]
    [InlineData(RecordKind.Lease)]
    [InlineData(RecordKind.Key)]
    public async Task Save_OfWhatIsHeldAsBefore_ComparesTheVersion(RecordKind kind)
    {
        var store = await StartAsync();
        var records = await SavedRecords.OfAsync(async (leases, _) =>
        {
            for (var i = 0; i < 3; i++)
            {
                if (kind == RecordKind.Key)
                {
                    await leases.PutKeyAsync("a", new PutKeyRequest { Value = $"{i}" });
                    continue;
                }

                await leases.AcquireAsync(
                    new AcquireRequest { Resource = "a", Owner = $"{i}", Mode = LeaseMode.Shared, Ttl = TimeSpan.FromMinutes(1) });
            }
        });
        Assert.All(records, record => Assert.True(record.IsHeld));
        await SaveAllAsync(store, records);

        Assert.Equal(SaveOutcome.Conflict, await store.SaveAsync(records[0], CopyOf(records[1]), background: false));
        Assert.Equal(SaveOutcome.Conflict, await store.SaveAsync(records[1], CopyOf(records[2]), background: false));
        AssertSame(records[2], await store.LoadAsync(kind, "a"));
    }

    [Fact]
    public async Task Save_OfManyAtOnce_IsWonByOneForEachVersion()
    {
        var store = await StartAsync();
        var records = await OfCyclesAsync("a", 2);
        foreach (var record in records)
        {
            var read = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => store.LoadAsync(RecordKind.Lease, "a").AsTask()));
            var outcomes = await Task.WhenAll(read.Select(previous =>
                Task.Run(async () => await store.SaveAsync(previous, CopyOf(record), background: false))));
            Assert.Single(outcomes, SaveOutcome.Saved);
            Assert.Equal(7, outcomes.Count(outcome => outcome == SaveOutcome.Conflict));
        }
    }

    [Fact]
    public async Task LeaseAndKey_OfOneName_AreApart()
    {
        var store = await StartAsync();
        var records = await SavedRecords.OfAsync(async (leases, _) =>
        {
            await leases.AcquireAsync(new AcquireRequest { Resource = "a", Owner = "me", Ttl = TimeSpan.FromMinutes(1) });
            await leases.PutKeyAsync("a", new PutKeyRequest { Value = "up" });
        });
        Assert.Equal([RecordKind.Lease, RecordKind.Key], records.Select(record => record.Kind));
        await SaveAllAsync(store, records);
        foreach (var record in records) AssertSame(record, await store.LoadAsync(record.Kind, "a"));
    }

    [Fact]
    public async Task ServiceRecords_AreComparedAndSwapped_AndInNoListing()
    {
        var store = await StartAsync();
        var records = new ServiceRecords(store);
        var none = await records.LoadAsync("keys/1");
        Assert.Null(none.Value);

        var first = await records.TrySaveAsync(none, "one");
        Assert.NotNull(first);
        Assert.Null(await records.TrySaveAsync(none, "another"));
        var second = await records.TrySaveAsync(await records.LoadAsync("keys/1"), "two");
        Assert.Equal("two", second!.Value);
        Assert.Null(await records.TrySaveAsync(first, "three"));
        Assert.NotNull(await records.TrySaveAsync(await records.LoadAsync("keys/2"), "more"));
        Assert.NotNull(await records.TrySaveAsync(await records.LoadAsync("others/1"), "else"));
        Assert.Equal(["two", "more"], (await records.ListAsync("keys/")).Select(record => record.Value));

        // What was deleted is gone, and its version is not used again.
        var deleted = await records.TrySaveAsync(second, null);
        Assert.Null((await records.LoadAsync("keys/1")).Value);
        Assert.Equal(["more"], (await records.ListAsync("keys/")).Select(record => record.Value));
        Assert.Null(await records.TrySaveAsync(none, "again"));
        Assert.Equal("again", (await records.TrySaveAsync(deleted!, "again"))!.Value);
        foreach (var kind in new[] { RecordKind.Lease, RecordKind.Key }) Assert.Empty(await RangeAsync(store, kind, "", heldOnly: false));
        await Assert.ThrowsAsync<ArgumentException>(async () => await records.LoadAsync("a b"));
        await Assert.ThrowsAsync<ArgumentException>(async () => await records.TrySaveAsync(none, new string('x', 65 * 1024)));
    }

    [Theory]
    [InlineData(RecordKind.Lease)]
    [InlineData(RecordKind.Key)]
    public async Task Range_IsInTheOrderOfBytes_FromANameOn(RecordKind kind)
    {
        var store = await StartAsync();
        var shuffled = InOrder.OrderBy(name => name.Length * 31 % 7).ThenByDescending(name => name, StringComparer.Ordinal);
        await SaveAllAsync(store, kind == RecordKind.Lease
            ? await SavedRecords.OfLeasesAsync(shuffled)
            : await SavedRecords.OfAsync(async (leases, _) =>
            {
                foreach (var name in shuffled) await leases.PutKeyAsync(name, new PutKeyRequest { Value = name });
            }));

        foreach (var heldOnly in new[] { false, true })
        {
            Assert.Equal(InOrder, (await RangeAsync(store, kind, "", heldOnly)).Select(record => record.Name));
            Assert.Equal(InOrder.Skip(3), (await RangeAsync(store, kind, "a/10", heldOnly)).Select(record => record.Name));
            Assert.Equal(InOrder.Skip(4), (await RangeAsync(store, kind, "a/11", heldOnly)).Select(record => record.Name));
        }

        Assert.Empty(await RangeAsync(store, kind == RecordKind.Lease ? RecordKind.Key : RecordKind.Lease, "", heldOnly: false));
    }

    [Fact]
    public async Task Range_OfWhatIsHeld_FollowsEachSave()
    {
        var store = await StartAsync();
        var previous = await store.LoadAsync(RecordKind.Lease, "a");
        foreach (var record in await OfCyclesAsync("a", 2))
        {
            await store.SaveAsync(previous, record, background: false);
            Assert.Equal(record.IsHeld ? 1 : 0, (await RangeAsync(store, RecordKind.Lease, "", heldOnly: true)).Count);
            Assert.Equal(record.Encode(), Assert.Single(await RangeAsync(store, RecordKind.Lease, "", heldOnly: false)).Encode());
            previous = record;
        }
    }

    [Fact]
    public async Task Range_LongerThanAPage_HasEachRecordOnce()
    {
        var store = await StartAsync();
        var names = Enumerable.Range(0, 1_100).Select(number => $"n/{number:0000}").ToList();
        await SaveAllAsync(store, await SavedRecords.OfLeasesAsync(names));
        Assert.Equal(names, (await RangeAsync(store, RecordKind.Lease, "", heldOnly: true)).Select(record => record.Name));
    }

    [Fact]
    public async Task Due_IsWhatIsDue_EarliestFirst_PageByPage()
    {
        var store = await StartAsync();
        // Two at each time.
        var names = new[] { "d", "b", "c", "a", "f", "e" };
        var records = await SavedRecords.OfAsync(async (leases, time) =>
        {
            for (var i = 0; i < names.Length; i++)
            {
                await leases.AcquireAsync(new AcquireRequest { Resource = names[i], Owner = "me", Ttl = TimeSpan.FromMinutes(1) });
                if (i % 2 == 1) time.Advance(TimeSpan.FromSeconds(1));
            }
        });
        await SaveAllAsync(store, records);
        var until = records[3].Due!.Value;
        var found = new List<DueRecord>();
        while (await store.DueAsync(new() { Until = until, Limit = 1, After = found.LastOrDefault() }, default) is { Count: > 0 } page)
        {
            found.Add(Assert.Single(page));
        }

        Assert.Equal(records[..4].Select(record => record.Due!.Value), found.Select(record => record.At));
        Assert.Equal(["a", "b", "c", "d"], found.Select(record => record.Name).Order(StringComparer.Ordinal));
        Assert.Empty(await store.DueAsync(new() { Until = records[0].Due!.Value - 1, Limit = 10 }, default));
    }

    [Fact]
    public async Task Due_OfKeys_IsWhoseTimeIsOver_AndNoLease()
    {
        var store = await StartAsync();
        var records = await SavedRecords.OfAsync(async (leases, _) =>
        {
            await leases.AcquireAsync(new AcquireRequest { Resource = "b", Owner = "me", Ttl = TimeSpan.FromMinutes(1) });
            await leases.PutKeyAsync("c", new PutKeyRequest { Value = "ends", Ttl = TimeSpan.FromMinutes(1) });
            await leases.PutKeyAsync("a", new PutKeyRequest { Value = "ends later", Ttl = TimeSpan.FromMinutes(2) });
            await leases.PutKeyAsync("b", new PutKeyRequest { Value = "stays" });
            await leases.PutKeyAsync("a", new PutKeyRequest { Value = "stays as well" });
        });
        await SaveAllAsync(store, records[..^1]);
        Assert.Equal(["c", "a"], (await DueAsync()).Select(record => record.Name));
        Assert.Equal("c", Assert.Single(await DueAsync(limit: 1)).Name);
        Assert.Equal("a", Assert.Single(await DueAsync(after: (await DueAsync(limit: 1))[0])).Name);
        Assert.Equal("c", Assert.Single(await DueAsync(until: records[1].Due!.Value)).Name);

        await store.SaveAsync(await store.LoadAsync(RecordKind.Key, "a"), records[^1], background: false);

        Assert.Equal("c", Assert.Single(await DueAsync()).Name);

        async Task<IReadOnlyList<DueRecord>> DueAsync(long until = long.MaxValue, int limit = 10, DueRecord? after = null) =>
            await store.DueAsync(new() { Kind = RecordKind.Key, Until = until, Limit = limit, After = after }, default);
    }

    [Fact]
    public async Task Due_OfWhatIsFree_IsNothing()
    {
        var store = await StartAsync();
        var records = await OfCyclesAsync("a", 1);
        await SaveAllAsync(store, records[..1]);
        Assert.Single(await store.DueAsync(new() { Until = long.MaxValue, Limit = 10 }, default));
        await store.SaveAsync(await store.LoadAsync(RecordKind.Lease, "a"), records[1], background: false);
        Assert.Empty(await store.DueAsync(new() { Until = long.MaxValue, Limit = 10 }, default));
    }

    [Theory]
    [InlineData(RecordKind.Lease, 300)]
    [InlineData(RecordKind.Key, 1_100)]
    public async Task Blocks_OfALongLog_AreAllFoundAgain_AndNoOlderOnes(RecordKind kind, int changes)
    {
        var store = await StartAsync();
        var records = kind == RecordKind.Lease
            ? await OfCyclesAsync("a", changes)
            : await SavedRecords.OfAsync(async (leases, _) =>
            {
                for (var i = 0; i < changes; i++)
                {
                    await leases.AddToCounterAsync("a", new AddToCounterRequest { Delta = 1, RequestId = $"{i}" });
                }
            });
        Assert.True(records[^1].FirstBlock > 0, "The log has not begun to drop its oldest blocks.");
        await SaveAllAsync(store, records);
        AssertSame(records[^1], await store.LoadAsync(kind, "a"));
    }

    private static Task<List<StoredRecord>> OfCyclesAsync(string name, int cycles, RecordFloor floor = default) =>
        SavedRecords.OfAsync(
            async (leases, _) =>
            {
                for (var i = 0; i < cycles; i++)
                {
                    var request = new AcquireRequest { Resource = name, Owner = "me", Ttl = TimeSpan.FromMinutes(1) };
                    var grant = (await leases.AcquireAsync(request)).Value;
                    await leases.ReleaseAsync(new ReleaseRequest { Resource = name, Owner = "me", Token = grant.Token });
                }
            },
            floor);

    private static Task<List<StoredRecord>> OfKeyCyclesAsync(string key, int cycles, RecordFloor floor = default) =>
        SavedRecords.OfAsync(
            async (leases, _) =>
            {
                for (var i = 0; i < cycles; i++)
                {
                    await leases.PutKeyAsync(key, new PutKeyRequest { Value = $"{i}" });
                    await leases.DeleteKeyAsync(key);
                }
            },
            floor);

    internal static async Task SaveAllAsync(IRecordStore store, IEnumerable<StoredRecord> records)
    {
        var last = new Dictionary<(RecordKind, string), StoredRecord>();
        foreach (var record in records)
        {
            var id = (record.Kind, record.Name);
            if (!last.TryGetValue(id, out var previous)) previous = await store.LoadAsync(record.Kind, record.Name);
            Assert.Equal(SaveOutcome.Saved, await store.SaveAsync(previous, record, background: false));
            last[id] = record;
        }
    }

    private static async Task<List<StoredRecord>> RangeAsync(IRecordStore store, RecordKind kind, string from, bool heldOnly)
    {
        var records = new List<StoredRecord>();
        await foreach (var record in store.RangeAsync(kind, from, heldOnly, CancellationToken.None)) records.Add(record);
        return records;
    }

    private static StoredRecord CopyOf(StoredRecord record) => StoredRecord.Read(record.Kind, record.Name, record.Encode());

    private static void AssertSame(StoredRecord expected, StoredRecord actual)
    {
        Assert.Equal(
            (expected.Kind, expected.Name, expected.Version, expected.IsHeld, expected.Due),
            (actual.Kind, actual.Name, actual.Version, actual.IsHeld, actual.Due));
        Assert.Equal(expected.Encode(), actual.Encode());
        var none = StoredRecord.None(expected.Kind, expected.Name);
        Assert.Equal(TextOf(expected.FinishedSince(none)), TextOf(actual.FinishedSince(none)));
    }

    private static IEnumerable<(long Number, string Entries)> TextOf(IEnumerable<LogBlock> blocks) =>
        blocks.Select(block => (block.Number, System.Text.Encoding.UTF8.GetString(block.Entries.Span)));
}
