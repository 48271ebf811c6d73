using OrleansLeases.Grains.Tests.Hosting;
using static OrleansLeases.Grains.Tests.Hosting.Calls;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests.Keys;

/// <summary>Two activations of one key and two of its lease, each in a cluster of its own, write the same rows.</summary>
public sealed class KeyTwinTests() : KeyTwinSuite(PostgresStorage.GroupCommit, PostgresStorage.GroupCommit);

/// <summary>Twins that write through Orleans' provider.</summary>
public sealed class AdoNetKeyTwinTests() : KeyTwinSuite(PostgresStorage.AdoNet, PostgresStorage.AdoNet);

/// <summary>Twins of either kind, as in an upgrade of one silo after the other.</summary>
public sealed class UnlikeKeyTwinTests() : KeyTwinSuite(PostgresStorage.GroupCommit, PostgresStorage.AdoNet);

/// <summary>What must hold of twins, however they write.</summary>
public abstract class KeyTwinSuite(PostgresStorage one, PostgresStorage other) : IAsyncLifetime
{
    private const string K = "workers/7";

    private readonly string _serviceId = Cluster.NewServiceId();
    private Cluster _one = null!;
    private Cluster _other = null!;

    public async Task InitializeAsync()
    {
        _one = await Cluster.OnPostgresAsync(_serviceId, storage: one);
        _other = await Cluster.OnPostgresAsync(_serviceId, storage: other);
    }

