using OrleansLeases.Testing;

namespace OrleansLeases.Cli.Tests.Mcp;

/// <summary>Calls of one agent that meet each other, or the end of its session, and losses that it must hear of all the same.</summary>
public sealed class AgentRaceTests : IAsyncLifetime
{
    private readonly AgentWorld _world = new();
    private Hooked _hooked = null!;
    private Agent _ann = null!;
    private Agent _bob = null!;

    public async Task InitializeAsync()
    {
        _hooked = new(_world.Service);
        (_ann, _bob) = (await _world.JoinAsync("ann"), await _world.JoinAsync("bob", _hooked));
    }

    public Task DisposeAsync() => _world.DisposeAsync().AsTask();

    [Fact]
    public async Task Losses_AreAllTold_HoweverMany()
    {
        string[] names = [.. Enumerable.Range(0, 25).Select(i => $"r{i}")];
        foreach (var name in names) await _ann.CallAsync("acquire", ("resource", name));
        foreach (var name in names) await _world.LoseAsync(name);

        var told = await _ann.CallAsync("get_key", ("key", "k"));

        Assert.Equal(names.Order(StringComparer.Ordinal), told.Lost.Order(StringComparer.Ordinal));
        Assert.All(told["lost"].EnumerateArray(), lost => Assert.True(lost.GetProperty("token").GetInt64() > 0));
    }

    [Fact]
    public async Task Loss_IsToldByTheAnswerThatTheLeaseIsHeldAnew()
    {
        var before = await _ann.CallAsync("acquire", ("resource", "r"));
        await _world.LoseAsync("r");

        var anew = await _ann.CallAsync("acquire", ("resource", "r"));
        var again = await _ann.CallAsync("acquire", ("resource", "r"));
        Assert.True(anew.Token > before.Token);
        var mine = await _ann.CallAsync("my_leases");

        Assert.All(
            [anew["lease"], again["lease"], mine["held"][0]],
            held => Assert.Equal(before.Token, held.GetProperty("lost_before").GetProperty("token").GetInt64()));
        Assert.StartsWith("You had lost it", anew.Next, StringComparison.Ordinal);
        Assert.Empty(anew.Lost);
    }

    [Fact]
    public async Task Agent_ThatHasTooManyNames_IsRefusedMore_UntilItReleasesOne()
    {
        for (var i = 0; i < 200; i++) Assert.Equal("held", (await _ann.CallAsync("acquire", ("resource", $"r{i}"))).Outcome);
        await _world.LoseAsync("r0");

        var refused = await _ann.CallAsync("acquire", ("resource", "more"));
        var waits = await _ann.CallAsync("wait_for", ("resource", "more"));
        await _ann.CallAsync("release", ("resource", "r0"));
        var held = await _ann.CallAsync("acquire", ("resource", "more"));

        Assert.All([refused, waits], answer => Assert.Equal(("limit-reached", true), (answer.Outcome, answer.IsError)));
        Assert.Contains("too many names", refused["detail"].GetString(), StringComparison.Ordinal);
        Assert.Equal("held", held.Outcome);
    }

    [Fact]
    public async Task Claim_OfATaskThatIsReleasedMeanwhile_IsNotKept()
    {
        _hooked.AfterPut = () => _bob.CallAsync("release", ("resource", "t"));

        var claimed = await _bob.CallAsync("claim_task", ("task", "t"));

        Assert.Equal(("not-claimed", true), (claimed.Outcome, claimed.IsError));
        Assert.Empty((await _bob.CallAsync("my_leases"))["held"].EnumerateArray());
    }

