namespace OrleansLeases.Conformance.Suites;

/// <summary>Watch: every stored change of a resource or key once and in order, or resync.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class WatchSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    private const string K = "config/color";

    [Fact]
    public async Task Watch_OfAResource_StartsWithItsState_AndFollows()
    {
        var grant = await GrantAsync("a");
        await using var events = await WatchAsync(new() { Resource = R });
        var state = Assert.IsType<WatchEvent.LeaseSnapshot>(await NextAsync(events));
        Assert.Equal("a", Assert.Single(state.Lease.Holders).Owner);
        Assert.Equal((1, "state"), (state.ResumeFrom?.Sequence, state.Name));

        await ReleaseAsync(grant);
        var next = await GrantAsync("b");

        AssertChange(await NextAsync(events), 2, LeaseEventKind.Released, "a", grant.Token);
        AssertChange(await NextAsync(events), 3, LeaseEventKind.Granted, "b", next.Token);
    }

    [Fact]
    public async Task Watch_OfANameNeverUsed_StartsWithNothing_AndFollows()
    {
        await using var ofResource = await WatchAsync(new() { Resource = R });
        await using var ofKey = await WatchAsync(new() { Key = R });
        Assert.Equal(LeaseStatus.Free, Assert.IsType<WatchEvent.LeaseSnapshot>(await NextAsync(ofResource)).Lease.State);
        Assert.Equal(new KeyInfo { Key = R, Version = 0 }, Assert.IsType<WatchEvent.KeySnapshot>(await NextAsync(ofKey)).Key);

        await GrantAsync("a");
        await PutAsync(R, "red");

        AssertChange(await NextAsync(ofResource), 1, LeaseEventKind.Granted, "a");
        AssertPut(await NextAsync(ofKey), 1, "red");
    }

    [Fact]
    public async Task Watch_OfAKey_StartsWithItsState_AndFollows()
    {
        await PutAsync(K, "red");
        await using var events = await WatchAsync(new() { Key = K });
        var state = Assert.IsType<WatchEvent.KeySnapshot>(await NextAsync(events));
        Assert.Equal(new KeyInfo { Key = K, Version = 1, Value = "red" }, state.Key);
        Assert.Equal((1, "state"), (state.ResumeFrom?.Sequence, state.Name));

        await PutAsync(K, "blue");
        AssertPut(await NextAsync(events), 2, "blue");
        await Leases.DeleteKeyAsync(K);
        AssertDeleted(await NextAsync(events), 3);
        await AddAsync(K, 5);
        AssertPut(await NextAsync(events), 4, "5");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Watch_OfAResource_SinceAChange_ReplaysWhatCameAfter_AndFollows(int since)
    {
        await ReleaseAsync(await GrantAsync("a"));
        var grant = await GrantAsync("b");
        await using var events = await WatchAsync(new() { Resource = R, Since = new(since) });
        for (var sequence = since + 1; sequence <= 3; sequence++)
        {
            Assert.Equal(sequence, Assert.IsType<WatchEvent.LeaseChanged>(await NextAsync(events)).Lease.Sequence);
        }

        await ReleaseAsync(grant);

        AssertChange(await NextAsync(events), 4, LeaseEventKind.Released, "b", grant.Token);
    }

    [Fact]
    public async Task Watch_OfAKey_SinceAChange_ReplaysWhatCameAfter_WithTheNewestValueOnly()
    {
        await PutAsync(K, "red");
        await Leases.DeleteKeyAsync(K);
        await PutAsync(K, "green");
        await PutAsync(K, "blue");

        await using var events = await WatchAsync(new() { Key = K, Since = new(0) });

        AssertPut(await NextAsync(events), 1, null);
        AssertDeleted(await NextAsync(events), 2);
        AssertPut(await NextAsync(events), 3, null);
        AssertPut(await NextAsync(events), 4, "blue");
    }

    [Fact]
    public async Task Watch_SinceThePlaceOfAnEvent_GoesOnAfterIt()
    {
        await GrantAsync("a");
        WatchEvent told;
        await using (var before = await WatchAsync(new() { Resource = R, Since = new(0) })) told = await NextAsync(before);
        await BreakAsync(TimeSpan.Zero, force: true);

        await using var events = await WatchAsync(new() { Resource = R, Since = told.ResumeFrom });

        AssertChange(await NextAsync(events), 2, LeaseEventKind.Breaking, "a");
    }

    [Fact]
    public async Task Watch_SinceAPlaceOfAnotherHistory_SaysResync_AndTheState()
    {
        await GrantAsync("a");
        await using var events = await WatchAsync(new() { Resource = R, Since = new(1, History: 4711) });
        Assert.IsType<WatchEvent.Resync>(await NextAsync(events));
        Assert.Equal(1, Assert.IsType<WatchEvent.LeaseSnapshot>(await NextAsync(events)).Lease.Sequence);
    }

    [Fact]
    public async Task Watch_SinceANumberNeverGivenOut_SaysResync_AndTheState()
    {
        await GrantAsync("a");
        await using var ofResource = await WatchAsync(new() { Resource = R, Since = new(17) });
        await using var ofKey = await WatchAsync(new() { Key = K, Since = new(1) });
        Assert.IsType<WatchEvent.Resync>(await NextAsync(ofResource));
        Assert.Equal(1, Assert.IsType<WatchEvent.LeaseSnapshot>(await NextAsync(ofResource)).ResumeFrom?.Sequence);
        Assert.IsType<WatchEvent.Resync>(await NextAsync(ofKey));
        Assert.Equal(0, Assert.IsType<WatchEvent.KeySnapshot>(await NextAsync(ofKey)).ResumeFrom?.Sequence);
    }

    [Fact]
    public async Task Watch_SinceWhatIsForgotten_SaysResync_AndTheState()
    {
        for (var i = 0; i < 300; i++) await ReleaseAsync(await GrantAsync($"worker-{i}"));
        await using var events = await WatchAsync(new() { Resource = R, Since = new(1) });
        Assert.IsType<WatchEvent.Resync>(await NextAsync(events));
        Assert.Equal(600, Assert.IsType<WatchEvent.LeaseSnapshot>(await NextAsync(events)).ResumeFrom?.Sequence);
    }

    [Fact]
    public async Task Watch_TellsOfAnExpiry()
    {
        var grant = await GrantAsync("a");
        await using var events = await WatchAsync(new() { Resource = R, Since = new(1) });
        await PassAsync(T(31));
        AssertChange(await NextAsync(events), 2, LeaseEventKind.Expired, "a", grant.Token);
    }

    [Fact]
    public async Task Watch_TellsWhyALeaseWasBroken()
    {
        await GrantAsync("a");
        await using var events = await WatchAsync(new() { Resource = R, Since = new(1) });
        await BreakAsync(TimeSpan.Zero, force: true);
        AssertChange(await NextAsync(events), 2, LeaseEventKind.Breaking, "a");
        var broken = Assert.IsType<WatchEvent.LeaseChanged>(await NextAsync(events)).Lease;
        Assert.Equal((LeaseEventKind.Broken, "maintenance"), (broken.Kind, broken.Reason));
    }

    [Fact]
    public async Task Watch_TellsOfATransfer()
    {
        var grant = await GrantAsync("a");
        await using var events = await WatchAsync(new() { Resource = R, Since = new(1) });
        var next = (await TransferAsync(grant, "b")).Value;
        AssertChange(await NextAsync(events), 2, LeaseEventKind.Transferred, "a", grant.Token);
        AssertChange(await NextAsync(events), 3, LeaseEventKind.Granted, "b", next.Token);
    }

    [Fact]
    public async Task Watch_OfABoundKey_TellsItsLease_AndItsEnd()
    {
        var grant = await GrantAsync("a");
        await PutAsync(K, "up", grant);
        await using var events = await WatchAsync(new() { Key = K });
        Assert.Equal(
            new KeyInfo { Key = K, Version = 1, Value = "up", Lease = LeaseOf(grant) },
            Assert.IsType<WatchEvent.KeySnapshot>(await NextAsync(events)).Key);
        await PutAsync(K, "busy", grant);
        Assert.Equal(LeaseOf(grant), AssertPut(await NextAsync(events), 2, "busy").Lease);

        await ReleaseAsync(grant);

        AssertDeleted(await NextAsync(events), 3);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0)]
    public async Task Watch_OfAKeyWhoseLeaseHasEnded_NeverShowsIt(int? since)
    {
        var grant = await GrantAsync("a");
        await PutAsync(K, "up", grant);
        await ReleaseAsync(grant);

        await using var events = await WatchAsync(new() { Key = K, Since = since is { } last ? new(last) : null });

        // Cleaned up by now or not.
        var told = await NextAsync(events);
        if (since is not null) AssertPut(told, 1, null);
        else Assert.Null(Assert.IsType<WatchEvent.KeySnapshot>(told).Key.Value);
        if (told.ResumeFrom?.Sequence == 1) AssertDeleted(await NextAsync(events), 2);
    }

    [Fact]
    public async Task Watch_OfAPrefix_TellsOfEveryResourceAndKeyUnderIt_AndOfNoOther()
    {
        await GrantAsync(By("before", "jobs/0"));
        await using var events = await WatchAsync(new() { Prefix = "jobs/" });
        var grant = await GrantAsync(By("a", "jobs/1"));
        await GrantAsync(By("b", "job"));
        await PutAsync("other/1", "x");
        await PutAsync("jobs/1", "x");
        await GrantAsync(By("c", "jobs/2/deep"));
        await PutAsync("jobs/1", "y", grant);

        Assert.Null(AssertChange(await NextAsync(events), 1, LeaseEventKind.Granted, "a").ResumeFrom);
        AssertPut(await NextAsync(events), 1, "x");
        AssertChange(await NextAsync(events), 1, LeaseEventKind.Granted, "c");
        var put = AssertPut(await NextAsync(events), 2, "y");
        Assert.Equal(("jobs/1", LeaseOf(grant)), (put.Key, put.Lease));
    }

    [Fact]
    public async Task Watch_OfAPrefix_TellsOfALeasesEnd_BeforeItsKeysAreDeleted()
    {
        var grant = await GrantAsync("a");
        await PutAsync(K, "up", grant);
        await using var events = await WatchAsync(new() { Prefix = "" });

        await PassAsync(T(31));

        AssertChange(await NextAsync(events), 2, LeaseEventKind.Expired, "a", grant.Token);
        AssertDeleted(await NextAsync(events), 2);
    }

    [Fact]
    public async Task Watch_ByMany_TellsEachOfThemEverything()
    {
        var watches = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => WatchAsync(new() { Resource = R, Since = new(0) })));
        for (var i = 0; i < 10; i++) await ReleaseAsync(await GrantAsync($"worker-{i}"));
        foreach (var events in watches)
        {
            for (var sequence = 1; sequence <= 20; sequence++) Assert.Equal(sequence, (await NextAsync(events)).ResumeFrom?.Sequence);
            await events.DisposeAsync();
        }
    }

    [Fact]
    public async Task Watch_ThatIsNotRead_HoldsUpNobody_AndMissesNothingUnsaid()
    {
        const int Last = 3_000;
        await using var events = await WatchAsync(new() { Key = K });
        for (var i = 1; i <= Last; i++) await AddAsync(K, 1);

        var seen = Assert.IsType<WatchEvent.KeySnapshot>(await NextAsync(events)).Key.Version;
        while (seen < Last)
        {
            var told = await NextAsync(events);
            if (told is WatchEvent.Resync)
            {
                var state = Assert.IsType<WatchEvent.KeySnapshot>(await NextAsync(events)).Key;
                Assert.InRange(state.Version, seen + 1, Last);
                seen = state.Version;
            }
            else
            {
                Assert.Equal(++seen, Assert.IsType<WatchEvent.KeyChanged>(told).Key.Version);
            }
        }

        await AddAsync(K, 1);
        AssertPut(await NextAsync(events), Last + 1, $"{Last + 1}");
    }

    [Fact]
    public async Task Watch_OnceCancelled_Ends()
    {
        using var cancel = new CancellationTokenSource();
        await using var events = (await Leases.WatchAsync(new() { Resource = R })).Value.GetAsyncEnumerator(cancel.Token);
        await NextAsync(events);
        var next = events.MoveNextAsync().AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    [Fact]
    public async Task Watch_IsEnumeratedOnce()
    {
        await using var watch = (await Leases.WatchAsync(new() { Resource = R })).Value;
        await using (watch.GetAsyncEnumerator()) Assert.Throws<InvalidOperationException>(() => watch.GetAsyncEnumerator());
    }

    [Theory]
    [InlineData(null, null, null, null, "resource")]
    [InlineData("a", "b", null, null, "resource")]
    [InlineData("a", null, "b", null, "resource")]
    [InlineData("a//b", null, null, null, "resource")]
    [InlineData(null, "..", null, null, "key")]
    [InlineData("a", null, null, -1L, "since")]
    [InlineData(null, null, "b", 1L, "since")]
    [InlineData(null, null, "\u0001", null, "prefix")]
    public async Task Watch_OfSomethingElse_IsRefused(string? resource, string? key, string? prefix, long? since, string field)
    {
        var request = new WatchRequest { Resource = resource, Key = key, Prefix = prefix, Since = since is { } last ? new(last) : null };
        Assert.Contains(field, Refused<Refusal.InvalidRequest, LeaseWatch>(await Leases.WatchAsync(request)).Errors.Keys);
    }

    private async Task<IAsyncEnumerator<WatchEvent>> WatchAsync(WatchRequest request) =>
        (await Leases.WatchAsync(request)).Value.GetAsyncEnumerator();

    private static async Task<WatchEvent> NextAsync(IAsyncEnumerator<WatchEvent> events)
    {
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)), "The watch ended.");
        return events.Current;
    }

    private static WatchEvent AssertChange(WatchEvent told, long sequence, LeaseEventKind kind, string owner, long? token = null)
    {
        var change = Assert.IsType<WatchEvent.LeaseChanged>(told).Lease;
        Assert.Equal((sequence, kind, owner), (change.Sequence, change.Kind, change.Owner));
        if (token is not null) Assert.Equal(token, change.Token);
        return told;
    }

    private static KeyChange AssertPut(WatchEvent told, long version, string? value)
    {
        var change = Assert.IsType<WatchEvent.KeyChanged>(told).Key;
        Assert.Equal((version, KeyEventKind.KeyPut, value), (change.Version, change.Kind, change.Value));
        return change;
    }

    private static void AssertDeleted(WatchEvent told, long version)
    {
        var change = Assert.IsType<WatchEvent.KeyChanged>(told).Key;
        Assert.Equal((version, KeyEventKind.KeyDeleted, null), (change.Version, change.Kind, change.Value));
    }
}