    public async Task DisposeAsync()
    {
        await _one.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task End_ToldByOne_IsTrueAtTheOther()
    {
        var grant = await GrantAsync();
        await PutAsync(_one, "up", grant);
        // It knows the key and its lease, and hears of nothing that follows.
        Assert.Equal("up", (await _other.Leases.GetKeyAsync(K)).Value.Value);
        await _one.Leases.ReleaseAsync(Release(grant));

        Assert.IsType<Refusal.NotFound>((await _other.Leases.GetKeyAsync(K)).Refusal);
        Assert.Empty((await _other.Leases.ListKeysAsync(new ListKeysRequest())).Value.Keys);
        Assert.IsType<Refusal.NotHolder>((await _other.Leases.PutKeyAsync(K, Put("again", grant))).Refusal);
        await UntilCleanAsync();
    }

    [Fact]
    public async Task Changes_AtAStaleTwin_GoOnFromWhatIsStored()
    {
        await PutAsync(_one, "1", null);
        Assert.Equal("1", (await _other.Leases.GetKeyAsync(K)).Value.Value);
        await PutAsync(_one, "2", null);

        Assert.Equal(
            2, Assert.IsType<Refusal.Conflict>((await _other.Leases.PutKeyAsync(K, Put("x") with { IfVersion = 1 })).Refusal).Current);
        await PutAsync(_one, "3", null);
        Assert.Equal(4, (await PutAsync(_other, "4", null)).Version);
        Assert.True((await _one.Leases.DeleteKeyAsync(K)).Value.Existed);
        Assert.Equal(6, (await PutAsync(_other, "6", null)).Version);
    }

    [Fact]
    public async Task FirstPuts_OfManyKeysAtBoth_WriteEachOnce()
    {
        const int Count = 300;
        var written = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, Count),
            new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, cancellation) =>
        {
            var request = Put("mine") with { IfVersion = 0 };
            var results = await Task.WhenAll(
                _one.Leases.PutKeyAsync($"race/{i}", request, cancellation).AsTask(),
                _other.Leases.PutKeyAsync($"race/{i}", request, cancellation).AsTask());
            Interlocked.Add(ref written, results.Count(result => result.Refusal is null));
            Assert.All(results, result => Assert.True(result.Refusal is null or Refusal.Conflict, $"{result}"));
        });

        Assert.Equal(Count, written);
        Assert.Equal((long)Count, await CountAsync("select count(*) from lease_keys where service_id = $1"));
    }

    [Fact]
    public async Task Additions_AtBoth_SumUp_WhoeverIsAskedToRepeatThem()
    {
        const int Count = 400;
        var grant = await GrantAsync();
        await Parallel.ForEachAsync(Enumerable.Range(0, Count),
            new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancellation) =>
        {
            var request = new AddToCounterRequest { Delta = 1, Lease = Put("", grant).Lease, RequestId = $"{i}" };
            Refusal? refusal;
            var asked = i;
            do refusal = (await (asked++ % 2 == 0 ? _one : _other).Leases.AddToCounterAsync("counter", request, cancellation)).Refusal;
            while (refusal is Refusal.Unavailable or Refusal.OutcomeUnknown);
            Assert.Null(refusal);
            // Whoever repeats it, wherever, is told what it did.
            if (i % 5 == 0) Assert.True((await _one.Leases.AddToCounterAsync("counter", request, cancellation)).Value.Replayed);
        });

        Assert.Equal($"{Count}", await Sql.ScalarAsync<string>(
            await TestDatabase.ConnectionStringAsync(), "select value from lease_keys where service_id = $1 and key = 'counter'",
            _serviceId));
    }

    [Fact]
    public async Task Put_WhoseKeyTheOtherHasCleanedMeanwhile_IsRefused()
    {
        var grant = await GrantAsync();
        var (attached, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        FaultyStorage.Of(_one.Silo).Writes.Enqueue(async write =>
        {
            await write();
            attached.SetResult();
            await answer.Task;
        });
        var put = _one.Leases.PutKeyAsync(K, Put("up", grant)).AsTask();
        await attached.Task.WaitAsync(WaitTimeout);

        // The lease ends and its key is cleaned, all of it at the other; this one hears that its name is on record.
        await _other.Leases.ReleaseAsync(Release(grant));
        await UntilCleanAsync();
        answer.SetResult();

        // Asked late, the lease counts as not having answered; then nothing is written either.
        Assert.True((await put).Refusal is Refusal.NotHolder or Refusal.Unavailable, $"{await put}");
        await AssertNothingIsStoredAsync();
    }

    [Fact]
    public async Task Insert_ThatLandsAfterAnAcknowledgedCleanUp_Loses()
    {
        var grant = await GrantAsync();
        var (writing, write) = (new TaskCompletionSource(), new TaskCompletionSource());
        var landed = new TaskCompletionSource();
        FaultyStorage.Of(_one.Silo).KeyWrites.Enqueue(async insert =>
        {
            writing.SetResult();
            await write.Task;
            await insert();
            landed.SetResult();
        });
        var put = _one.Leases.PutKeyAsync(K, Put("up", grant)).AsTask();
        await writing.Task.WaitAsync(WaitTimeout);

        // Its silo is as good as dead, and another takes over.
        await _other.Leases.ReleaseAsync(Release(grant));
        await UntilCleanAsync();
        write.SetResult();

        await landed.Task.WaitAsync(WaitTimeout);
        await AssertNothingIsStoredAsync();
        Assert.NotNull((await put).Refusal);
        Assert.IsType<Refusal.NotFound>((await _one.Leases.GetKeyAsync(K)).Refusal);
    }

    [Fact]
    public async Task Key_UnboundAtOne_StaysWhenItsLeaseEndsAtTheOther()
    {
        var grant = await GrantAsync();
        await PutAsync(_one, "up", grant);
        Assert.Equal(grant.Token, (await _other.Leases.GetKeyAsync(K)).Value.Lease?.Token);
        await PutAsync(_one, "free", null);
        await UntilAsync(async () => (await _other.Leases.ReleaseAsync(Release(grant))).Refusal is null);

        await UntilCleanAsync();
        var key = (await _other.Leases.GetKeyAsync(K)).Value;
        Assert.Equal(("free", null), (key.Value, key.Lease));
    }

    [Fact]
    public async Task Transfer_AtOne_EndsTheKeysThatTheOtherKnows()
    {
        var grant = await GrantAsync();
        await PutAsync(_one, "up", grant);
        Assert.Equal("up", (await _other.Leases.GetKeyAsync(K)).Value.Value);
        var heir = (await _one.Leases.TransferAsync(
            new TransferRequest { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token, NewOwner = "heir" })).Value;

        Assert.IsType<Refusal.NotFound>((await _other.Leases.GetKeyAsync(K)).Refusal);
        Assert.IsType<Refusal.NotHolder>((await _other.Leases.PutKeyAsync(K, Put("late", grant))).Refusal);
        await PutAsync(_other, "new", heir);
        await UntilCleanAsync();
        Assert.Equal(heir.Token, (await _one.Leases.GetKeyAsync(K)).Value.Lease?.Token);
    }

    private static async Task<KeyPut> PutAsync(Cluster cluster, string value, LeaseGrant? lease)
    {
        var request = Put(value, lease, Guid.NewGuid().ToString("N"));
        LeaseResult<KeyPut> result;
        // A twin that wrote at the same moment is not waited for.
        do result = await cluster.Leases.PutKeyAsync(K, request);
        while (result.Refusal is Refusal.Unavailable);
        return result.Value;
    }

    private async Task<LeaseGrant> GrantAsync() => (await _one.Leases.AcquireAsync(Acquire("orders/42", "me"))).Value;

    private async Task<long> CountAsync(string sql) =>
        await Sql.ScalarAsync<long>(await TestDatabase.ConnectionStringAsync(), sql, _serviceId);

    // No ended lease has keys on record any more.
    private Task UntilCleanAsync() => UntilAsync(async () =>
        await CountAsync("select count(*) from lease_record where service_id = $1 and kind = 'lease' and not held and due is not null")
            == 0);

    private async Task AssertNothingIsStoredAsync() =>
        Assert.Equal(0, await CountAsync("select count(*) from lease_keys where service_id = $1"));
}
