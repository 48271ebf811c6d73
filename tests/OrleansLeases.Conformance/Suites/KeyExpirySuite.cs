namespace OrleansLeases.Conformance.Suites;

/// <summary><c>ttlMs</c> of a put: the key is there until that time is over, and absent from then on.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class KeyExpirySuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    private const string K = "seen/17";

    [Fact]
    public async Task Key_IsThere_UntilItsTimeIsOver()
    {
        Assert.Equal(1, (await PutAsync("yes", T(30))).Version);
        await PassAsync(T(30) - (World.Blur > TimeSpan.Zero ? T(20) : TimeSpan.FromMilliseconds(1)));
        Assert.Equal("yes", await ValueAsync(K));
        Assert.Equal([K], await KeysAsync());

        await PassAsync(T(30));

        Assert.Empty(await KeysAsync());
        Assert.Null(await ValueAsync(K));
        Assert.False((await Leases.DeleteKeyAsync(K)).Value.Existed);
        // Its end is a change, as a delete is.
        Assert.Equal(0, Refused<Refusal.Conflict, KeyPut>(await PutAsync(K, "again", ifVersion: 1)).Current);
        Assert.Equal(3, (await PutAsync(K, "again", ifVersion: 0)).Value.Version);
    }

    [Fact]
    public async Task End_IsToldToWatches_WithItsReason()
    {
        await using var ofKey = (await Leases.WatchAsync(new() { Key = K })).Value.GetAsyncEnumerator();
        await using var ofPrefix = (await Leases.WatchAsync(new() { Prefix = "seen/" })).Value.GetAsyncEnumerator();
        await NextAsync(ofKey);
        await PutAsync("yes", T(3));
        foreach (var events in new[] { ofKey, ofPrefix })
            Assert.Equal(KeyEventKind.KeyPut, Assert.IsType<WatchEvent.KeyChanged>(await NextAsync(events)).Key.Kind);

        await PassAsync(T(3));

        foreach (var events in new[] { ofKey, ofPrefix })
        {
            var end = Assert.IsType<WatchEvent.KeyChanged>(await NextAsync(events)).Key;
            Assert.Equal((KeyEventKind.KeyDeleted, 2L, "expired"), (end.Kind, end.Version, end.Reason));
        }
    }

    [Fact]
    public async Task Put_WithoutATime_MakesTheKeyStay()
    {
        await PutAsync("yes", T(30));
        await PutAsync(K, "for good");
        await PassAsync(T(90));

        Assert.Equal("for good", await ValueAsync(K));
    }

    [Fact]
    public async Task Add_LeavesTheTimeAsItIs()
    {
        await PutAsync("5", T(30));
        Assert.Equal(7, (await AddAsync(K, 2)).Value.Value);
        await PassAsync(T(30));

        Assert.Equal(2, (await AddAsync(K, 2)).Value.Value);
        await PassAsync(T(90));
        Assert.Equal("2", await ValueAsync(K));
    }

    [Fact]
    public async Task Time_BesideALease_OrOutOfBounds_IsRefusedByName()
    {
        var lease = LeaseOf(await GrantAsync("ann"));
        var all = new[] { Limits.MinTtl - TimeSpan.FromMilliseconds(1), TimeSpan.Zero, Limits.MaxTtl + TimeSpan.FromMilliseconds(1) };
        foreach (var put in all.Select(ttl => new PutKeyRequest { Value = "v", Ttl = ttl })
            .Append(new() { Value = "v", Ttl = T(30), Lease = lease }))
            Assert.Equal(["ttlMs"], Refused<Refusal.InvalidRequest, KeyPut>(await Leases.PutKeyAsync(K, put)).Errors.Keys);

        Assert.Null(await ValueAsync(K));
    }

    [Fact]
    public async Task Put_RepeatedWithAnotherTime_IsAConflict()
    {
        var put = new PutKeyRequest { Value = "v", Ttl = T(30), RequestId = "once" };
        await Leases.PutKeyAsync(K, put);

        Assert.Equal(1, (await Leases.PutKeyAsync(K, put)).Value.Version);
        Refused<Refusal.Conflict, KeyPut>(await Leases.PutKeyAsync(K, put with { Ttl = T(31) }));
        Refused<Refusal.Conflict, KeyPut>(await Leases.PutKeyAsync(K, put with { Ttl = null }));
    }

    private async Task<KeyPut> PutAsync(string value, TimeSpan ttl) =>
        (await Leases.PutKeyAsync(K, new PutKeyRequest { Value = value, Ttl = ttl })).Value;

    private static async Task<WatchEvent> NextAsync(IAsyncEnumerator<WatchEvent> events)
    {
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(WaitTimeout), "The watch ended.");
        return events.Current;
    }
}
