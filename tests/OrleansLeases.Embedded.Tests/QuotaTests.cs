using OrleansLeases.Testing;

namespace OrleansLeases.Embedded.Tests;

/// <summary>What bounds a caller, what is never held back, and what makes room again.</summary>
public sealed class QuotaTests : IAsyncDisposable
{
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(30);

    private readonly ManualTimeProvider _time = new();
    private readonly EmbeddedLeases _leases;

    public QuotaTests() => _leases = EmbeddedLeases.InMemory(time: _time);

    public ValueTask DisposeAsync() => _leases.DisposeAsync();

    [Fact]
    public async Task Leases_BeyondTheQuota_AreRefusedUntilOneEnds()
    {
        var caller = Caller(new QuotaRule { Prefix = "jobs", Leases = 2 });
        var one = (await caller.AcquireAsync(Acquire("jobs/1"))).Value;
        await caller.AcquireAsync(Acquire("jobs/2"));

        AssertOver("leases", await caller.AcquireAsync(Acquire("jobs/3")));
        Assert.Null((await caller.AcquireAsync(Acquire("other"))).Refusal);
        Assert.Null((await caller.RenewAsync(new() { Resource = "jobs/1", Owner = "ci", Token = one.Token })).Refusal);
        Assert.Null((await caller.ReleaseAsync(new() { Resource = "jobs/1", Owner = "ci", Token = one.Token })).Refusal);
        Assert.Null((await caller.AcquireAsync(Acquire("jobs/3"))).Refusal);
    }

    [Fact]
    public async Task Lease_ThatRanOut_MakesRoom_AndOneThatWasRenewedDoesNot()
    {
        var caller = Caller(new QuotaRule { Prefix = "", Leases = 2 });
        var one = (await caller.AcquireAsync(Acquire("jobs/1"))).Value;
        await caller.AcquireAsync(Acquire("jobs/2"));
        _time.Advance(Ttl / 2);
        await caller.RenewAsync(new() { Resource = "jobs/1", Owner = "ci", Token = one.Token });
        _time.Advance(Ttl / 2);

        Assert.Null((await caller.AcquireAsync(Acquire("jobs/3"))).Refusal);
        AssertOver("leases", await caller.AcquireAsync(Acquire("jobs/4")));
    }

    [Fact]
    public async Task Repeat_OfAGrantedRequest_IsReplayedAtTheQuota()
    {
        var caller = Caller(new QuotaRule { Prefix = "", Leases = 1 });
        var request = Acquire("jobs/1") with { RequestId = "one" };
        var grant = (await caller.AcquireAsync(request)).Value;

        var replay = (await caller.AcquireAsync(request)).Value;

        Assert.Equal((grant.Token, true), (replay.Token, replay.Replayed));
        AssertOver("leases", await caller.AcquireAsync(Acquire("jobs/2")));
        await caller.ReleaseAsync(new() { Resource = "jobs/1", Owner = "ci", Token = grant.Token });
        Assert.Null((await caller.AcquireAsync(Acquire("jobs/2"))).Refusal);
    }

    [Fact]
    public async Task Refused_Acquires_TakeNoRoom()
    {
        var caller = Caller(new QuotaRule { Prefix = "", Leases = 1 });
        await _leases.AcquireAsync(new() { Resource = "held", Owner = "ann", Ttl = Ttl });

        for (var i = 0; i < 3; i++) Assert.IsType<Refusal.Held>((await caller.AcquireAsync(Acquire("held"))).Refusal);

        Assert.Null((await caller.AcquireAsync(Acquire("jobs/1"))).Refusal);
    }

    [Fact]
    public async Task Waits_BeyondTheQuota_AreRefusedUntilOneIsOver()
    {
        var caller = Caller(new QuotaRule { Prefix = "", Waits = 1 });
        await _leases.AcquireAsync(new() { Resource = "held", Owner = "ann", Ttl = Ttl });
        using var leaves = new CancellationTokenSource();
        var waiting = caller.AcquireAsync(Acquire("held") with { Wait = TimeSpan.FromSeconds(20) }, leaves.Token).AsTask();

        AssertOver("waits", await caller.AcquireAsync(Acquire("held") with { Wait = TimeSpan.FromSeconds(20) }));
        Assert.IsType<Refusal.Held>((await caller.AcquireAsync(Acquire("held"))).Refusal);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        using var again = new CancellationTokenSource();
        var next = caller.AcquireAsync(Acquire("held") with { Wait = TimeSpan.FromSeconds(20) }, again.Token).AsTask();
        Assert.False(next.IsCompleted);
        await again.CancelAsync();
    }

