using static OrleansLeases.Core.Tests.KeyAnswers;

namespace OrleansLeases.Core.Tests;

/// <summary>Two hosts on one store, one of which has not heard of what the other did.</summary>
public sealed class KeyTwinTests
{
    private const string R = "orders/42";
    private const string K = "workers/7";

    private readonly KeyWorld _one = new();
    private readonly KeyWorld _stale;

    public KeyTwinTests() => _stale = new(twin: _one);

    [Fact]
    public void GetActiveTokens_AtATwinThatKnowsNothingOfTheEnd_FindsIt()
    {
        var lease = Grant();
        Assert.Equal([lease.Token], InForce(_stale));
        Release(lease);

        Assert.Empty(InForce(_stale));
    }

    [Fact]
    public void Get_WhereBothTheKeyAndTheLeaseAreStale_IsAbsent()
    {
        var lease = Grant();
        Put(_one, "up", lease);
        Assert.Equal("up", Get(_stale).Value.Value);
        Release(lease);

        Assert.IsType<Refusal.NotFound>(Get(_stale).Refusal);
    }

    [Fact]
    public void Attach_AtATwinThatKnowsNothingOfTheEnd_IsRefused()
    {
        var lease = Grant();
        Put(_stale, "up", lease);
        Release(lease);

        // The name is on record as far as this one knows, and nothing would be stored.
        Assert.IsType<Refusal.NotHolder>(Put(_stale, "again", lease).Refusal);
    }

    [Fact]
    public void CleanUpDone_AtATwinThatKnowsNothingOfTheEnd_TakesTheKeysOffTheRecord()
    {
        var lease = Grant();
        Put(_one, "up", lease);
        Assert.Equal([lease.Token], InForce(_stale));
        Release(lease);
        _stale.Key(K, new KeyCommand.Clean(R, lease.Token));
        _one.Store.AnswerAll();

        var done = _stale.Lease(R, new LeaseCommand.CleanUpDone(lease.Token, [K]));
        _one.Store.AnswerAll();

        Now<LeaseReply.Acknowledged>(done);
        Assert.Null(_one.Store.Lease(R).Pending);
    }

    [Fact]
    public void Get_AtATwinThatKnowsNoSuchKey_FindsIt()
    {
        Assert.IsType<Refusal.NotFound>(Get(_stale).Refusal);
        Put(_one, "up", null);

        Assert.Equal("up", Get(_stale).Value.Value);
    }

    [Fact]
    public void Delete_AtATwinThatKnowsNoSuchKey_DeletesIt()
    {
        Assert.IsType<Refusal.NotFound>(Get(_stale).Refusal);
        Put(_one, "up", null);

        var delete = _stale.Calls.DeleteAsync(K, null);
        _stale.Settle();

        Assert.True(Result(delete).Value.Existed);
        Assert.Null(_one.Store.Key(K).Value);
    }

    [Fact]
    public void Put_AtAStaleTwin_GoesOnFromWhatIsStored()
    {
        Put(_stale, "1", null);
        Put(_one, "2", null);

        Assert.Equal(3, Put(_stale, "3", null).Value.Version);
    }

    [Fact]
    public void Clean_AtAStaleTwin_FindsTheValue()
    {
        var lease = Grant();
        Assert.IsType<Refusal.NotFound>(Get(_stale).Refusal);
        Put(_one, "up", lease);
        Release(lease);

        var clean = _stale.Key(K, new KeyCommand.Clean(R, lease.Token));
        _one.Store.AnswerAll();

        Now<KeyReply.Cleaned>(clean);
        Assert.Null(_one.Store.Key(K).Value);
        Assert.IsType<Refusal.NotFound>(Get(_one).Refusal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Watch_AtATwinThatFindsAPut_StartsOverWhereItsLeaseMayHaveEnded(bool bound)
    {
        var lease = bound ? Grant() : null;
        var watch = _stale.Key(K, new KeyCommand.Watch(Since: null));
        _one.Store.AnswerAll();
        await using var events = Assert.IsType<KeyReply.Watched>(Result(watch).Value).Watch!.Start(ended: false).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync());
        Assert.IsType<WatchEvent.KeySnapshot>(events.Current);
        var next = events.MoveNextAsync().AsTask();
        Put(_one, "up", lease);

        Get(_stale);

        Assert.Equal(!bound, await next.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System));
    }

    [Fact]
    public void Questions_OfManyAtOnce_AreComparedWithTheStoreTogether()
    {
        Grant();
        var answers = Enumerable.Range(0, 20).Select(_ => _one.Lease(R, LeaseCommand.GetActiveTokens.Instance)).ToList();

        // The first read began before the others had asked; the next one is for all of them.
        _one.Store.Held.Single().Answer();
        Assert.Single(answers, answer => answer.IsCompleted);
        _one.Store.Held.Single().Answer();

        Assert.Empty(_one.Store.Held);
        Assert.All(answers, answer => Assert.Single(Now<LeaseReply.ActiveTokens>(answer).InForce));
    }

    private static LeaseResult<KeyPut> Put(KeyWorld world, string value, KeyLease? lease)
    {
        var put = world.Calls.PutAsync(K, new PutKeyRequest { Value = value, Lease = lease, RequestId = Guid.NewGuid().ToString("N") });
        world.Settle();
        return Result(put);
    }

    private static LeaseResult<KeyValue> Get(KeyWorld world)
    {
        var get = world.Calls.GetAsync(K);
        world.Settle();
        return Result(get);
    }

    private static IEnumerable<long> InForce(KeyWorld world)
    {
        var answer = world.Lease(R, LeaseCommand.GetActiveTokens.Instance);
        world.Store.AnswerAll();
        return Now<LeaseReply.ActiveTokens>(answer).InForce;
    }

    private KeyLease Grant()
    {
        var grant = _one.Lease(R, LeaseCommand.Of(MachineFixture.Ask("me") with { Resource = R }));
        _one.Store.AnswerAll();
        return new KeyLease { Resource = R, Owner = "me", Token = Now<LeaseGrant>(grant).Token };
    }

    private void Release(KeyLease lease)
    {
        var release = _one.Lease(R, LeaseCommand.Of(new ReleaseRequest { Resource = R, Owner = lease.Owner, Token = lease.Token }));
        _one.Store.AnswerAll();
        Now<LeaseRelease>(release);
    }
}