    [Fact]
    public async Task Task_ThatIsClaimedTwiceAtOnce_IsClaimedOnce()
    {
        var (reached, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        _hooked.AfterPut = () =>
        {
            reached.TrySetResult();
            return go.Task;
        };
        var first = _bob.CallAsync("claim_task", ("task", "t"));
        await reached.Task;
        var second = _bob.CallAsync("claim_task", ("task", "t"));
        await _bob.CallAsync("my_leases");
        go.SetResult();

        Assert.Equal(("claimed", "claimed"), ((await first).Outcome, (await second).Outcome));
        Assert.Equal((await first).Token, (await second).Token);
        Assert.Single(_world.Look("t").Holders);
    }

    [Fact]
    public async Task Wait_ThatEnds_LeavesTheOtherItsPlace()
    {
        await _ann.CallAsync("acquire", ("resource", "r"));
        var longer = _bob.CallAsync("wait_for", ("resource", "r"), ("max_wait_seconds", 600));
        await AgentWorld.EventuallyAsync(() => _world.Look("r").Waiters == 1);
        var shorter = await _world.AdvanceUntilAsync(_bob.CallAsync("wait_for", ("resource", "r"), ("max_wait_seconds", 5)));
        await _world.AdvanceAsync(TimeSpan.FromSeconds(90));

        Assert.Equal("waiting", shorter.Outcome);
        Assert.Equal(1, _world.Look("r").Waiters);
        await _ann.CallAsync("release", ("resource", "r"));
        Assert.Equal("held", (await _world.AdvanceUntilAsync(longer)).Outcome);
    }

    [Theory]
    [InlineData("release")]
    [InlineData("wait_for")]
    public async Task Wait_WhosePlaceAnotherCallGivesUp_SaysSo(string by)
    {
        await _ann.CallAsync("acquire", ("resource", "r"));
        var waits = _bob.CallAsync("wait_for", ("resource", "r"), ("max_wait_seconds", 600));
        await AgentWorld.EventuallyAsync(() => _world.Look("r").Waiters == 1);

        var other = by == "release"
            ? _bob.CallAsync("release", ("resource", "r"))
            : _bob.CallAsync("wait_for", ("resource", "r"), ("shared", true), ("max_wait_seconds", 600));
        var left = await _world.AdvanceUntilAsync(waits);

        Assert.Equal(("left-queue", false), (left.Outcome, left.IsError));
        Assert.Contains("Do not touch it", left.Next, StringComparison.Ordinal);
        // What was entered in its place is another, and goes on.
        await _ann.CallAsync("release", ("resource", "r"));
        Assert.Equal(by == "release" ? "left-queue" : "held", (await _world.AdvanceUntilAsync(other)).Outcome);
    }

    [Fact]
    public async Task Grant_ThatTheAgentDoesNotHearOf_IsGivenUp()
    {
        await _ann.CallAsync("acquire", ("resource", "r"));
        await _world.AdvanceUntilAsync(_bob.CallAsync("wait_for", ("resource", "r"), ("max_wait_seconds", 1)));
        await _ann.CallAsync("release", ("resource", "r"));
        await AgentWorld.EventuallyAsync(() => _world.Look("r").Holders.Any(holder => holder.Owner == _bob.Owner));

        // Answers, and says nothing of it.
        await _bob.CallAsync("get_key", ("key", "k"));
        await _world.AdvanceAsync(TimeSpan.FromSeconds(61));

        await AgentWorld.EventuallyAsync(() => _world.Look("r").Holders.Count == 0);
    }

    [Fact]
    public async Task Call_ThatIsCancelledBeforeItsAnswer_LeavesNoLease()
    {
        using var cancel = new CancellationTokenSource();
        _hooked.AfterPut = async () =>
        {
            await cancel.CancelAsync();
            await AgentWorld.EventuallyAsync(() => _hooked.OfTheCall.IsCancellationRequested);
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _bob.CallAsync("claim_task", [("task", "t")], cancel.Token));

        await AgentWorld.EventuallyAsync(() => _world.Look("t").Holders.Count == 0);
    }

    [Fact]
    public async Task Answer_ThatIsARefusal_LeavesNoLease_AndTellsOfALossBefore()
    {
        await _bob.CallAsync("acquire", ("resource", "t"));
        await _world.LoseAsync("t");
        _hooked.Refusal = new Refusal.Forbidden("No right to keys.");

        var refused = await _bob.CallAsync("claim_task", ("task", "t"));

        Assert.Equal(("forbidden", true), (refused.Outcome, refused.IsError));
        Assert.Equal(["t"], refused.Lost);
        Assert.Empty(_world.Look("t").Holders);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lease_ThatIsGrantedWhileTheSessionEnds_IsReleasedBeforeItHasEnded(bool byTheQueue)
    {
        var (granted, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        _hooked.AfterGrant = () =>
        {
            granted.TrySetResult();
            return go.Task;
        };
        if (byTheQueue) await _ann.CallAsync("acquire", ("resource", "r"));
        var acquires = _bob.CallAsync(byTheQueue ? "wait_for" : "acquire", ("resource", "r"));
        if (byTheQueue)
        {
            await AgentWorld.EventuallyAsync(() => _world.Look("r").Waiters == 1);
            await _ann.CallAsync("release", ("resource", "r"));
        }

        await granted.Task;
        var ended = _bob.EndSessionAsync();
        Assert.False(ended.IsCompleted);
        go.SetResult();
        await ended;

        Assert.Empty(_world.Look("r").Holders);
        Assert.Equal("unknown", (await acquires).Outcome);
        Assert.Equal("unknown", (await _bob.CallAsync("acquire", ("resource", "r"))).Outcome);
    }

    [Fact]
    public async Task Watch_ThatIsRefusedMeanwhile_SaysSo()
    {
        _hooked.IsWatchRefused = true;

        var ended = await _bob.CallAsync("watch", ("prefix", "r"));

        Assert.Equal(("unknown", true), (ended.Outcome, ended.IsError));
        Assert.Equal("The key has run out.", ended["detail"].GetString());
    }

    private sealed class Hooked(ILeaseService inner) : ForwardingLeases(inner)
    {
        public Func<Task>? AfterPut { get; set; }

        public Func<Task>? AfterGrant { get; set; }

        public Refusal? Refusal { get; set; }

        public bool IsWatchRefused { get; set; }

        public override async ValueTask<LeaseResult<LeaseWatch>> WatchAsync(
            WatchRequest request, CancellationToken cancellationToken = default) =>
            IsWatchRefused ? new LeaseWatch(EndedAsync()) : await base.WatchAsync(request, cancellationToken);

        private static async IAsyncEnumerable<WatchEvent> EndedAsync()
        {
            await Task.Yield();
            if (DateTimeOffset.MaxValue > DateTimeOffset.MinValue) throw new InvalidOperationException("The key has run out.");
            yield break;
        }

        public CancellationToken OfTheCall { get; private set; }

        public override ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default)
        {
            OfTheCall = cancellationToken;
            return base.GetKeyAsync(key, cancellationToken);
        }

        public override async ValueTask<LeaseResult<KeyPut>> PutKeyAsync(
            string key, PutKeyRequest request, CancellationToken cancellationToken = default)
        {
            if (Refusal is not null) return Refusal;
            var put = await base.PutKeyAsync(key, request, cancellationToken);
            if (AfterPut is not null) await AfterPut();
            return put;
        }

        public override async ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(
            AcquireRequest request, CancellationToken cancellationToken = default)
        {
            // A grant that was on its way when the call was cancelled.
            if (AfterGrant is null) return await base.AcquireAsync(request, cancellationToken);
            var answer = await base.AcquireAsync(request, CancellationToken.None);
            if (answer.Refusal is null) await AfterGrant();
            return answer;
        }
    }
}
