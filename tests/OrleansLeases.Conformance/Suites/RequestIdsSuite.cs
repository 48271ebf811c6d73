namespace OrleansLeases.Conformance.Suites;

/// <summary><c>requestId</c>: a change applies once for it, and a repeat tells what is left now.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class RequestIdsSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Fact]
    public async Task Acquire_Repeated_TellsTheSameGrantWithWhatIsLeft()
    {
        var grant = await GrantAsync(Asked());
        var sequence = (await GetAsync()).Sequence;
        await PassAsync(T(12));

        var repeat = await GrantAsync(Asked());

        Assert.True(repeat.Replayed);
        Assert.Equal(grant.Token, repeat.Token);
        Assert.Equal("once", repeat.RequestId);
        Assert.Equal(T(30), repeat.Ttl);
        AssertTime(T(18), repeat.Remaining);
        AssertSince(TimeSpan.Zero, repeat.Elapsed);
        AssertTime(T(6), repeat.RenewAfter);
        Assert.Equal(sequence, (await GetAsync()).Sequence);
    }

    [Fact]
    public async Task Acquire_RepeatedAfterARenewal_TellsTheExtendedTime()
    {
        var grant = await GrantAsync(Asked());
        await PassAsync(T(20));
        await RenewAsync(grant, T(60));
        await PassAsync(T(15));

        var repeat = await GrantAsync(Asked());

        Assert.Equal(grant.Token, repeat.Token);
        Assert.Equal(T(60), repeat.Ttl);
        AssertTime(T(45), repeat.Remaining);
    }

    [Fact]
    public async Task Acquire_RepeatedOnceTheGrantHasEnded_SaysWhy()
    {
        var expired = await GrantAsync(Asked());
        await PassAsync(T(30));
        Assert.Equal(expired.Token, NotHolder(await Leases.AcquireAsync(Asked()), NotHolderReason.Expired).LastToken);

        await ReleaseAsync(await GrantAsync(Asked("second")));
        NotHolder(await Leases.AcquireAsync(Asked("second")), NotHolderReason.Released);

        await TransferAsync(await GrantAsync(Asked("third")), "bob");
        NotHolder(await Leases.AcquireAsync(Asked("third")), NotHolderReason.Transferred);

        await BreakAsync(TimeSpan.Zero, force: true);
        await GrantAsync(Asked("fourth"));
        await BreakAsync(TimeSpan.Zero, force: true);
        NotHolder(await Leases.AcquireAsync(Asked("fourth")), NotHolderReason.Broken);
        Assert.Equal(LeaseStatus.Free, (await GetAsync()).State);
    }

    [Fact]
    public async Task Acquire_RepeatedWhileAnotherHolds_StillSaysWhyTheFirstEnded()
    {
        await ReleaseAsync(await GrantAsync(Asked()));
        await GrantAsync("bob");

        NotHolder(await Leases.AcquireAsync(Asked()), NotHolderReason.Released);
    }

    public static TheoryData<string> Differences => new("owner", "ttl", "mode", "lockDelay", "holdAtLeast", "metadata");

    [Theory]
    [MemberData(nameof(Differences))]
    public async Task Acquire_RepeatedWithOtherContent_IsAConflict(string difference)
    {
        var grant = await GrantAsync(Asked());
        var other = difference switch
        {
            "owner" => Asked() with { Owner = "bob" },
            "ttl" => Asked() with { Ttl = T(31) },
            "mode" => Asked() with { Mode = LeaseMode.Shared },
            "lockDelay" => Asked() with { LockDelay = T(1) },
            "holdAtLeast" => Asked() with { HoldAtLeast = T(1) },
            _ => Asked() with { Metadata = new Dictionary<string, string> { ["a"] = "b" } },
        };

        await RefusedAsync<Refusal.Conflict>(other);

        await ReleaseAsync(grant);
        await RefusedAsync<Refusal.Conflict>(other);
        Assert.Equal(LeaseStatus.Free, (await GetAsync()).State);
    }

    [Fact]
    public async Task Acquire_RepeatedWithAnotherCapacity_IsAConflict()
    {
        await GrantAsync(Shared("ann", 3) with { RequestId = "once" });

        await RefusedAsync<Refusal.Conflict>(Shared("ann", 2) with { RequestId = "once" });
        Assert.True((await GrantAsync(Shared("ann", 3) with { RequestId = "once" })).Replayed);
    }

    [Fact]
    public async Task Acquire_RepeatedWithAnotherWaitOrOrderOfMetadata_IsTheSame()
    {
        var grant = await GrantAsync(Asked() with { Metadata = new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" } });

        var repeat = await GrantAsync(Asked() with { Wait = T(5), Metadata = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" } });

        Assert.Equal(grant.Token, repeat.Token);
    }

    [Fact]
    public async Task Held_IsNotRecorded_SoTheSameIdIsGrantedLater()
    {
        var grant = await GrantAsync("bob");
        await RefusedAsync<Refusal.Held>(Asked());
        await ReleaseAsync(grant);

        var granted = await GrantAsync(Asked());

        Assert.False(granted.Replayed);
        Assert.True(granted.Token > grant.Token);
    }

    [Fact]
    public async Task RequestIds_AreApartByVerbAndByResource()
    {
        var grant = await GrantAsync(Asked());
        var elsewhere = await GrantAsync(By("bob", "elsewhere") with { RequestId = "once", Ttl = T(60) });
        Assert.False(elsewhere.Replayed);

        var passedOn = (await TransferAsync(grant, "bob", requestId: "once")).Value;
        Assert.False(passedOn.Replayed);
        Assert.Equal(passedOn.Token, (await BreakAsync(TimeSpan.Zero, force: true, requestId: "once")).Value.Token);

        NotHolder(await Leases.AcquireAsync(Asked()), NotHolderReason.Transferred);
        NotHolder(await TransferAsync(grant, "bob", requestId: "once"), NotHolderReason.Broken);
    }

    [Fact]
    public async Task RequestIds_ThatDifferInBytes_AreDifferent()
    {
        await GrantAsync(Asked("É"));

        await RefusedAsync<Refusal.Held>(Asked("E\u0301"));
        await RefusedAsync<Refusal.Held>(Asked("é"));
    }

    [Fact]
    public async Task Acquire_RepeatedAtOnceByMany_IsAppliedOnce()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => Leases.AcquireAsync(Asked()).AsTask()));

        Assert.Single(answers.Select(answer => answer.Value.Token).Distinct());
        Assert.Single(answers, answer => !answer.Value.Replayed);
        Assert.Equal(1, (await GetAsync()).Sequence);
    }

    [Fact]
    public async Task RequestIds_OfTheLast256Changes_AreRemembered()
    {
        await ReleaseAsync(await GrantAsync(Asked()));
        for (var i = 0; i < 127; i++) await ReleaseAsync(await GrantAsync("bob"));

        NotHolder(await Leases.AcquireAsync(Asked()), NotHolderReason.Released);
    }

    [Fact]
    public async Task RequestId_OfTheLongestLength_IsTaken()
    {
        var longest = new string('i', 128);

        Assert.Equal(longest, (await GrantAsync(Asked(longest))).RequestId);
        Assert.True((await GrantAsync(Asked(longest))).Replayed);
    }

    private AcquireRequest Asked(string requestId = "once") => By("ann") with { RequestId = requestId };
}
