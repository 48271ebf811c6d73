using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OrleansLeases.Core;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests;

/// <summary>
/// What a storage may do to a grain, and what the caller is told. On PostgreSQL, called by a client: no provider's exception gets out.
/// </summary>
public sealed class StorageFaultTests() : StorageFaultSuite(PostgresStorage.GroupCommit);

/// <summary>The same through Orleans' provider.</summary>
public sealed class AdoNetStorageFaultTests() : StorageFaultSuite(PostgresStorage.AdoNet);

/// <summary>What must hold, however records are written.</summary>
public abstract class StorageFaultSuite(PostgresStorage storage) : IAsyncLifetime
{
    private readonly ManualTimeProvider _storeTime = new();
    private Cluster _cluster = null!;

    private FaultyStorage Storage => FaultyStorage.Of(_cluster.Silo);

    private ILeaseService Leases => _cluster.ClientLeases;

    // The store is given up when a test says so: else a busy machine's store would be, too.
    public async Task InitializeAsync() => _cluster = await Cluster.OnPostgresAsync(storeTime: _storeTime, storage: storage);

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Write_ThatThrowsBefore_IsUnknown_AndTheRepeatGrants()
    {
        Storage.Writes.Enqueue(_ => throw new IOException("the cable"));
        var unknown = Assert.IsType<Refusal.OutcomeUnknown>((await Leases.AcquireAsync(Acquire("a", "me", "id-1"))).Refusal);
        Assert.Equal("id-1", unknown.RequestId);
        var grant = (await Leases.AcquireAsync(Acquire("a", "me", "id-1"))).Value;
        Assert.False(grant.Replayed);
        Assert.Equal(1, grant.Token);
    }

    [Fact]
    public async Task Write_ThatThrowsAfter_IsUnknown_AndTheRepeatTellsOfTheSameGrant()
    {
        Storage.Writes.Enqueue(async write =>
        {
            await write();
            throw new IOException("the cable");
        });
        Assert.IsType<Refusal.OutcomeUnknown>((await Leases.AcquireAsync(Acquire("a", "me", "id-1"))).Refusal);
        Assert.IsType<Refusal.Held>((await Leases.AcquireAsync(Acquire("a", "other"))).Refusal);
        var grant = (await Leases.AcquireAsync(Acquire("a", "me", "id-1"))).Value;
        Assert.True(grant.Replayed);
        Assert.Equal(1, grant.Token);
    }

    [Fact]
    public async Task Write_ThatHangs_AndLandsLater_IsUnknown_AndIsFoundByTheRepeat()
    {
        var begun = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        var landed = new TaskCompletionSource();
        Storage.Writes.Enqueue(async write =>
        {
            begun.SetResult();
            await release.Task;
            await write();
            landed.SetResult();
        });
        Assert.IsType<Refusal.OutcomeUnknown>(await GivenUpAsync(Acquire("a", "me", "id-1"), begun.Task));
        // Meanwhile another has looked at the record and found it free; the late write comes between that and its own.
        Storage.Writes.Enqueue(async write =>
        {
            release.SetResult();
            await landed.Task;
            await write();
        });
        Assert.IsType<Refusal.Held>((await Leases.AcquireAsync(Acquire("a", "other"))).Refusal);
        Assert.True((await Leases.AcquireAsync(Acquire("a", "me", "id-1"))).Value.Replayed);
    }

    [Fact]
    public async Task Write_ThatLost_IsTriedOnceMore()
    {
        Storage.Writes.Enqueue(_ => Task.CompletedTask);
        var grant = (await Leases.AcquireAsync(Acquire("a", "me"))).Value;
        Storage.Writes.Enqueue(_ => Task.CompletedTask);
        Storage.Writes.Enqueue(_ => Task.CompletedTask);
        Assert.IsType<Refusal.Unavailable>((await Leases.ReleaseAsync(Release(grant))).Refusal);
        Assert.Null((await Leases.ReleaseAsync(Release(grant))).Refusal);
    }

    [Fact]
    public async Task Write_ThatTheDatabaseRefuses_IsUnavailable_AndNothingChanged()
    {
        var grant = (await Leases.AcquireAsync(Acquire("a", "me"))).Value;
        Storage.Writes.Enqueue(_ => throw new PostgresException("disk full", "ERROR", "ERROR", "53100"));
        Assert.IsType<Refusal.Unavailable>((await Leases.ReleaseAsync(Release(grant))).Refusal);
        Assert.Equal(LeaseStatus.Held, (await Leases.GetAsync(new GetLeaseRequest { Resource = "a" })).Value.State);
        Assert.Null((await Leases.ReleaseAsync(Release(grant))).Refusal);
    }

    [Fact]
    public async Task Read_ThatFailsOrHangs_IsUnavailable()
    {
        Storage.Reads.Enqueue(_ => throw new IOException("the cable"));
        Assert.IsType<Refusal.Unavailable>((await Leases.AcquireAsync(Acquire("a", "me"))).Refusal);
        var begun = new TaskCompletionSource();
        Storage.Reads.Enqueue(_ =>
        {
            begun.SetResult();
            return new TaskCompletionSource().Task;
        });
        Assert.IsType<Refusal.Unavailable>(await GivenUpAsync(Acquire("b", "me"), begun.Task));
        Assert.Null((await Leases.AcquireAsync(Acquire("b", "me"))).Refusal);
    }

