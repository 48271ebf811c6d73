using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Storage;
using OrleansLeases.Core;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Storage;
using static OrleansLeases.Grains.Tests.Hosting.Requests;
using static OrleansLeases.Grains.Tests.Hosting.Watching;

namespace OrleansLeases.Grains.Tests;

/// <summary>
/// Two activations of one grain, each in a cluster of its own, write one row: a split brain. The compare-and-swap is the lock.
/// </summary>
public sealed class TwinTests() : TwinSuite(PostgresStorage.GroupCommit, PostgresStorage.GroupCommit);

/// <summary>Twins that write through Orleans' provider.</summary>
public sealed class AdoNetTwinTests() : TwinSuite(PostgresStorage.AdoNet, PostgresStorage.AdoNet);

/// <summary>Twins of either kind, as in an upgrade of one silo after the other.</summary>
public sealed class UnlikeTwinTests() : TwinSuite(PostgresStorage.AdoNet, PostgresStorage.GroupCommit);

/// <summary>What must hold of twins, however they write.</summary>
public abstract class TwinSuite(PostgresStorage one, PostgresStorage other) : IAsyncLifetime
{
    // Longer than any other test lets pass.
    private static readonly TimeSpan Retain = TimeSpan.FromHours(2);

    private readonly string _serviceId = Cluster.NewServiceId();
    private Cluster _one = null!;
    private Cluster _other = null!;

    public async Task InitializeAsync()
    {
        _one = await Cluster.OnPostgresAsync(_serviceId, storage: one, configure: options => options.Retain = Retain);
        _other = await Cluster.OnPostgresAsync(_serviceId, storage: other, configure: options => options.Retain = Retain);
    }

