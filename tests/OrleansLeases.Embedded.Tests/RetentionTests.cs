using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests;

/// <summary>A name that is not in use loses its record, and what it comes back with goes on growing.</summary>
public sealed class RetentionTests : IDisposable
{
    private static readonly EmbeddedLeaseOptions Hour = new() { Retain = TimeSpan.FromHours(1) };

    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();
    private IRecordStore _store = new MemoryRecordStore();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ANameThatComesBack_GoesOnWhereItWas_AfterDropsAndRestarts(bool durable)
    {
        var (token, version, sequence) = (0L, 0L, 0L);
        for (var round = 0; round < 3; round++)
        {
            await using var leases = Open(durable);
            var free = await leases.GetAsync();
            Assert.Equal((LeaseStatus.Free, 0L), (free.State, free.LastToken));
            for (var i = 0; i < 3; i++)
            {
                var grant = await leases.GrantAsync(By("ann"));
                Assert.True(grant.Token > token);
                token = grant.Token;
                Assert.Null((await leases.ReleaseAsync(grant)).Refusal);
                var put = (await leases.PutKeyAsync("k", new PutKeyRequest { Value = "x", IfVersion = 0 })).Value;
                Assert.True(put.Version > version);
                version = put.Version;
                Assert.True((await leases.DeleteKeyAsync("k")).Value.Existed);
            }

            var history = (await leases.HistoryAsync(R)).Value;
            Assert.Equal(6, history.Events.Count);
            Assert.True(history.FirstSequence > sequence);
            sequence = history.Events[^1].Sequence;
            await DroppedAsync(RecordKind.Lease, R);
            await DroppedAsync(RecordKind.Key, "k");

            Assert.Equal(0, (await leases.GetAsync()).LastToken);
            Assert.Empty((await leases.HistoryAsync(R)).Value.Events);
            Assert.IsType<Refusal.NotFound>((await leases.GetKeyAsync("k")).Refusal);
            var late = await leases.ReleaseAsync(new ReleaseRequest { Resource = R, Owner = "ann", Token = token });
            Assert.Equal(0, NotHolder(late, NotHolderReason.NeverHeld).LastToken);
            if (!durable) continue;
            // Those of another name of the shard, which was never dropped, are not in its way.
            await leases.DisposeAsync();
            if (round == 0) Assert.Equal(1, DataFolder.BumpEpoch(_folder.Path));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatIsInUse_IsKept(bool durable)
    {
        await using var leases = Open(durable);
        await leases.GrantAsync(By("ann", "held") with { Ttl = TimeSpan.FromHours(20) });
        await leases.GrantAsync(By("ann", "delayed") with { LockDelay = TimeSpan.FromHours(20) });
        await leases.PutKeyAsync("set", new PutKeyRequest { Value = "x" });
        await CycleAsync(leases, "watched");
        await CycleAsync(leases, "idle");
        await using var watch = (await leases.WatchAsync(new WatchRequest { Resource = "watched" })).Value
            .GetAsyncEnumerator(CancellationToken.None);
        Assert.True(await watch.MoveNextAsync());
        _time.Advance(TimeSpan.FromSeconds(31));

        await DroppedAsync(RecordKind.Lease, "idle");

        // The sweep that dropped one has looked at all.
        foreach (var name in new[] { "held", "delayed", "watched" })
            Assert.True((await _store.LoadAsync(RecordKind.Lease, name)).Version > 0, $"{name} was dropped.");
        Assert.Equal("x", (await leases.GetKeyAsync("set")).Value.Value);
        Assert.Equal(LeaseStatus.Delayed, (await leases.GetAsync("delayed")).State);

        await watch.DisposeAsync();
        await DroppedAsync(RecordKind.Lease, "watched");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AWatchThatResumes_BehindADrop_SaysResync(bool durable)
    {
        await using var leases = Open(durable);
        await CycleAsync(leases, R);
        var since = new WatchPoint((await leases.GetAsync()).Sequence - 1);
        await DroppedAsync(RecordKind.Lease, R);
        await CycleAsync(leases, R);

        await using var watch = (await leases.WatchAsync(new WatchRequest { Resource = R, Since = since })).Value
            .GetAsyncEnumerator(CancellationToken.None);
        Assert.True(await watch.MoveNextAsync());
        Assert.IsType<WatchEvent.Resync>(watch.Current);
        Assert.True(await watch.MoveNextAsync());
        Assert.IsType<WatchEvent.LeaseSnapshot>(watch.Current);
    }

    [Fact]
    public async Task Prefixes_HaveTimesOfTheirOwn_TheLongestCounts()
    {
        var options = Hour with
        {
            Retain = TimeSpan.FromMinutes(9),
            RetainByPrefix = new Dictionary<string, TimeSpan>
            {
                ["tasks/"] = TimeSpan.FromMinutes(1), ["tasks/kept/"] = TimeSpan.Zero, ["tasks/slow/"] = TimeSpan.FromMinutes(4),
            },
        };
        await using var leases = Open(durable: true, options);
        string[] names = ["tasks/1", "tasks/slow/1", "other", "tasks/kept/1"];
        foreach (var name in names) await CycleAsync(leases, name);

        for (var i = 0; i < 3; i++)
        {
            await DroppedAsync(RecordKind.Lease, names[i], within: TimeSpan.FromMinutes(8));
            foreach (var kept in names[(i + 1)..]) Assert.True((await _store.LoadAsync(RecordKind.Lease, kept)).Version > 0, kept);
        }

        Assert.Equal(TimeSpan.FromMinutes(9), (await leases.InfoAsync()).Value.Retain);
    }

    [Fact]
    public async Task ForEver_IsForEver()
    {
        var options = new EmbeddedLeaseOptions
        {
            Retain = TimeSpan.Zero, RetainByPrefix = new Dictionary<string, TimeSpan> { ["tasks/"] = TimeSpan.FromMinutes(1) },
        };
        await using var leases = Open(durable: true, options);
        await CycleAsync(leases, R);
        await CycleAsync(leases, "tasks/1");
        await DroppedAsync(RecordKind.Lease, "tasks/1");
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.Zero, (await leases.InfoAsync()).Value.Retain);
        Assert.Equal(2, (await leases.HistoryAsync(R)).Value.Events.Count);
        await using var usual = EmbeddedLeases.InMemory();
        Assert.Equal(TimeSpan.FromDays(30), (await usual.InfoAsync()).Value.Retain);
    }

    [Fact]
    public async Task AFolder_GivesBackWhatManyNamesTook()
    {
        await using var leases = Open(durable: true);
        await CycleAsync(leases, "first");
        var before = _folder.Number("PRAGMA page_count");
        for (var i = 0; i < 4; i++) await Task.WhenAll(Enumerable.Range(i * 500, 500).Select(n => CycleAsync(leases, $"n/{n}")));
        var full = _folder.Number("PRAGMA page_count");
        Assert.True(full > before + 600, $"{before} pages became only {full}.");

        for (var i = 0; i < 2_000; i++) await DroppedAsync(RecordKind.Lease, $"n/{i}");

        // What stays free is for the names that come next: so much, and a part of all.
        var after = _folder.Number("PRAGMA page_count");
        Assert.True(after < before + 128 + (full / 32) + 100, $"{before} pages became {full}, and {after}.");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HowMuchThereIs_IsSaid_AndSurvivesARestart(bool durable)
    {
        await using var leases = Open(durable);
        foreach (var name in new[] { "a", "b", "a" }) await CycleAsync(leases, name);
        foreach (var value in new[] { "x", "y" }) await leases.PutKeyAsync("k", new PutKeyRequest { Value = value });
        Assert.Equal(3, (await MemberAsync(leases)).Records);

        foreach (var name in new[] { "a", "b" }) await DroppedAsync(RecordKind.Lease, name);

        var member = await MemberAsync(leases);
        Assert.Equal((1L, durable), (member.Records, member.DiskBytes > 0));
        if (!durable) return;
        await leases.DisposeAsync();
        await using var next = Open(durable: true);
        Assert.Equal(1, (await MemberAsync(next)).Records);
    }

    [Fact]
    public async Task WhatIsDropped_LeavesNothingBehind()
    {
        await using var leases = Open(durable: true);
        for (var i = 0; i < 40; i++) await leases.AddToCounterAsync("a", new AddToCounterRequest { Delta = 1 });
        await leases.DeleteKeyAsync("a");
        Assert.Equal(2, _folder.Number("SELECT count(*) FROM keys_log"));

        await DroppedAsync(RecordKind.Key, "a");

        Assert.Equal(0, _folder.Number("SELECT (SELECT count(*) FROM keys_log) + (SELECT count(*) FROM keys)"));
        Assert.Equal(1, _folder.Number("SELECT count(*) FROM floor"));
    }

    private static async Task CycleAsync(EmbeddedLeases leases, string name) =>
        await leases.ReleaseAsync(await leases.GrantAsync(By("ann", name)));

    private static async Task<ServiceMember> MemberAsync(EmbeddedLeases leases) =>
        Assert.Single((await leases.ListMembersAsync()).Value.Members);

    private EmbeddedLeases Open(bool durable, EmbeddedLeaseOptions? options = null)
    {
        if (durable) _store = SqliteStore.Open(_folder.Path);
        return Engines.Over(_store, _time, options ?? Hour);
    }

    // Time passes until the record is gone.
    private async Task DroppedAsync(RecordKind kind, string name, TimeSpan? within = null)
    {
        var left = within ?? TimeSpan.FromHours(3);
        await UntilAsync(async () =>
        {
            if ((await _store.LoadAsync(kind, name)).Version == 0) return true;
            if (left <= TimeSpan.Zero) return false;
            var step = TimeSpan.FromSeconds(left < TimeSpan.FromHours(1) ? 5 : 300);
            _time.Advance(step);
            left -= step;
            return false;
        });
    }
}
