using System.Diagnostics.CodeAnalysis;
using Medallion.Threading;
using OrleansLeases.Client.Tests.Recipes;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.DistributedLocks;

namespace OrleansLeases.Client.Tests.DistributedLocks;

/// <summary>What users of Medallion.Threading rely on of a semaphore, beside what they rely on of one with one place.</summary>
[SuppressMessage("Usage", "xUnit1031", Justification = "The calls that block are what is tested.")]
public sealed class SemaphoreContractTests : RecipeTests
{
    [Fact]
    public void MaxCount_IsAsGiven_AndAtLeastOne()
    {
        Assert.Equal(5, AnnsOf(5).MaxCount);
        Assert.Equal(int.MaxValue, AnnsOf(int.MaxValue).MaxCount);
        Assert.Throws<ArgumentOutOfRangeException>(() => AnnsOf(0));
    }

    [Fact]
    public async Task Places_AreSoManyOverAllProcesses()
    {
        var handles = new List<IDistributedSynchronizationHandle>
        {
            AnnsOf(4).Acquire(), await BobsOf(4).AcquireAsync(), AnnsOf(4).TryAcquire()!, (await BobsOf(4).TryAcquireAsync())!,
        };
        Assert.Null(AnnsOf(4).TryAcquire());
        Assert.Null(await BobsOf(4).TryAcquireAsync());

        handles[0].Dispose();

        (await BobsOf(4).AcquireAsync()).Dispose();
        handles.ForEach(handle => handle.Dispose());
        Assert.Empty(World.HoldersOf("r"));
    }

    [Fact]
    public async Task ManyTasks_AreAtItTogether_UpToTheLimit()
    {
        var (inside, most) = (0, 0);
        var full = Gate();
        await Task.WhenAll(Enumerable.Range(0, 30).Select(number => Task.Run(async () =>
        {
            await using var held = await (number % 2 == 0 ? AnnsOf(3) : BobsOf(3)).AcquireAsync();
            var now = Interlocked.Increment(ref inside);
            for (var seen = most; seen < now; seen = most) Interlocked.CompareExchange(ref most, now, seen);
            if (now == 3) full.TrySetResult();
            // The first three wait for each other.
            await full.Task;
            Interlocked.Decrement(ref inside);
        })));

        Assert.Equal(3, most);
    }

    // More than the service has room for is as many as it has: never more than asked for.
    [Fact]
    public async Task MaxCount_BeyondTheServices_IsTheServices()
    {
        var handles = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AnnsOf(int.MaxValue).AcquireAsync().AsTask()));

        Assert.Equal(new LeaseLimits().MaxHolders, World.Look("r").Capacity);
        Assert.Equal(20, World.HoldersOf("r").Count);
        foreach (var handle in handles) await handle.DisposeAsync();
    }

    [Fact]
    public async Task AnotherMaxCount_WhileItIsHeld_IsRefused()
    {
        await using var held = await AnnsOf(4).AcquireAsync();

        var refused = await Assert.ThrowsAsync<LeaseRefusedException>(async () => await BobsOf(5).TryAcquireAsync());

        Assert.IsType<Refusal.Conflict>(refused.Refusal);
    }

    private IDistributedSemaphore AnnsOf(int maxCount) => Of(Ann, maxCount);

    private IDistributedSemaphore BobsOf(int maxCount) => Of(Bob, maxCount);

    private static IDistributedSemaphore Of(LeaseClient client, int maxCount) =>
        ((IDistributedSemaphoreProvider)new LeaseDistributedSynchronizationProvider(client)).CreateSemaphore("r", maxCount);
}
