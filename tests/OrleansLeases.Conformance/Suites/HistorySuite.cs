namespace OrleansLeases.Conformance.Suites;

/// <summary>GET /v1/history: who held a resource, from when, and why it ended.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class HistorySuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Fact]
    public async Task History_OfAnUnusedName_IsEmptyAndStartsAtOne()
    {
        var history = await HistoryAsync("unused");

        Assert.Equal("unused", history.Resource);
        Assert.Equal(1, history.FirstSequence);
        Assert.Empty(history.Events);
    }

    [Fact]
    public async Task History_TellsEveryChangeInOrder()
    {
        var ann = await GrantAsync("ann");
        await ReleaseAsync(ann);
        var bob = await GrantAsync("bob");
        var cid = (await TransferAsync(bob, "cid")).Value;
        await PassAsync(T(30));
        var dan = await GrantAsync("dan");
        await BreakAsync(TimeSpan.Zero, force: true);

        var history = await HistoryAsync();

        Assert.Equal(
            [
                (1, LeaseEventKind.Granted, "ann", ann.Token, null),
                (2, LeaseEventKind.Released, "ann", ann.Token, null),
                (3, LeaseEventKind.Granted, "bob", bob.Token, null),
                (4, LeaseEventKind.Transferred, "bob", bob.Token, null),
                (5, LeaseEventKind.Granted, "cid", cid.Token, null),
                (6, LeaseEventKind.Expired, "cid", cid.Token, null),
                (7, LeaseEventKind.Granted, "dan", dan.Token, null),
                (8, LeaseEventKind.Breaking, "dan", dan.Token, "maintenance"),
                (9, LeaseEventKind.Broken, "dan", dan.Token, "maintenance"),
            ],
            history.Events.Select(entry => (entry.Sequence, entry.Kind, entry.Owner, entry.Token, entry.Reason)));
        Assert.Equal(1, history.FirstSequence);
        Assert.Equal(9, (await GetAsync()).Sequence);
    }

    [Fact]
    public async Task History_TellsWhenByTheServicesClock()
    {
        var grant = await GrantAsync("ann");
        await PassAsync(T(7));
        await ReleaseAsync(grant);
        await GrantAsync("bob");
        await PassAsync(T(45));

        var events = (await HistoryAsync()).Events;

        AssertSince(T(7), events[1].At - events[0].At);
        AssertSince(TimeSpan.Zero, events[2].At - events[1].At);
        Assert.Equal(LeaseEventKind.Expired, events[3].Kind);
        AssertSince(T(30), events[3].At - events[2].At);
        Assert.Equal(TimeSpan.Zero, events[0].At.Offset);
    }

    [Fact]
    public async Task History_DoesNotTellOfRenewalsOrRefusals()
    {
        var grant = await GrantAsync("ann");
        for (var i = 0; i < 5; i++)
        {
            await PassAsync(T(20));
            await RenewAsync(grant);
            await RefusedAsync<Refusal.Held>(By("bob"));
        }

        Assert.Equal(LeaseEventKind.Granted, Assert.Single((await HistoryAsync()).Events).Kind);
    }

    [Fact]
    public async Task History_OfManyChanges_KeepsTheLastAtLeast64WithoutAGap()
    {
        for (var i = 0; i < 400; i++) await ReleaseAsync(await GrantAsync($"owner-{i}"));

        var history = await HistoryAsync();

        Assert.Equal(800, (await GetAsync()).Sequence);
        Assert.InRange(history.Events.Count, 64, 800);
        Assert.Equal(history.FirstSequence, history.Events[0].Sequence);
        Assert.Equal(
            Enumerable.Range(0, history.Events.Count).Select(i => history.FirstSequence + i),
            history.Events.Select(entry => entry.Sequence));
        Assert.Equal(800, history.Events[^1].Sequence);
        Assert.Equal(LeaseEventKind.Released, history.Events[^1].Kind);
        Assert.Equal("owner-399", history.Events[^1].Owner);
    }

    [Fact]
    public async Task History_OfSeveralHolders_TellsEach()
    {
        var ann = await GrantAsync(Shared("ann", 2));
        var bob = await GrantAsync(Shared("bob", 2));
        await ReleaseAsync(ann);
        await PassAsync(T(30));

        Assert.Equal(
            [
                (LeaseEventKind.Granted, ann.Token), (LeaseEventKind.Granted, bob.Token),
                (LeaseEventKind.Released, ann.Token), (LeaseEventKind.Expired, bob.Token),
            ],
            (await HistoryAsync()).Events.Select(entry => (entry.Kind, entry.Token)));
    }
}