    [Fact]
    public async Task Watches_BeyondTheQuota_AreRefusedUntilOneEnds()
    {
        var caller = Caller(new QuotaRule { Prefix = "", Watches = 1 });
        var watch = (await caller.WatchAsync(new() { Prefix = "" })).Value;

        AssertOver("watches", await caller.WatchAsync(new() { Resource = "jobs/1" }));
        await watch.DisposeAsync();
        await watch.DisposeAsync();
        await using var next = (await caller.WatchAsync(new() { Resource = "jobs/1" })).Value;
        AssertOver("watches", await caller.WatchAsync(new() { Resource = "jobs/1" }));
    }

    [Theory]
    [InlineData("")]
    [InlineData("jo")]
    [InlineData("jobs/1")]
    public async Task Watch_OfAPrefixThatCoversTheQuotas_CountsForIt(string prefix)
    {
        var caller = Caller(new QuotaRule { Prefix = "jobs", Watches = 1 });
        await using var watch = (await caller.WatchAsync(new() { Prefix = prefix })).Value;

        AssertOver("watches", await caller.WatchAsync(new() { Resource = "jobs/1" }));
        await watch.DisposeAsync();
        await using var next = (await caller.WatchAsync(new() { Resource = "jobs/1" })).Value;
        await using var other = (await caller.WatchAsync(new() { Prefix = "jobz" })).Value;
    }

    [Fact]
    public async Task Keys_AreBoundedInNumberAndBytes()
    {
        var caller = Caller(new QuotaRule { Prefix = "", Keys = 2, KeyBytes = 12 });
        Assert.Null((await caller.PutKeyAsync("a", new() { Value = "12345" })).Refusal);
        AssertOver("keyBytes", await caller.PutKeyAsync("b", new() { Value = "éééé" }));
        Assert.Null((await caller.PutKeyAsync("b", new() { Value = "1" })).Refusal);
        AssertOver("keys", await caller.PutKeyAsync("c", new() { Value = "1" }));
        Assert.Null((await caller.PutKeyAsync("a", new() { Value = "123456789" })).Refusal);

        await caller.DeleteKeyAsync("a");
        Assert.Null((await caller.PutKeyAsync("c", new() { Value = "1" })).Refusal);
    }

    [Fact]
    public async Task Keys_OfALeaseThatEnded_MakeRoom()
    {
        var caller = Caller(new QuotaRule { Prefix = "", Keys = 1 });
        var grant = (await caller.AcquireAsync(Acquire("jobs/1"))).Value;
        KeyLease lease = new() { Resource = "jobs/1", Owner = "ci", Token = grant.Token };
        Assert.Null((await caller.PutKeyAsync("a", new() { Value = "1", Lease = lease })).Refusal);
        AssertOver("keys", await caller.PutKeyAsync("b", new() { Value = "1" }));

        _time.Advance(Ttl);

        Assert.Null((await caller.PutKeyAsync("b", new() { Value = "1" })).Refusal);
    }

    [Fact]
    public async Task FreshNames_AreBoundedByTheMinute()
    {
        var caller = Caller(new QuotaRule { Prefix = "", FreshNamesPerMinute = 2 });
        var one = (await caller.AcquireAsync(Acquire("a"))).Value;
        await caller.PutKeyAsync("b", new() { Value = "1" });

        AssertOver("freshNamesPerMinute", await caller.AcquireAsync(Acquire("c")));
        await caller.ReleaseAsync(new() { Resource = "a", Owner = "ci", Token = one.Token });
        Assert.Null((await caller.AcquireAsync(Acquire("a"))).Refusal);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Null((await caller.AcquireAsync(Acquire("c"))).Refusal);
        AssertOver("freshNamesPerMinute", await caller.AcquireAsync(Acquire("d")));
    }

    [Fact]
    public async Task Key_NamedLikeAResource_IsAFreshName()
    {
        var caller = Caller(new QuotaRule { Prefix = "", FreshNamesPerMinute = 1 });
        await caller.AcquireAsync(Acquire("a"));

        AssertOver("freshNamesPerMinute", await caller.PutKeyAsync("a", new() { Value = "1" }));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null((await caller.PutKeyAsync("a", new() { Value = "1" })).Refusal);
        Assert.Null((await caller.PutKeyAsync("a", new() { Value = "2" })).Refusal);
    }

