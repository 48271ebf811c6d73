namespace OrleansLeases.Conformance.Suites;

/// <summary>Keys bound to a lease: there while it is, gone for every call from its end on, whatever that is.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class BoundKeysSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    private const string K = "workers/7";

    protected override LeaseLimits Limits => new() { MaxKeys = 10 };

    [Fact]
    public async Task Put_BoundToALease_IsThereAndNamedByIt()
    {
        var grant = await GrantAsync("ann");

        Assert.Equal(1, (await PutAsync(K, "up", grant)).Value.Version);

        Assert.Equal(new KeyValue { Key = K, Value = "up", Version = 1, Lease = LeaseOf(grant) }, (await Leases.GetKeyAsync(K)).Value);
        Assert.Equal([K], Assert.Single((await GetAsync()).Holders).Keys);
        Assert.Equal([K], Assert.Single(Assert.Single((await Leases.ListAsync(new())).Value.Leases).Holders).Keys);
        Assert.Equal(LeaseOf(grant), Assert.Single((await Leases.ListKeysAsync(new())).Value.Keys).Lease);
    }

    public static TheoryData<string> Ends => new("release", "expiry", "break", "transfer");

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task Key_OnceItsLeaseHasEnded_IsAbsentForEveryRead(string end)
    {
        var grant = await GrantAsync("ann");
        await PutAsync(K, "up", grant);
        await PutAsync("free", "up");

        await EndAsync(grant, end);

        Assert.Null(await ValueAsync(K));
        Assert.Equal(["free"], await KeysAsync());
        Assert.False((await Leases.DeleteKeyAsync(K)).Value.Existed);
        Refused<Refusal.Conflict, KeyPut>(await PutAsync(K, "again", ifVersion: 1));
        Assert.All((await GetAsync()).Holders, holder => Assert.Empty(holder.Keys));
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task Key_OnceItsLeaseHasEnded_MayBePutAnew(string end)
    {
        var grant = await GrantAsync("ann");
        await PutAsync(K, "up", grant);
        await PutAsync("workers/8", "up", grant);
        await EndAsync(grant, end);

        var put = (await PutAsync(K, "again", ifVersion: 0)).Value;
        var next = await SettledAsync();
        await PutAsync("workers/8", "again", next);

        Assert.Equal(3, put.Version);
        // The clean-up of the old token comes some time, and does not touch the new values.
        await PassAsync(T(1));
        Assert.Equal("again", await ValueAsync(K));
        Assert.Equal("again", await ValueAsync("workers/8"));
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task Write_BoundToALeaseThatHasEnded_IsRefused(string end)
    {
        var grant = await GrantAsync("ann");
        await EndAsync(grant, end);

        Refused<Refusal.NotHolder, KeyPut>(await PutAsync(K, "up", grant));
        Refused<Refusal.NotHolder, CounterValue>(await AddAsync(K, 1, grant));
        Assert.Null(await ValueAsync(K));
    }

    [Fact]
    public async Task Put_BoundToALeaseThatIsNotOne_SaysWhy()
    {
        var grant = await GrantAsync("ann");

        NotHolder(await PutAsync(K, "up", grant with { Owner = "bob" }), NotHolderReason.NeverHeld);
        NotHolder(await PutAsync(K, "up", grant with { Token = grant.Token + 1 }), NotHolderReason.NeverHeld);
        NotHolder(await PutAsync(K, "up", grant with { Resource = "other" }), NotHolderReason.NeverHeld);
        await ReleaseAsync(grant);
        Assert.Equal(grant.Token, NotHolder(await PutAsync(K, "up", grant), NotHolderReason.Released).LastToken);
    }

    [Fact]
    public async Task Key_WhileItsLeaseIsRenewed_Stays()
    {
        var grant = await GrantAsync("ann");
        await PutAsync(K, "up", grant);
        for (var i = 0; i < 5; i++)
        {
            await PassAsync(T(20));
            Assert.Null((await RenewAsync(grant)).Refusal);
        }

        Assert.Equal("up", await ValueAsync(K));
    }

    [Fact]
    public async Task Key_WhileItsLeaseIsBeingBroken_StaysUntilItEnds()
    {
        var grant = await GrantAsync("ann");
        await PutAsync(K, "up", grant);
        await BreakAsync(T(10), force: true);
        await PassAsync(T(9));
        Assert.Equal("up", await ValueAsync(K));
        await PassAsync(T(1));

        Assert.Null(await ValueAsync(K));
    }

    [Fact]
    public async Task Put_WithoutALease_MakesTheKeyStandFree()
    {
        var grant = await GrantAsync("ann");
        await PutAsync(K, "up", grant);

        await PutAsync(K, "stays");

        Assert.Null((await Leases.GetKeyAsync(K)).Value.Lease);
        await UntilAsync(async () => Assert.Single((await GetAsync()).Holders).Keys.Count == 0);
        await ReleaseAsync(grant);
        Assert.Equal("stays", await ValueAsync(K));
    }

    [Fact]
    public async Task Put_BoundToAnotherLease_TakesTheKeyAlong()
    {
        var ann = await GrantAsync("ann");
        var bob = await GrantAsync(By("bob", "other"));
        await PutAsync(K, "of ann", ann);

        await PutAsync(K, "of bob", bob);

        await ReleaseAsync(ann);
        Assert.Equal("of bob", await ValueAsync(K));
        await ReleaseAsync(bob);
        Assert.Null(await ValueAsync(K));
    }

    [Fact]
    public async Task Put_OverAFreeKey_BindsIt()
    {
        var grant = await GrantAsync("ann");
        await PutAsync(K, "free");
        await PutAsync(K, "bound", grant, ifVersion: 1);
        Assert.Equal("bound", await ValueAsync(K));

        await ReleaseAsync(grant);

        Assert.Null(await ValueAsync(K));
    }

    [Fact]
    public async Task Delete_OfABoundKey_DetachesIt()
    {
        var grant = await GrantAsync("ann");
        await PutAsync(K, "up", grant);

        Assert.True((await Leases.DeleteKeyAsync(K)).Value.Existed);

        await UntilAsync(async () => Assert.Single((await GetAsync()).Holders).Keys.Count == 0);
        Assert.Null(await ValueAsync(K));
    }

    [Fact]
    public async Task Put_AgainAndAgain_BoundAndNot_IsCleanedUpInTheEnd()
    {
        var grant = await GrantAsync("ann");
        for (var i = 0; i < 20; i++)
        {
            await PutAsync(K, "bound", grant);
            if (i % 3 == 0) await PutAsync(K, "free");
            else if (i % 3 == 1) await Leases.DeleteKeyAsync(K);
        }

        await PutAsync(K, "bound", grant);
        Assert.Equal([K], Assert.Single((await GetAsync()).Holders).Keys);
        await ReleaseAsync(grant);

        Assert.Null(await ValueAsync(K));
    }

    [Fact]
    public async Task Put_Repeated_TellsWhatItDidThenThoughTheLeaseHasEnded()
    {
        var grant = await GrantAsync("ann");
        var put = (await PutAsync(K, "up", grant, requestId: "once")).Value;
        await ReleaseAsync(grant);

        Assert.Equal(put, (await PutAsync(K, "up", grant, requestId: "once")).Value);
        Assert.Null(await ValueAsync(K));
    }

    [Fact]
    public async Task SharedHolders_HaveKeysOfTheirOwn()
    {
        var ann = await GrantAsync(Shared("ann"));
        var bob = await GrantAsync(Shared("bob"));
        await PutAsync("members/ann", "1", ann);
        await PutAsync("members/bob", "2", bob);

        await ReleaseAsync(ann);

        Assert.Equal(["members/bob"], await KeysAsync("members/"));
        Assert.Equal([["members/bob"]], (await GetAsync()).Holders.Select(holder => holder.Keys));
    }

    [Fact]
    public async Task Keys_BeyondTheLimit_AreRefused()
    {
        var grant = await GrantAsync("ann");
        for (var i = 0; i < Limits.MaxKeys; i++) await PutAsync($"k/{i}", "1", grant);

        Assert.Equal("keys", Refused<Refusal.LimitReached, KeyPut>(await PutAsync("k/more", "1", grant)).Limit);
        Assert.Equal(2, (await PutAsync("k/0", "2", grant)).Value.Version);
        Assert.Null(await ValueAsync("k/more"));
        Assert.Equal(Limits.MaxKeys, Assert.Single((await GetAsync()).Holders).Keys.Count);

        await Leases.DeleteKeyAsync("k/0");
        await UntilAsync(async () => (await PutAsync("k/more", "1", grant)).Refusal is null);
    }

    [Fact]
    public async Task Keys_OfALeaseThatEnds_AreCleanedUpWithAVersionOfTheirOwn()
    {
        var grant = await GrantAsync("ann");
        await PutAsync(K, "up", grant);
        await ReleaseAsync(grant);

        Assert.Null(await ValueAsync(K));
        Assert.Equal(3, (await PutAsync(K, "again")).Value.Version);
    }

    [Fact]
    public async Task Key_OfAnOwnerThatTakesTheLeaseAgain_IsNotTheNewTokens()
    {
        var first = await GrantAsync("ann");
        await PutAsync(K, "first", first);
        await ReleaseAsync(first);
        var second = await GrantAsync("ann");

        Assert.Null(await ValueAsync(K));
        Assert.Empty(Assert.Single((await GetAsync()).Holders).Keys);
        await PutAsync(K, "second", second);
        Assert.Equal("second", await ValueAsync(K));
    }

    [Fact]
    public async Task Key_PutWhileItsLeaseEnds_IsRefusedOrGone()
    {
        for (var i = 0; i < 30; i++)
        {
            var key = $"race/{i}";
            var grant = await GrantAsync("ann");
            var put = PutAsync(key, "up", grant).AsTask();
            var release = ReleaseAsync(grant).AsTask();
            var (answer, _) = (await put, await release);

            if (answer.Refusal is { } refusal) Assert.IsType<Refusal.NotHolder>(refusal);
            Assert.Null(await ValueAsync(key));
        }
    }

    [Fact]
    public async Task Puts_ThatLoseARaceForTheirNames_LeaveNoneWithTheirLease()
    {
        var owners = new[]
        {
            await GrantAsync(By("ann") with { Resource = "race/ann" }), await GrantAsync(By("bob") with { Resource = "race/bob" }),
        };
        var names = Enumerable.Range(0, Limits.MaxKeys).Select(i => $"race/{i}").ToList();

        var puts =
            await Task.WhenAll(from name in names from owner in owners select PutAsync(name, owner.Owner, owner, ifVersion: 0).AsTask());

        Assert.Equal(names.Count, puts.Count(put => put.Refusal is null));
        foreach (var owner in owners)
        {
            var won =
                names.Where((_, i) => puts[(2 * i) + Array.IndexOf(owners, owner)].Refusal is null).Order(StringComparer.Ordinal).ToList();
            await UntilAsync(async () => (await GetAsync(owner.Resource)).Holders[0].Keys.Order(StringComparer.Ordinal).SequenceEqual(won));
        }
    }

    private async Task EndAsync(LeaseGrant grant, string end)
    {
        switch (end)
        {
            case "release":
                Assert.Null((await ReleaseAsync(grant)).Refusal);
                break;
            case "expiry":
                await PassAsync(T(30));
                break;
            case "break":
                Assert.Null((await BreakAsync(TimeSpan.Zero, force: true)).Refusal);
                break;
            default:
                Assert.Null((await TransferAsync(grant, "heir")).Refusal);
                break;
        }
    }

    /// <summary>A lease of the same resource, in force: the transferred one, or a new one.</summary>
    private async Task<LeaseGrant> SettledAsync() => await GetAsync() is { Holders: [var holder] }
        ? (await TransferAsync(
            new LeaseGrant
            {
                Resource = R, Owner = holder.Owner, Token = holder.Token, Mode = holder.Mode, Ttl = holder.Ttl, Remaining = default,
                Elapsed = default, RenewAfter = default, RequestId = "",
            },
            "next")).Value
        : await GrantAsync("next");
}
