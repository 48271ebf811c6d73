using System.Diagnostics.CodeAnalysis;
using Medallion.Threading;
using OrleansLeases.Client.Tests.Recipes;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.DistributedLocks;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

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

    [Fact]
    public async Task MaxCount_BeyondASmallServices_IsTheServices()
    {
        await using var service = ServiceOf(maxHolders: 100);

        using var held = Of(World.Join("cid", service), 500).TryAcquire();

        Assert.Equal(100, await CapacityAsync(service));
    }

    // A guess would be another capacity than that of processes which were told, and so a conflict.
    [Fact]
    public async Task Limits_ThatTheServiceDoesNotTell_AreNotGuessed()
    {
        await using var service = ServiceOf(maxHolders: 10_000);
        var told = new ToldLimits(service) { Refusal = new Refusal.Unavailable(TimeSpan.Zero, "away") };
        var semaphore = Of(World.Join("cid", told), 5_000);

        var refused = Assert.Throws<LeaseRefusedException>(() => semaphore.TryAcquire());
        told.Refusal = null;
        using var held = semaphore.TryAcquire();

        Assert.Equal("away", refused.Refusal.Detail);
        Assert.Equal(5_000, await CapacityAsync(service));
    }

    [Fact]
    public async Task Limits_ThatTheServiceDoesNotTellYet_AreAskedForUntilTheTimeout()
    {
        await using var service = ServiceOf(maxHolders: 100);
        var told = new ToldLimits(service) { Refusal = new Refusal.OutcomeUnknown(null, "away") };
        var semaphore = Of(World.Join("cid", told), 500);

        var inVain = semaphore.AcquireAsync(TimeSpan.FromSeconds(3)).AsTask();
        await World.AdvanceUntilAsync(inVain.ContinueWith(_ => { }, TaskScheduler.Default));
        var patient = semaphore.AcquireAsync(TimeSpan.FromHours(1)).AsTask();
        await World.AdvanceAsync(TimeSpan.FromSeconds(3));
        told.Refusal = null;
        await World.AdvanceUntilAsync(patient);

        // Nothing was asked for that could have been granted.
        Assert.IsType<Refusal.Unavailable>((await Assert.ThrowsAsync<LeaseRefusedException>(() => inVain)).Refusal);
        await using var held = await patient;
        Assert.Equal(100, await CapacityAsync(service));
    }

    [Fact]
    public void Limits_AreAskedForOnce()
    {
        var told = new ToldLimits(World.Service);
        var cid = World.Join("cid", told);

        using var one = Of(cid, 5_000).TryAcquire();
        using var two = Of(cid, 5_000).Acquire();

        Assert.Equal(1, told.Asked);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(10_000)]
    public async Task Service_ThatIsConfiguredAnew_IsAskedAnew(int maxHolders)
    {
        await using var service = ServiceOf(maxHolders);
        var told = new ToldLimits(service) { Former = new() { MaxHolders = 1_000 } };
        var semaphore = Of(World.Join("cid", told), 5_000);
        using var held = Of(World.Join("dan", service), 5_000).Acquire();

        using var place = semaphore.TryAcquire();

        Assert.Equal(Math.Min(5_000, maxHolders), await CapacityAsync(service));
        Assert.Equal(2, told.Asked);
    }

    private EmbeddedLeases ServiceOf(int maxHolders) =>
        EmbeddedLeases.InMemory(new() { Limits = new() { MaxHolders = maxHolders } }, World.Time);

    private static async Task<int?> CapacityAsync(EmbeddedLeases service) =>
        (await service.GetAsync(new() { Resource = "r" })).Value.Capacity;

    private IDistributedSemaphore AnnsOf(int maxCount) => Of(Ann, maxCount);

    private IDistributedSemaphore BobsOf(int maxCount) => Of(Bob, maxCount);

    private static IDistributedSemaphore Of(LeaseClient client, int maxCount) =>
        ((IDistributedSemaphoreProvider)new LeaseDistributedSynchronizationProvider(client)).CreateSemaphore("r", maxCount);

    /// <summary>A service that tells its limits as a test wants.</summary>
    private sealed class ToldLimits(ILeaseService service) : ForwardingLeases(service)
    {
        public Refusal? Refusal { get; set; }

        /// <summary>What it tells at first.</summary>
        public LeaseLimits? Former { get; init; }

        public int Asked { get; private set; }

        public override async ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default)
        {
            var isFirst = ++Asked == 1;
            if (Refusal is { } refusal) return refusal;
            var info = (await base.InfoAsync(cancellationToken)).Value;
            return isFirst && Former is { } former ? info with { Limits = former } : info;
        }
    }
}