    public async Task DisposeAsync()
    {
        await _one.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task Acquire_AtATwin_IsHeld()
    {
        var grant = (await _one.Leases.AcquireAsync(Acquire("orders/42", "a"))).Value;
        var held = Assert.IsType<Refusal.Held>((await _other.Leases.AcquireAsync(Acquire("orders/42", "b"))).Refusal);
        Assert.Equal("a", Assert.Single(held.Holders).Owner);
        Assert.Equal(grant.Token, (await _other.Leases.GetAsync(new GetLeaseRequest { Resource = "orders/42" })).Value.LastToken);
    }

    [Fact]
    public async Task DroppedRecord_IsGoneForATwinThatRemembersIt_AndNothingRepeats()
    {
        const string name = "orders/42";
        var first = (await _one.Leases.AcquireAsync(Acquire(name, "a"))).Value;
        await _one.Leases.ReleaseAsync(Release(first));
        var last = (await _other.Leases.AcquireAsync(Acquire(name, "b"))).Value;
        await _other.Leases.ReleaseAsync(Release(last));
        await _one.Leases.PutKeyAsync(name, Put("x"));
        var version = (await _other.Leases.PutKeyAsync(name, Put("y"))).Value.Version;
        await _other.Leases.DeleteKeyAsync(name);
        await DropAsync(name);

        // What it remembers it may tell, but not where it is asked to look.
        var seen = (await _other.Leases.GetAsync(new GetLeaseRequest { Resource = name, Consistent = true })).Value;
        Assert.Equal((LeaseStatus.Free, 0L), (seen.State, seen.LastToken));
        Assert.IsType<Refusal.NotFound>((await _other.Leases.GetKeyAsync(name)).Refusal);
        foreach (var twin in new[] { _one, _other, _one })
        {
            var next = (await twin.Leases.AcquireAsync(Acquire(name, "c"))).Value;
            Assert.True(next.Token > last.Token);
            last = next;
            await twin.Leases.ReleaseAsync(Release(next));
            var put = (await twin.Leases.PutKeyAsync(name, Put("z", requestId: $"{next.Token}"))).Value;
            Assert.True(put.Version > version);
            version = put.Version;
        }
    }

    [Fact]
    public async Task DroppedRecord_ThatATwinRemembers_IsNotWrittenOnFrom()
    {
        const string name = "orders/42";
        var last = (await _other.Leases.AcquireAsync(Acquire(name, "b"))).Value;
        await _other.Leases.ReleaseAsync(Release(last));
        var version = (await _other.Leases.PutKeyAsync(name, Put("x"))).Value.Version;
        await _other.Leases.DeleteKeyAsync(name);
        await DropAsync(name);
        // As many changes as it had before: a stored version that began anew would be the remembered one again.
        var again = (await _one.Leases.AcquireAsync(Acquire(name, "a"))).Value;
        Assert.True(again.Token > last.Token);
        Assert.True((await _one.Leases.PutKeyAsync(name, Put("x"))).Value.Version > version);

        Assert.IsType<Refusal.Held>((await _other.Leases.AcquireAsync(Acquire(name, "b"))).Refusal);
        Assert.IsType<Refusal.Conflict>((await _other.Leases.PutKeyAsync(name, Put("y") with { IfVersion = 0 })).Refusal);
        Assert.Equal("a", Assert.Single((await _other.Leases.GetAsync(new GetLeaseRequest { Resource = name })).Value.Holders).Owner);
    }

    // By the sweepers of either, or by this. The skew of clocks counts twice for those.
    private async Task DropAsync(string name)
    {
        foreach (var twin in new[] { _one, _other }) twin.Time.Advance(Retain + TimeSpan.FromMinutes(21));
        var store = _one.Silo.GetRequiredService<LeaseStorage>().Store;
        await Calls.UntilAsync(async () =>
        {
            await _one.Grains.GetGrain<IInternalLeaseGrain>(LeaseGrainKey.Of(name)).DropAsync();
            await _one.Grains.GetGrain<IInternalKeyGrain>(KeyGrainKey.Of(name)).DropAsync();
            return (await store.LoadAsync(RecordKind.Lease, name)).Version == 0
                && (await store.LoadAsync(RecordKind.Key, name)).Version == 0;
        });
    }

    [Fact]
    public async Task Acquire_AtAStaleTwin_TakesTheNextToken()
    {
        var first = (await _one.Leases.AcquireAsync(Acquire("orders/42", "a"))).Value;
        var seen = Assert.IsType<Refusal.Held>((await _other.Leases.AcquireAsync(Acquire("orders/42", "b"))).Refusal);
        Assert.NotNull(seen);
        await _one.Leases.ReleaseAsync(Release(first));
        var second = (await _one.Leases.AcquireAsync(Acquire("orders/42", "c"))).Value;
        await _one.Leases.ReleaseAsync(Release(second));

        // What the twin remembers is two grants old: its write loses, it looks again, and grants after what is true.
        _other.Time.Advance(Ttl + TimeSpan.FromMinutes(11));
        var third = (await _other.Leases.AcquireAsync(Acquire("orders/42", "b"))).Value;
        Assert.True(third.Token > second.Token);
    }

    [Fact]
    public async Task Renewals_InMemoryAtOneTwin_KeepTheOtherFromGranting()
    {
        var grant = (await _one.Leases.AcquireAsync(Acquire("orders/42", "a"))).Value;
        // Stored once, then in memory below the horizon: the other never hears of it.
        for (var i = 0; i < 4; i++)
        {
            Advance(TimeSpan.FromSeconds(10));
            Assert.Null((await _one.Leases.RenewAsync(Renew(grant))).Refusal);
            Assert.IsType<Refusal.Held>((await _other.Leases.AcquireAsync(Acquire("orders/42", "b"))).Refusal);
        }

        Assert.Null((await _one.Leases.RenewAsync(Renew(grant))).Refusal);
    }

    [Fact]
    public async Task FirstWrites_OfAThousandNames_AtBoth_GrantEachOnce()
    {
        var grants = new List<LeaseGrant>();
        await Parallel.ForEachAsync(Enumerable.Range(0, 1000),
            new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, cancellation) =>
        {
            // Both clusters activate a grain that was never stored, and both write first.
            var results = await Task.WhenAll(
                _one.Leases.AcquireAsync(Acquire($"race/{i}", "one"), cancellation).AsTask(),
                _other.Leases.AcquireAsync(Acquire($"race/{i}", "other"), cancellation).AsTask());
            lock (grants) grants.AddRange(results.Where(result => result.Refusal is null).Select(result => result.Value));
            Assert.All(results, result => Assert.True(result.Refusal is null or Refusal.Held or Refusal.Unavailable, $"{result}"));
        });

        Assert.Equal(1000, grants.Count);
        Assert.Equal(1000, grants.DistinctBy(grant => (grant.Resource, grant.Token)).Count());
        Assert.Equal(1000, grants.DistinctBy(grant => grant.Resource).Count());
        Assert.Equal(
            1000L,
            await Sql.ScalarAsync<long>(
                await TestDatabase.ConnectionStringAsync(), "select count(*) from lease_record where service_id = $1", _serviceId));
    }