    [Fact]
    public async Task Failure_OfTheStoreOrOfAGrain_IsToldByAnId_AndItsTextToNobody()
    {
        Storage.Reads.Enqueue(_ => throw new IOException("a secret of the store"));
        var read = (await Leases.AcquireAsync(Acquire("a", "me"))).Refusal;
        Storage.Failure = new IOException("a secret of the silo");
        var listing = (await Leases.ListAsync(new ListLeasesRequest())).Refusal;
        var keys = (await Leases.ListKeysAsync(new ListKeysRequest())).Refusal;
        // Here the grain itself throws, and Orleans brings it to the client, stack and all.
        var info = (await Leases.InfoAsync()).Refusal;
        Storage.Failure = null;
        Assert.All([read, listing, keys, info], refusal =>
        {
            Assert.Matches("under [0-9a-f]{8}\\.$", Assert.IsType<Refusal.Unavailable>(refusal).Detail);
            Assert.DoesNotContain("secret", refusal.Detail, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("   at ", refusal.Detail, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Trouble_KeepsTheSiloFromClaiming_AndMakesItNotReady(bool blind)
    {
        var held = (await Leases.AcquireAsync(Acquire("a", "me"))).Value;
        Storage.Trouble = new(blind ? StorageTroubleKind.Blind : StorageTroubleKind.Unfit, "the clock is off");
        Assert.Contains(
            "the clock is off", Assert.IsType<Refusal.Unavailable>((await Leases.AcquireAsync(Acquire("b", "me"))).Refusal).Detail,
            StringComparison.Ordinal);
        Assert.Contains(
            "the clock is off", Assert.IsType<Refusal.Unavailable>((await Leases.InfoAsync()).Refusal).Detail, StringComparison.Ordinal);
        // What it has claimed it goes on with.
        Assert.Null((await Leases.RenewAsync(Renew(held))).Refusal);
        Storage.Trouble = null;
        Assert.Null((await Leases.AcquireAsync(Acquire("b", "me"))).Refusal);
        Assert.Null((await Leases.InfoAsync()).Refusal);
    }

    [Fact]
    public async Task Write_ThatIsolationUndid_IsTriedUntilItIsNot()
    {
        // A keeper itself tries a lost compare-and-swap once more, and no oftener.
        for (var times = 0; times < 5; times++)
            Storage.Writes.Enqueue(_ => throw new PostgresException("could not serialize access", "ERROR", "ERROR", "40001"));
        Assert.Null((await Leases.AcquireAsync(Acquire("a", "me"))).Refusal);
        Assert.Empty(Storage.Writes);
    }

    [Fact]
    public async Task Write_ThatLandedThoughTheServerFailed_IsUnknown_AndNobodyIsToldTwice()
    {
        var grant = (await Leases.AcquireAsync(Acquire("a", "me"))).Value;
        Storage.Writes.Enqueue(async write =>
        {
            await write();
            throw new PostgresException("could not write to file: No space left on device", "PANIC", "PANIC", "53100");
        });
        Assert.IsType<Refusal.OutcomeUnknown>((await Leases.ReleaseAsync(Release(grant))).Refusal);
        Assert.IsType<Refusal.NotHolder>((await Leases.RenewAsync(Renew(grant))).Refusal);
        Assert.True((await Leases.AcquireAsync(Acquire("a", "other"))).Value.Token > grant.Token);
    }

    // What becomes of a batch when that is over, ServiceFrontTests show.
    [Fact]
    public void RenewBatch_OneOfWhichHangs_TellsTheOthersInTwoSeconds() =>
        Assert.Equal(TimeSpan.FromSeconds(2), _cluster.Silo.GetRequiredService<GrainHost>().BatchTimeout);

    [Fact]
    public async Task Load_ThatFails_DoesNotChangeWhatTheNextSaveComparesWith()
    {
        var (mine, other) = (_cluster.Silo.GetRequiredService<LeaseSilo>().Store, Storage);
        var first = await mine.LoadAsync(RecordKind.Lease, "x");
        var one = Next(first, token: 1);
        Assert.Equal(SaveOutcome.Saved, await mine.SaveAsync(first, one, false));
        var theirs = await other.LoadAsync(RecordKind.Lease, "x");
        Assert.Equal(SaveOutcome.Saved, await other.SaveAsync(theirs, Next(theirs, token: 99), false));

        // The record is read, and its answer lost; what this one knows is still the first version.
        Storage.Reads.Enqueue(async read =>
        {
            await read();
            throw new IOException("the cable");
        });
        await Assert.ThrowsAsync<IOException>(() => mine.LoadAsync(RecordKind.Lease, "x").AsTask());
        Assert.Equal(SaveOutcome.Conflict, await mine.SaveAsync(one, Next(one, token: 2), false));
    }

    private static StoredRecord Next(StoredRecord previous, long token) =>
        new(RecordKind.Lease, previous.Name, previous.Lease with { Version = previous.Version + 1, LastToken = token });

    // How an acquire is refused whose store hangs for longer than it may.
    private async Task<Refusal?> GivenUpAsync(AcquireRequest request, Task hangs)
    {
        var call = Leases.AcquireAsync(request).AsTask();
        await hangs.WaitAsync(Calls.WaitTimeout);
        await Calls.UntilAsync(() =>
        {
            _storeTime.Advance(new LeaseSiloOptions().StorageTimeout);
            return Task.FromResult(call.IsCompleted);
        });
        return (await call).Refusal;
    }
}
