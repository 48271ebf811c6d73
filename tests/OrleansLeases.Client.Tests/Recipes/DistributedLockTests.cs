using OrleansLeases.Client.Recipes;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Recipes;

public sealed class DistributedLockTests : RecipeTests
{
    private readonly DistributedLock _ann;
    private readonly DistributedLock _bob;

    public DistributedLockTests() => (_ann, _bob) = (new(Ann, "r", RecipeWorld.Short), new(Bob, "r", RecipeWorld.Short));

    [Fact]
    public async Task Run_WhileAnotherIsAtIt_BeginsWhenThatHasEnded()
    {
        var (first, began) = (Gate(), Gate());
        var annWorks = _ann.RunAsync((_, _) => first.Task);
        var bobWorks = _bob.RunAsync((_, _) =>
        {
            began.SetResult();
            return Task.CompletedTask;
        });
        await World.LineOfAsync("r", 1);
        await World.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.False(began.Task.IsCompleted);

        first.SetResult();

        await annWorks;
        await bobWorks;
        Assert.Empty(World.HoldersOf("r"));
    }

    [Fact]
    public async Task Run_OfTwoTasksOfOneProcess_IsOneAfterTheOther()
    {
        var (first, began) = (Gate(), Gate());
        var one = _ann.RunAsync((_, _) => first.Task);
        var other = _ann.RunAsync((_, _) =>
        {
            began.SetResult();
            return Task.CompletedTask;
        });
        await World.LineOfAsync("r", 1);
        Assert.False(began.Task.IsCompleted);

        first.SetResult();

        await Task.WhenAll(one, other);
    }

    [Fact]
    public async Task Run_WhoseLeaseIsLost_TellsItsWorkToStopBeforeAnotherBegins()
    {
        TimeSpan? stopped = null, began = null;
        var end = Gate();
        var annWorks = _ann.RunAsync(async (_, stop) =>
        {
            using var told = stop.Register(() => stopped = World.Time.Elapsed);
            await end.Task;
        });
        await World.CutOffAsync(Ann, "r");
        var bobWorks = _bob.RunAsync((_, _) =>
        {
            began = World.Time.Elapsed;
            return Task.CompletedTask;
        });

        await World.AdvanceUntilAsync(bobWorks);

        Assert.True(stopped < began, $"Stopped at {stopped}, while another began at {began}.");
        Assert.False(annWorks.IsCompleted);
        end.SetResult();
        var lost = await Assert.ThrowsAsync<LeaseLostException>(() => annWorks);
        Assert.Equal(NotHolderReason.Expired, lost.Loss.Reason);
    }

    [Fact]
    public async Task Run_WhoseWorkStopsWhenTheLeaseIsLost_ThrowsTheLoss()
    {
        var work = _ann.RunAsync((_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, World.Time, stop));
        await World.CutOffAsync(Ann, "r");

        await World.AdvanceUntilAsync(work);

        var lost = await Assert.ThrowsAsync<LeaseLostException>(() => work);
        Assert.IsAssignableFrom<OperationCanceledException>(lost.InnerException);
    }

    [Fact]
    public async Task Run_ThatIsCancelled_HoldsTheLockUntilItsWorkHasEnded()
    {
        using var cancel = new CancellationTokenSource();
        var (told, end) = (Gate(), Gate());
        var work = _ann.RunAsync(
            async (_, stop) =>
            {
                using var registered = stop.Register(told.SetResult);
                await end.Task;
                stop.ThrowIfCancellationRequested();
            },
            cancel.Token);
        await Eventually.TrueAsync(() => World.HoldersOf("r").Count == 1);

        await cancel.CancelAsync();
        await told.Task;
        await World.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(["ann"], World.HoldersOf("r"));
        end.SetResult();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
        Assert.Empty(World.HoldersOf("r"));
    }

    [Fact]
    public async Task Run_WhoseWorkFails_PassesThatOnAndReleases()
    {
        var failure = new InvalidOperationException("no");

        Assert.Same(failure, await Assert.ThrowsAsync<InvalidOperationException>(() => _ann.RunAsync((_, _) => throw failure)));
        Assert.Empty(World.HoldersOf("r"));
    }

    [Fact]
    public async Task Run_WhoseWorkReleasedTheLeaseItself_IsNoLoss()
    {
        Assert.Equal(7, await _ann.RunAsync(async (lease, _) =>
        {
            await lease.ReleaseAsync();
            return 7;
        }));
    }

    [Fact]
    public async Task TryAcquire_WhileAnotherHolds_IsNull()
    {
        await using var held = await _ann.AcquireAsync();

        Assert.Null(await _bob.TryAcquireAsync());
    }
}