    [Fact]
    public async Task Call_ThatFailsBehindItsAnswer_GivesItsPlaceBack()
    {
        var asked = 0;
        var rights = new AccessRights(
            "ci", [new() { Prefix = "", Rights = (LeaseRights)15 }], [new QuotaRule { Prefix = "", Waits = 1 }]);
        // The first time for the call, the second for its answer.
        var caller = _leases.For(new("ci", () => ++asked == 2 ? throw new InvalidOperationException("no rights") : rights));
        var waits = Acquire("a") with { Wait = TimeSpan.FromSeconds(1) };

        await Assert.ThrowsAsync<InvalidOperationException>(() => caller.AcquireAsync(waits).AsTask());

        Assert.Null((await caller.AcquireAsync(waits with { Resource = "b" })).Refusal);
    }

    [Fact]
    public async Task Calls_BeyondTheRate_AreRefusedAndRenewalsAreNot()
    {
        var caller = Caller(new QuotaRule { Prefix = "", CallsPerSecond = 2 });
        var grant = (await caller.AcquireAsync(Acquire("jobs/1"))).Value;
        await caller.GetAsync(new() { Resource = "jobs/1" });

        var refusal = AssertOver("callsPerSecond", await caller.GetAsync(new() { Resource = "jobs/1" }));
        Assert.Equal(TimeSpan.FromSeconds(0.5), refusal.RetryAfter);
        AssertOver("callsPerSecond", await caller.ListAsync(new()));
        for (var i = 0; i < 10; i++)
            Assert.Null((await caller.RenewAsync(new() { Resource = "jobs/1", Owner = "ci", Token = grant.Token })).Refusal);
        Assert.Null((await caller.ReleaseAsync(new() { Resource = "jobs/1", Owner = "ci", Token = grant.Token })).Refusal);
        _time.Advance(refusal.RetryAfter);
        Assert.Null((await caller.GetAsync(new() { Resource = "jobs/1" })).Refusal);
    }

    [Fact]
    public async Task Keys_PutInOneBatch_AreBoundedAsTheyAreUnderWay()
    {
        var caller = Caller(new QuotaRule { Prefix = "", Keys = 10 });

        var reply = (await caller.BatchAsync(new()
        {
            Operations = [.. Enumerable.Range(0, 100).Select(i => new BatchOperation.PutKey($"k/{i}", new() { Value = "v" }))],
        })).Value;

        Assert.Equal(10, reply.Results.Count(result => result.Refusal is null));
        Assert.Equal(10, (await _leases.ListKeysAsync(new())).Value.Keys.Count);
    }

    [Fact]
    public async Task Keys_BoundToALeaseThatTheQuotaDoesNotCover_Count()
    {
        var caller = Caller(new QuotaRule { Prefix = "k", Keys = 2 });
        var grant = (await caller.AcquireAsync(Acquire("jobs/1"))).Value;
        PutKeyRequest bound = new() { Value = "v", Lease = new() { Resource = "jobs/1", Owner = "ci", Token = grant.Token } };
        await caller.PutKeyAsync("k/1", bound);
        await caller.PutKeyAsync("k/2", bound);

        for (var i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            AssertOver("keys", await caller.PutKeyAsync("k/3", bound));
        }

        await caller.ReleaseAsync(new() { Resource = "jobs/1", Owner = "ci", Token = grant.Token });
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null((await caller.PutKeyAsync("k/3", new() { Value = "v" })).Refusal);
    }

    [Fact]
    public async Task Keys_DeletedByOthers_MakeRoom()
    {
        var caller = Caller(new QuotaRule { Prefix = "", Keys = 1 });
        await caller.PutKeyAsync("a", new() { Value = "1" });
        AssertOver("keys", await caller.PutKeyAsync("b", new() { Value = "1" }));

        await _leases.DeleteKeyAsync("a");
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Null((await caller.PutKeyAsync("b", new() { Value = "1" })).Refusal);
    }

