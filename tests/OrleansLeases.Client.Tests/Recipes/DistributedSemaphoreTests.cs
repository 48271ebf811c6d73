using OrleansLeases.Client.Recipes;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Recipes;

public sealed class DistributedSemaphoreTests : RecipeTests
{
    [Fact]
    public async Task Places_AreNoMoreThanTheCapacity_AndServedInOrder()
    {
        var (ann, bob) =
            (new DistributedSemaphore(Ann, "r", 2, RecipeWorld.Short), new DistributedSemaphore(Bob, "r", 2, RecipeWorld.Short));
        var one = await ann.AcquireAsync();
        await using var two = await bob.AcquireAsync();
        var third = ann.AcquireAsync().AsTask();
        await World.LineOfAsync("r", 1);
        Assert.Null(await bob.TryAcquireAsync());
        Assert.False(third.IsCompleted);

        await one.DisposeAsync();

        await using var held = await third;
        Assert.Equal(2, World.HoldersOf("r").Count);
    }

    [Fact]
    public async Task Work_OfMany_IsNeverAtOnceBeyondTheCapacity()
    {
        var (now, most) = (0, 0);
        var semaphores = new[] { new DistributedSemaphore(Ann, "r", 3), new DistributedSemaphore(Bob, "r", 3) };

        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => semaphores[i % 2].RunAsync(async (_, _) =>
        {
            var count = Interlocked.Increment(ref now);
            InterlockedMax(ref most, count);
            await Task.Yield();
            Interlocked.Decrement(ref now);
        })));

        Assert.InRange(most, 1, 3);
    }

    [Fact]
    public async Task Place_OfAHolderThatIsGone_IsFreeAfterItsTime()
    {
        var ann = new DistributedSemaphore(Ann, "r", 1, RecipeWorld.Short);
        var lost = (await ann.AcquireAsync()).LostToken;
        await World.CutOffAsync(Ann, "r");

        var bob = new DistributedSemaphore(Bob, "r", 1, RecipeWorld.Short).AcquireAsync().AsTask();
        await World.AdvanceUntilAsync(bob);

        Assert.True(lost.IsCancellationRequested);
        Assert.InRange(World.Time.Elapsed, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(12));
    }

    [Fact]
    public async Task Capacity_ThatDiffersFromTheOneInForce_IsRefused()
    {
        await using var held = await new DistributedSemaphore(Ann, "r", 2).AcquireAsync();

        var error = await Assert.ThrowsAsync<LeaseRefusedException>(() => new DistributedSemaphore(Bob, "r", 3).AcquireAsync().AsTask());

        Assert.Equal(2, Assert.IsType<Refusal.Conflict>(error.Refusal).Current);
    }

    [Fact]
    public void Capacity_BelowOne_IsRefusedAtOnce() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new DistributedSemaphore(Ann, "r", 0));

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); seen < value;)
        {
            var before = Interlocked.CompareExchange(ref most, value, seen);
            if (before == seen) return;
            seen = before;
        }
    }
}