    [Fact]
    public async Task Contention_AtBoth_NeverRepeatsAToken()
    {
        var tokens = new List<long>();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async worker =>
        {
            var leases = (worker % 2 == 0 ? _one : _other).Leases;
            for (var i = 0; i < 40; i++)
            {
                var result = await leases.AcquireAsync(Acquire("hot", $"worker-{worker}"));
                if (!result.TryGetValue(out var grant, out _)) continue;
                lock (tokens) tokens.Add(grant.Token);
                while ((await leases.ReleaseAsync(Release(grant))).Refusal is Refusal.Unavailable or Refusal.OutcomeUnknown)
                {
                    await Task.Yield();
                }
            }
        }));

        Assert.NotEmpty(tokens);
        Assert.Equal(tokens.Count, tokens.Distinct().Count());
        Assert.Equal(
            tokens.Max(), (await _one.Leases.GetAsync(new GetLeaseRequest { Resource = "hot", Consistent = true })).Value.LastToken);
    }

    [Fact]
    public async Task TwoRawWriters_OfOneRow_OneWins()
    {
        var stores = new[] { _one, _other }.Select(cluster => cluster.Silo.GetRequiredService<LeaseStorage>().Store).ToArray();

        // First writes, then writes of one version: both have read before either writes.
        foreach (var version in new[] { 1, 2 })
        {
            var read = new List<StoredRecord>();
            foreach (var store in stores) read.Add(await store.LoadAsync(RecordKind.Lease, "raw"));
            var outcomes = await Task.WhenAll(Enumerable.Range(0, 2).Select(async writer => await stores[writer].SaveAsync(
                read[writer],
                new(RecordKind.Lease, "raw", read[writer].Lease with { Version = version, LastToken = (version * 10) + writer }),
                background: false)));

            var winner = Array.IndexOf(outcomes, SaveOutcome.Saved);
            Assert.Single(outcomes, SaveOutcome.Saved);
            Assert.Single(outcomes, SaveOutcome.Conflict);
            Assert.Equal((version * 10) + winner, (await stores[0].LoadAsync(RecordKind.Lease, "raw")).Lease.LastToken);
        }
    }

    [Fact]
    public async Task Watch_AtAStaleTwin_TellsWhatTheOtherStored_BySomeFiveSecondsLater()
    {
        await using var ofLease = await StartAsync(_other.Leases, new() { Resource = "orders/42" });
        await using var ofKey = await StartAsync(_other.Leases, new() { Key = "config" });
        Assert.IsType<WatchEvent.LeaseSnapshot>(await NextAsync(ofLease));
        Assert.IsType<WatchEvent.KeySnapshot>(await NextAsync(ofKey));

        Assert.Null((await _one.Leases.AcquireAsync(Acquire("orders/42", "worker"))).Refusal);
        for (var i = 1; i <= 3; i++)
        {
            Assert.Null((await _one.Leases.PutKeyAsync("config", Put($"{i}"))).Refusal);
            Advance(TimeSpan.FromSeconds(5));
            Assert.Equal(i, (await NextAsync(ofKey)).ResumeFrom?.Sequence);
        }

        Assert.Equal("worker", Assert.IsType<WatchEvent.LeaseChanged>(await NextAsync(ofLease)).Lease.Owner);
    }

    private void Advance(TimeSpan time)
    {
        _one.Time.Advance(time);
        _other.Time.Advance(time);
    }
}
