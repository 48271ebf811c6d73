using OrleansLeases.Client.Recipes;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Recipes;

public sealed class LeaderElectionTests : RecipeTests
{
    private readonly LeaderElection _ann;
    private readonly LeaderElection _bob;

    public LeaderElectionTests() => (_ann, _bob) = (
        new(Ann, "r", RecipeWorld.Short with { Metadata = new Dictionary<string, string> { ["url"] = "http://ann" } }),
        new(Bob, "r", RecipeWorld.Short));

    [Fact]
    public async Task Campaign_IsWonByOne_UntilItResigns()
    {
        var first = await _ann.CampaignAsync();
        var campaign = _bob.CampaignAsync().AsTask();
        await World.LineOfAsync("r", 1);
        await World.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.False(campaign.IsCompleted);

        await first.DisposeAsync();

        await using var second = await campaign;
        Assert.True(second.Token > first.Token);
        Assert.False(first.LostToken.IsCancellationRequested);
    }

    [Fact]
    public async Task OnLost_IsCalledBeforeAnyoneElseLeads()
    {
        var leader = await _ann.CampaignAsync();
        TimeSpan? lostAt = null;
        LeaseLoss? loss = null;
        using var watched = leader.OnLost(why => (lostAt, loss) = (World.Time.Elapsed, why));
        using var unwatched = leader.OnLost(_ => Assert.Fail("It was to be left alone."));
        unwatched.Dispose();
        await World.CutOffAsync(Ann, "r");
        TimeSpan? ledAt = null;
        var next = _bob.RunAsync((_, _) =>
        {
            ledAt = World.Time.Elapsed;
            return Task.CompletedTask;
        });

        await World.AdvanceUntilAsync(next);

        Assert.True(lostAt < ledAt, $"Lost at {lostAt}, while another led at {ledAt}.");
        Assert.InRange(ledAt.Value, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(11));
        Assert.Equal(NotHolderReason.Expired, loss?.Reason);
    }

    [Fact]
    public async Task Leader_ThatIsAskedToHandOver_HearsOfItAndResigns()
    {
        var leads = _ann.RunAsync(
            (leadership,
                _) => Task.Delay(Timeout.InfiniteTimeSpan, World.Time, leadership.HandOverToken).ContinueWith(
                    _ => { }, TaskScheduler.Default));
        var next = _bob.CampaignAsync().AsTask();
        await World.LineOfAsync("r", 1);

        var asked = await _bob.AskToHandOverAsync(TimeSpan.FromMinutes(1), "an upgrade");
        Assert.Equal("ann", asked?.Owner);
        await World.AdvanceUntilAsync(next);

        await leads;
        Assert.InRange(World.Time.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(4));
        Assert.True((await next).Token > asked!.Token);
    }

    [Fact]
    public async Task Leader_ThatDoesNotHeedTheNotice_LosesAtItsEnd()
    {
        await using var leader = await _ann.CampaignAsync();
        TimeSpan? lostAt = null;
        using var watched = leader.OnLost(_ => lostAt = World.Time.Elapsed);
        var next = _bob.CampaignAsync().AsTask();
        await World.LineOfAsync("r", 1);
        await _bob.AskToHandOverAsync(TimeSpan.FromSeconds(30), "an upgrade");

        await World.AdvanceAsync(TimeSpan.FromSeconds(5));
        Assert.True(leader.HandOverToken.IsCancellationRequested);
        Assert.Equal("an upgrade", leader.Lease.Breaking?.Reason);
        Assert.True(leader.Lease.IsValid(TimeSpan.FromSeconds(5)));
        await World.AdvanceUntilAsync(next);

        Assert.InRange(World.Time.Elapsed, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(31));
        Assert.True(lostAt < World.Time.Elapsed);
    }

    [Fact]
    public async Task AskToHandOver_WhereNobodyLeads_AsksNobody() =>
        Assert.Null(await _bob.AskToHandOverAsync(TimeSpan.FromSeconds(30), "an upgrade"));

    [Fact]
    public async Task Observe_TellsEachLeaderOnce_AndWhereThereIsNone()
    {
        await using var seen = _bob.ObserveAsync().GetAsyncEnumerator();
        Assert.Null(await NextAsync());
        var first = await _ann.CampaignAsync();
        var leader = await NextAsync();
        Assert.Equal(("ann", first.Token, "http://ann"), (leader?.Owner, leader?.Token, leader?.Metadata["url"]));
        // Is told to observers as a change, but is none of the leader: this one waits for the next.
        var none = NextAsync();
        await _bob.AskToHandOverAsync(TimeSpan.FromMinutes(1), "an upgrade");
        await first.DisposeAsync();
        Assert.Null(await none);
        await using var second = await _bob.CampaignAsync();
        Assert.Equal(("bob", second.Token), ((await NextAsync()) is { } now ? (now.Owner, now.Token) : default));

        async Task<Leader?> NextAsync()
        {
            Assert.True(await seen.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60)));
            return seen.Current;
        }
    }

    [Fact]
    public async Task GetLeader_IsWhoeverLeads()
    {
        Assert.Null(await _bob.GetLeaderAsync());
        await using var leader = await _ann.CampaignAsync();

        Assert.Equal((leader.Token, "ann"), ((await _bob.GetLeaderAsync()) is { } now ? (now.Token, now.Owner) : default));
    }
}
