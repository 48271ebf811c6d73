using System.Diagnostics.CodeAnalysis;
using Medallion.Threading;
using OrleansLeases.Client.Tests.Recipes;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.DistributedLocks;

namespace OrleansLeases.Client.Tests.DistributedLocks;

/// <summary>What users of Medallion.Threading rely on, of each of its kinds that excludes others.</summary>
[SuppressMessage("Usage", "xUnit1031", Justification = "The calls that block are what is tested.")]
public sealed class MutexContractTests : RecipeTests
{
    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1);

    public static TheoryData<string> Kinds => [.. Mutex.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Try_OfWhatIsHeld_IsNull_OfOthersAndOfTheHolderItself(string kind)
    {
        var (mine, theirs, another) = (AnnsOf(kind), BobsOf(kind), AnnsOf(kind, "another"));
        using (var held = mine.TryAcquire())
        {
            Assert.NotNull(held);
            Assert.Null(theirs.TryAcquire());
            Assert.Null(mine.TryAcquire());
            using var other = another.TryAcquire();
            Assert.NotNull(other);
        }

        using var again = theirs.TryAcquire();
        Assert.NotNull(again);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task TryAsync_OfWhatIsHeld_IsNull_UntilItIsDisposedOf(string kind)
    {
        await using (var held = await AnnsOf(kind).TryAcquireAsync())
        {
            Assert.NotNull(held);
            Assert.Null(await BobsOf(kind).TryAcquireAsync());
        }

        await using var next = await BobsOf(kind).TryAcquireAsync();
        Assert.NotNull(next);
    }

    // Thrown by the call itself: whoever does not await it hears of it too.
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Timeout_ThatIsNone_IsRefusedAtOnce(string kind)
    {
        var mutex = AnnsOf(kind);
        foreach (var wrong in new[] { TimeSpan.FromMilliseconds(-2), TimeSpan.FromSeconds(-2), TimeSpan.FromMilliseconds(1L << 31) })
        {
            Action[] calls =
            [
                () => mutex.TryAcquire(wrong), () => mutex.Acquire(wrong), () => _ = mutex.TryAcquireAsync(wrong).AsTask(),
                () => _ = mutex.AcquireAsync(wrong).AsTask(),
            ];
            Assert.All(calls, call => Assert.Equal("timeout", Assert.Throws<ArgumentOutOfRangeException>(call).ParamName));
        }

        mutex.TryAcquire(TimeSpan.FromMilliseconds(int.MaxValue))!.Dispose();
        mutex.TryAcquire(Timeout.InfiniteTimeSpan)!.Dispose();
        Assert.Empty(World.HoldersOf("r"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Timeout_WhileOthersHold_EndsTheWait(string kind)
    {
        var mutex = BobsOf(kind);
        await using var held = await AnnsOf(kind).AcquireAsync();

        var tries = new[] { Task.Run(() => mutex.TryAcquire(OneSecond)), mutex.TryAcquireAsync(OneSecond).AsTask() };
        var acquires = new[] { Task.Run(() => mutex.Acquire(OneSecond)), mutex.AcquireAsync(OneSecond).AsTask() };
        await World.LineOfAsync("r", 4);
        await World.AdvanceUntilAsync(Task.WhenAll([.. tries, .. acquires]).ContinueWith(_ => { }, TaskScheduler.Default));

        Assert.All(await Task.WhenAll(tries), Assert.Null);
        foreach (var acquire in acquires)
            Assert.Contains("'r' was held by others for 1 s", (await Assert.ThrowsAsync<TimeoutException>(() => acquire)).Message,
                StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Wait_WithoutALimit_LastsUntilTheHolderIsDone(string kind)
    {
        var held = await AnnsOf(kind).AcquireAsync();
        var (waits, blocks) = (BobsOf(kind).AcquireAsync().AsTask(), Task.Run(() => BobsOf(kind).Acquire()));
        await World.LineOfAsync("r", 2);
        await World.AdvanceAsync(TimeSpan.FromMinutes(2));
        Assert.False(waits.IsCompleted || blocks.IsCompleted);

        await held.DisposeAsync();

        var first = await await Task.WhenAny(waits, blocks);
        Assert.NotEqual(waits.IsCompleted, blocks.IsCompleted);
        await first.DisposeAsync();
        await (await Task.WhenAll(waits, blocks))[0].DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Cancellation_LeavesTheQueue(string kind)
    {
        var held = await AnnsOf(kind).AcquireAsync();
        using var stop = new CancellationTokenSource();
        var waits = BobsOf(kind).AcquireAsync(null, stop.Token).AsTask();
        var blocks = Task.Run(() => BobsOf(kind).Acquire(null, stop.Token));
        await World.LineOfAsync("r", 2);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits);
        Assert.True(waits.IsCanceled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => blocks);
        await held.DisposeAsync();
        Assert.Empty(World.HoldersOf("r"));
        Assert.NotNull(await AnnsOf(kind).TryAcquireAsync());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Cancellation_BeforeTheCall_ThrowsFromBlockingCalls_AndCancelsTheTasksOfOthers(string kind)
    {
        var (mutex, stop) = (AnnsOf(kind), new CancellationToken(canceled: true));

        Assert.ThrowsAny<OperationCanceledException>(() => mutex.Acquire(null, stop));
        Assert.ThrowsAny<OperationCanceledException>(() => mutex.TryAcquire(default, stop));
        Task[] tasks = [mutex.AcquireAsync(null, stop).AsTask(), mutex.TryAcquireAsync(default, stop).AsTask()];
        await Task.WhenAll(tasks).ContinueWith(_ => { }, TaskScheduler.Default);

        Assert.All(tasks, task => Assert.True(task.IsCanceled));
        Assert.Equal(0, World.Look("r").LastToken);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Dispose_AgainAndAgain_ReleasesOnce(string kind)
    {
        var first = AnnsOf(kind).Acquire();
        first.Dispose();
        await using var next = await BobsOf(kind).AcquireAsync(OneSecond);

        first.Dispose();
        await first.DisposeAsync();

        Assert.Equal("bob", Assert.Single(World.HoldersOf("r")).Split('/')[0]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task HandleLostToken_IsCancelledByALoss_AndNotByARelease(string kind)
    {
        CancellationToken released;
        await using (var handle = await AnnsOf(kind).AcquireAsync())
        {
            released = handle.HandleLostToken;
            Assert.True(released.CanBeCanceled);
        }

        Assert.False(released.IsCancellationRequested);

        var lost = await AnnsOf(kind).AcquireAsync();
        var told = Gate();
        using var registration = lost.HandleLostToken.Register(told.SetResult);
        Assert.False(lost.HandleLostToken.IsCancellationRequested);
        await World.BreakByForceAsync("r");
        await World.AdvanceUntilAsync(told.Task);
        Assert.True(lost.HandleLostToken.IsCancellationRequested);

        lost.Dispose();
        await lost.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => lost.HandleLostToken);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task HandleLostToken_OfAHandleThatWasLostBefore_IsCancelledAlready(string kind)
    {
        await using var lost = (LeaseDistributedSynchronizationHandle)await AnnsOf(kind).AcquireAsync();
        await World.BreakByForceAsync("r");
        await World.AdvanceUntilAsync(lost.Lease.NextChange);

        Assert.True(lost.HandleLostToken.IsCancellationRequested);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task HolderThatDies_IsFollowedByTheNext_UnderAHigherToken(string kind)
    {
        var dying = (LeaseDistributedSynchronizationHandle)await AnnsOf(kind).AcquireAsync();
        await World.CutOffAsync(Ann, "r");

        var next = BobsOf(kind).AcquireAsync().AsTask();
        await World.AdvanceUntilAsync(next);

        Assert.True(dying.HandleLostToken.IsCancellationRequested);
        await using var held = (LeaseDistributedSynchronizationHandle)await next;
        Assert.True(held.Token > dying.Token);
        Assert.Equal(held.Token, Assert.Single(World.Look("r").Holders).Token);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task ManyTasks_AreNeverAtItTogether(string kind)
    {
        var inside = 0;
        var seen = await Task.WhenAll(Enumerable.Range(0, 100).Select(number => Task.Run(async () =>
        {
            await using var held = await (number % 2 == 0 ? AnnsOf(kind) : BobsOf(kind)).AcquireAsync();
            var most = Interlocked.Increment(ref inside);
            await Task.Yield();
            return Math.Max(most, Interlocked.Decrement(ref inside) + 1);
        })));

        Assert.All(seen, most => Assert.Equal(1, most));
        Assert.Empty(World.HoldersOf("r"));
    }

    // The one thread of the context waits: whatever of the work came back to it would never run.
    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task BlockingCalls_OnTheOneThreadOfAContext_ComeToAnEnd(string kind)
    {
        using var caller = new CallerThread();
        var held = await AnnsOf(kind).AcquireAsync();
        var yields = World.Join("cid", new YieldingService(World.Service));
        var mutex = Mutex.Of(kind, new(yields, new() { Lease = RecipeWorld.Short }), "r");

        var blocked = caller.RunAsync(() =>
        {
            mutex.Acquire().Dispose();
            mutex.TryAcquire(OneSecond)!.Dispose();
            return Task.CompletedTask;
        });
        await World.LineOfAsync("r", 1);
        await held.DisposeAsync();

        await blocked.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        Assert.Empty(World.HoldersOf("r"));
    }

    private Mutex AnnsOf(string kind, string name = "r") => Of(Ann, kind, name);

    private Mutex BobsOf(string kind, string name = "r") => Of(Bob, kind, name);

    private static Mutex Of(LeaseClient client, string kind, string name) =>
        Mutex.Of(kind, new(client, new() { Lease = RecipeWorld.Short }), name);
}
