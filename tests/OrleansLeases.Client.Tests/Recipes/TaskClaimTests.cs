using OrleansLeases.Client.Recipes;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Recipes;

public sealed class TaskClaimTests : RecipeTests
{
    private readonly TaskClaim _ann;
    private readonly TaskClaim _bob;
    private int _runs;

    public TaskClaimTests() => (_ann, _bob) = (new(Ann, "t", RecipeWorld.Short), new(Bob, "t", RecipeWorld.Short));

    [Fact]
    public async Task Run_DoesTheTaskOnceForEver()
    {
        Assert.False(await _ann.IsDoneAsync());
        Assert.Equal(TaskOutcome.Done, await _ann.RunAsync(CountAsync));
        Assert.Equal(TaskOutcome.WasDone, await _ann.RunAsync(CountAsync));
        Assert.Equal(TaskOutcome.WasDone, await _bob.RunAsync(CountAsync));

        await World.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.True(await _bob.IsDoneAsync());
        Assert.Equal(1, _runs);
        Assert.Empty(World.HoldersOf("t"));
    }

    [Fact]
    public async Task Run_WhileAnotherIsAtIt_IsBusy_OrWaitsAndFindsItDone()
    {
        var end = Gate();
        var works = _ann.RunAsync((_, _) => end.Task);
        await Eventually.TrueAsync(() => World.HoldersOf("t").Count == 1);

        Assert.Equal(TaskOutcome.Busy, await _bob.RunAsync(CountAsync));
        var waits = _bob.RunAsync(CountAsync, wait: Timeout.InfiniteTimeSpan);
        await World.LineOfAsync("t", 1);
        end.SetResult();

        Assert.Equal(TaskOutcome.Done, await works);
        Assert.Equal(TaskOutcome.WasDone, await waits);
        Assert.Equal(0, _runs);
    }

    [Fact]
    public async Task Run_OfManyAtOnce_IsOfOneOnly()
    {
        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? _ann : _bob).RunAsync(CountAsync, wait: Timeout.InfiniteTimeSpan)));

        Assert.Single(outcomes, TaskOutcome.Done);
        Assert.Equal(19, outcomes.Count(outcome => outcome == TaskOutcome.WasDone));
        Assert.Equal(1, _runs);
    }

    [Fact]
    public async Task Run_OfAWorkerThatIsGone_IsTakenOver()
    {
        var works = _ann.RunAsync((_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, World.Time, stop));
        await World.CutOffAsync(Ann, "t");
        var takesOver = _bob.RunAsync(CountAsync, wait: Timeout.InfiniteTimeSpan);

        await World.AdvanceUntilAsync(takesOver);

        Assert.Equal(TaskOutcome.Done, await takesOver);
        await Assert.ThrowsAsync<LeaseLostException>(() => works);
    }

    [Fact]
    public async Task Run_WhoseWorkFails_LeavesTheTaskToOthers()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => _ann.RunAsync((_, _) => throw new InvalidOperationException()));

        Assert.False(await _ann.IsDoneAsync());
        Assert.Equal(TaskOutcome.Done, await _bob.RunAsync(CountAsync));
    }

    [Fact]
    public async Task Worker_ThatLostTheTaskUnknowingly_CannotMarkIt()
    {
        var (annEnds, bobEnds) = (Gate(), Gate());
        var ann = _ann.RunAsync((_, _) => annEnds.Task);
        await Eventually.TrueAsync(() => World.HoldersOf("t").Count == 1);
        await World.BreakByForceAsync("t");
        var bob = _bob.RunAsync((_, _) => bobEnds.Task);
        await Eventually.TrueAsync(() => World.HoldersOf("t").SequenceEqual(["bob"]));

        annEnds.SetResult();
        var lost = await Assert.ThrowsAsync<LeaseLostException>(() => ann);
        Assert.Contains("'t'", lost.Message, StringComparison.Ordinal);
        Assert.False(await _bob.IsDoneAsync());
        bobEnds.SetResult();

        Assert.Equal(TaskOutcome.Done, await bob);
        Assert.Contains("bob", (await World.Service.GetKeyAsync("t")).Value.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mark_ThatMayStillVanish_DoesNotCount()
    {
        var stuck = new Marks(World.Service) { FateOfSecond = Fate.Hangs };
        var cid = World.Join("cid", stuck);
        var works = new TaskClaim(cid, "t", RecipeWorld.Short).RunAsync(CountAsync);
        await Eventually.TrueAsync(() => stuck.Puts == 2);
        Assert.NotNull((await World.Service.GetKeyAsync("t")).Value.Lease);
        Assert.False(await _bob.IsDoneAsync());

        await World.CutOffAsync(cid, "t");
        var takesOver = _bob.RunAsync(CountAsync, wait: Timeout.InfiniteTimeSpan);
        await World.AdvanceUntilAsync(takesOver);

        Assert.Equal(TaskOutcome.Done, await takesOver);
        Assert.Equal(2, _runs);
        await Assert.ThrowsAsync<LeaseLostException>(() => works);
    }

    [Fact]
    public async Task Mark_WhoseAnswersAreLost_IsMadeAllTheSame()
    {
        var losing = new Marks(World.Service) { FateOfSecond = Fate.LosesAnswer };
        var works = new TaskClaim(World.Join("cid", losing), "t", RecipeWorld.Short).RunAsync(CountAsync);

        await World.AdvanceUntilAsync(works);

        Assert.Equal(TaskOutcome.Done, await works);
        Assert.Equal(3, losing.Puts);
        Assert.True(await _bob.IsDoneAsync());
    }

    private Task CountAsync(LeaseHandle lease, CancellationToken stop)
    {
        Interlocked.Increment(ref _runs);
        return Task.CompletedTask;
    }

    /// <summary>The second put, which sets the mark free, goes astray.</summary>
    private sealed class Marks(ILeaseService service) : ForwardingLeases(service)
    {
        private int _puts;

        public int Puts => Volatile.Read(ref _puts);

        public required Fate FateOfSecond { get; init; }

        public override async ValueTask<LeaseResult<KeyPut>> PutKeyAsync(
            string key, PutKeyRequest request, CancellationToken cancellationToken = default)
        {
            if (Interlocked.Increment(ref _puts) != 2) return await base.PutKeyAsync(key, request, cancellationToken);
            if (FateOfSecond is Fate.Hanging) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            await base.PutKeyAsync(key, request, cancellationToken);
            return new Refusal.OutcomeUnknown(request.RequestId, "The answer was lost.");
        }
    }
}