    [Fact]
    public async Task Lease_RenewedAtAnotherServer_GoesOnCounting_AndOneThatWasBrokenDoesNot()
    {
        var caller = Caller(new QuotaRule { Prefix = "", Leases = 1 });
        var grant = (await caller.AcquireAsync(Acquire("jobs/1"))).Value;
        await _leases.RenewAsync(new() { Resource = "jobs/1", Owner = "ci", Token = grant.Token, Ttl = TimeSpan.FromHours(1) });

        _time.Advance(2 * Ttl);
        AssertOver("leases", await caller.AcquireAsync(Acquire("jobs/2")));

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Null((await caller.AcquireAsync(Acquire("jobs/2"))).Refusal);
    }

    [Fact]
    public async Task Acquire_WhoseCallerLeft_CountsUntilItIsKnownThatNothingIsHeld()
    {
        var caller = Caller(new QuotaRule { Prefix = "", Leases = 1 });
        await _leases.AcquireAsync(new() { Resource = "held", Owner = "ann", Ttl = Ttl });
        using var leaves = new CancellationTokenSource();
        var waiting = caller.AcquireAsync(Acquire("held") with { Wait = TimeSpan.FromSeconds(20) }, leaves.Token).AsTask();
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        Assert.Null((await caller.AcquireAsync(Acquire("jobs/1"))).Refusal);
    }

    [Fact]
    public async Task Rate_ThatIsAddedToAQuota_CountsFromThenOn()
    {
        var before = Caller(new QuotaRule { Prefix = "", Leases = 100 });
        for (var i = 0; i < 1_000; i++) await before.GetAsync(new() { Resource = "jobs/1" });

        Assert.Null((await Caller(new QuotaRule { Prefix = "", CallsPerSecond = 1 }).GetAsync(new() { Resource = "jobs/1" })).Refusal);
    }

    [Fact]
    public async Task Calls_ThatAreForbidden_CountForTheRate()
    {
        var rights = new AccessRights(
            "ci", [new() { Prefix = "jobs", Rights = LeaseRights.Read }], [new QuotaRule { Prefix = "", CallsPerSecond = 2 }]);
        var records = new List<AuditRecord>();
        var caller = _leases.For(new("ci", () => rights) { Audit = records.Add });

        for (var i = 0; i < 2; i++) Assert.IsType<Refusal.Forbidden>((await caller.GetAsync(new() { Resource = "other" })).Refusal);
        AssertOver("callsPerSecond", await caller.GetAsync(new() { Resource = "other" }));
        AssertOver("callsPerSecond", await caller.RenewAsync(new() { Resource = "other", Owner = "ci", Token = 1 }));

        Assert.Equal(2, records.Count);
    }

    [Fact]
    public async Task Quotas_OfSeveralPrefixes_AllHold()
    {
        var caller = Caller(new QuotaRule { Prefix = "", Leases = 2 }, new QuotaRule { Prefix = "jobs", Leases = 1 });
        await caller.AcquireAsync(Acquire("jobs/1"));

        for (var i = 0; i < 3; i++) AssertOver("leases", await caller.AcquireAsync(Acquire("jobs/2")));
        Assert.Null((await caller.AcquireAsync(Acquire("other/1"))).Refusal);
        AssertOver("leases", await caller.AcquireAsync(Acquire("other/2")));
    }

    [Fact]
    public async Task Quotas_AreEachPrincipalsOwn()
    {
        var quota = new QuotaRule { Prefix = "", Leases = 1 };
        await Caller(quota).AcquireAsync(Acquire("jobs/1"));

        AssertOver("leases", await Caller(quota).AcquireAsync(Acquire("jobs/2")));
        Assert.Null((await Caller("other", quota).AcquireAsync(Acquire("jobs/2") with { Owner = "other" })).Refusal);
    }

    private static AcquireRequest Acquire(string resource) => new() { Resource = resource, Owner = "ci", Ttl = Ttl };

    private static Refusal.LimitReached AssertOver<T>(string quota, LeaseResult<T> result)
        where T : class
    {
        var refusal = Assert.IsType<Refusal.LimitReached>(result.Refusal);
        Assert.Equal(quota, refusal.Limit);
        return refusal;
    }

    private ILeaseService Caller(params QuotaRule[] quotas) => Caller("ci", quotas);

    private ILeaseService Caller(string principal, params QuotaRule[] quotas)
    {
        var rights = new AccessRights(principal, [new() { Prefix = "", Rights = (LeaseRights)15 }], quotas);
        return _leases.For(new(principal, () => rights));
    }
}
