using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Core;
using OrleansLeases.Grains.Tests.Hosting;
using static OrleansLeases.Grains.Tests.Hosting.Calls;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests.Keys;

/// <summary>
/// The races between a key and its lease on real grains, in the order that the test chooses. Whoever waited in a circle
/// would be refused with <c>unavailable</c> after its timeout; here every call has a definite response.
/// </summary>
public sealed class KeyRaceTests : IAsyncLifetime
{
    private const string K = "workers/7";

    private readonly HeldCalls _calls = new();
    private Cluster _cluster = null!;

    private FaultyStorage Storage => FaultyStorage.Of(_cluster.Silo);

    private ILeaseService Leases => _cluster.Leases;

    public async Task InitializeAsync() => _cluster = await Cluster.InMemoryAsync(silo =>
    {
        FaultyStorage.Install(silo);
        _calls.Install(silo);
    });

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Attach_OfALeaseThatEndsFirst_IsRefused(bool expires)
    {
        var grant = await GrantAsync();
        var attach = _calls.Call(nameof(IInternalLeaseGrain.AttachAsync));
        var put = PutAsync("up", grant);
        await attach.ReachedAsync();

        await EndAsync(grant, expires);
        attach.LetGo();

        Assert.IsType<Refusal.NotHolder>((await put).Refusal);
        await AssertAbsentAndCleanAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CleanUp_ThatIsDoneBeforeThePutIsWritten_MakesItLose(bool expires)
    {
        var grant = await GrantAsync();
        var attached = _calls.Answer(nameof(IInternalLeaseGrain.AttachAsync));
        var cleaned = _calls.Answer(nameof(IInternalLeaseGrain.CleanUpDoneAsync));
        var put = PutAsync("up", grant);
        await attached.ReachedAsync();

        await EndAsync(grant, expires);
        await cleaned.ReachedAsync();
        attached.LetGo();

        Assert.IsType<Refusal.NotHolder>((await put).Refusal);
        cleaned.LetGo();
        await AssertAbsentAndCleanAsync();
        Assert.Equal(1, (await PutAsync("free", null)).Value.Version);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CleanUp_ThatComesWhileThePutIsBeingWritten_TakesItAway(bool expires)
    {
        var grant = await GrantAsync();
        var (writing, write) = HoldNextKeyWrite();
        var put = PutAsync("up", grant);
        await writing.WaitAsync(WaitTimeout);

        var clean = _calls.Call(nameof(IInternalKeyGrain.CleanAsync));
        await EndAsync(grant, expires);
        await clean.ReachedAsync();
        clean.LetGo();
        write.SetResult();

        Assert.Equal(1, (await put).Value.Version);
        await AssertAbsentAndCleanAsync();
        Assert.Equal(3, (await PutAsync("free", null)).Value.Version);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Put_ThatComesWhileTheCleanUpIsBeingWritten_GoesOnFromThere(bool expires)
    {
        var ended = await GrantAsync();
        Assert.Null((await PutAsync("up", ended)).Refusal);
        var (cleaning, clean) = HoldNextKeyWrite();
        await EndAsync(ended, expires);
        await cleaning.WaitAsync(WaitTimeout);

        var next = await GrantAsync();
        var put = PutAsync("up again", next);
        clean.SetResult();

        Assert.Equal(3, (await put).Value.Version);
        await UntilCleanAsync();
        Assert.Equal((next.Token, "up again"), await ValueAsync());
    }

    [Fact]
    public async Task Key_ThatIsUnboundWhileItsLeaseEnds_StandsFree()
    {
        var grant = await GrantAsync();
        Assert.Null((await PutAsync("up", grant)).Refusal);
        var asked = _calls.Answer(nameof(IInternalLeaseGrain.GetActiveTokensAsync));
        var put = PutAsync("free", null);
        await asked.ReachedAsync();

        var cleaned = _calls.Answer(nameof(IInternalLeaseGrain.CleanUpDoneAsync));
        await EndAsync(grant, expires: false);
        await cleaned.ReachedAsync();
        cleaned.LetGo();
        asked.LetGo();

        Assert.Null((await put).Refusal);
        await UntilCleanAsync();
        Assert.Equal((null, "free"), await ValueAsync());
    }

    [Fact]
    public async Task Key_ThatIsPutWhileItsLeaseIsTransferred_IsNeverTheHeirs()
    {
        var grant = await GrantAsync();
        var attached = _calls.Answer(nameof(IInternalLeaseGrain.AttachAsync));
        var put = PutAsync("up", grant);
        await attached.ReachedAsync();

        var heir = (await Leases.TransferAsync(
            new TransferRequest { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token, NewOwner = "heir" })).Value;
        attached.LetGo();

        // It was written before the clean-up, or refused after it.
        Assert.True((await put).Refusal is null or Refusal.NotHolder, $"{await put}");
        await AssertAbsentAndCleanAsync();
        Assert.Empty(Assert.Single((await Leases.GetAsync(new GetLeaseRequest { Resource = grant.Resource })).Value.Holders).Keys);
        Assert.Null((await PutAsync("mine", heir)).Refusal);
        Assert.Equal((heir.Token, "mine"), await ValueAsync());
    }

    private async Task<LeaseGrant> GrantAsync() => (await Leases.AcquireAsync(Acquire("orders/42", "me"))).Value;

    private Task<LeaseResult<KeyPut>> PutAsync(string value, LeaseGrant? lease) => Leases.PutKeyAsync(K, Put(value, lease)).AsTask();

    private async Task<(long? Token, string Value)> ValueAsync()
    {
        var key = (await Leases.GetKeyAsync(K)).Value;
        return (key.Lease?.Token, key.Value);
    }

    // By its holder; or by its alarm, with nobody asking.
    private async Task EndAsync(LeaseGrant grant, bool expires)
    {
        if (!expires)
        {
            Assert.Null((await Leases.ReleaseAsync(Release(grant))).Refusal);
            return;
        }

        _cluster.Time.Advance(Ttl);
        await UntilAsync(async () => (await Leases.ListAsync(new ListLeasesRequest())).Value.Leases.Count == 0);
    }

    private (Task Reached, TaskCompletionSource LetGo) HoldNextKeyWrite()
    {
        var (reached, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        Storage.KeyWrites.Enqueue(async write =>
        {
            reached.SetResult();
            await go.Task;
            await write();
        });
        return (reached.Task, go);
    }

    private async Task AssertAbsentAndCleanAsync()
    {
        Assert.IsType<Refusal.NotFound>((await Leases.GetKeyAsync(K)).Refusal);
        await UntilCleanAsync();
        Assert.Empty(await Storage.RangeAsync(RecordKind.Key, "", heldOnly: true, default).ToListAsync());
    }

    // No ended lease has keys on record any more.
    private Task UntilCleanAsync() => UntilAsync(async () =>
    {
        await foreach (var record in Storage.RangeAsync(RecordKind.Lease, "", heldOnly: false, default))
        {
            if (record.Lease.Pending is not null) return false;
        }

        return true;
    });
}
