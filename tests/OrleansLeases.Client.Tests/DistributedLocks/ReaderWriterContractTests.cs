using System.Diagnostics.CodeAnalysis;
using Medallion.Threading;
using OrleansLeases.Client.Tests.Recipes;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.DistributedLocks;

namespace OrleansLeases.Client.Tests.DistributedLocks;

/// <summary>What users of Medallion.Threading rely on of a reader-writer lock, beside what they rely on of its writer.</summary>
[SuppressMessage("Usage", "xUnit1031", Justification = "The calls that block are what is tested.")]
public sealed class ReaderWriterContractTests : RecipeTests
{
    private readonly IDistributedReaderWriterLock _ann;
    private readonly IDistributedReaderWriterLock _bob;

    public ReaderWriterContractTests()
    {
        _ann = new LeaseDistributedSynchronizationProvider(Ann).CreateReaderWriterLock("r");
        _bob = new LeaseDistributedSynchronizationProvider(Bob).CreateReaderWriterLock("r");
    }

    [Fact]
    public async Task Readers_ShareIt_AndAWriterWaitsForAllOfThem()
    {
        using var one = _ann.TryAcquireReadLock();
        await using var two = await _ann.TryAcquireReadLockAsync();
        using var three = _bob.AcquireReadLock();
        await using var four = await _bob.AcquireReadLockAsync();
        Assert.NotNull(one);
        Assert.NotNull(two);
        Assert.Null(_ann.TryAcquireWriteLock());
        Assert.Null(await _bob.TryAcquireWriteLockAsync());

        var writer = _bob.AcquireWriteLockAsync().AsTask();
        await World.LineOfAsync("r", 1);
        one.Dispose();
        await two.DisposeAsync();
        three.Dispose();
        Assert.False(writer.IsCompleted);
        four.Dispose();

        await using var writes = await writer;
        Assert.Null(_ann.TryAcquireReadLock());
        Assert.Null(_ann.TryAcquireWriteLock());
    }

    [Fact]
    public async Task Reader_BehindAWriterThatWaits_IsNotAdmittedBeforeIt()
    {
        var reader = await _ann.AcquireReadLockAsync();
        var writer = Task.Run(() => _bob.AcquireWriteLock());
        await World.LineOfAsync("r", 1);

        Assert.Null(await _ann.TryAcquireReadLockAsync());

        await reader.DisposeAsync();
        (await writer).Dispose();
        (await _ann.TryAcquireReadLockAsync())!.Dispose();
    }

    [Fact]
    public void Timeout_ThatIsNone_IsRefusedAtOnce_OfReaders()
    {
        var wrong = TimeSpan.FromSeconds(-2);
        Action[] calls =
        [
            () => _ann.TryAcquireReadLock(wrong), () => _ann.AcquireReadLock(wrong), () => _ = _ann.TryAcquireReadLockAsync(wrong).AsTask(),
            () => _ = _ann.AcquireReadLockAsync(wrong).AsTask(),
        ];
        Assert.All(calls, call => Assert.Equal("timeout", Assert.Throws<ArgumentOutOfRangeException>(call).ParamName));
    }

    [Fact]
    public async Task Timeout_OfAReader_EndsItsWait()
    {
        await using var writer = await _ann.AcquireWriteLockAsync();

        var acquire = _bob.AcquireReadLockAsync(TimeSpan.FromSeconds(1)).AsTask();
        await World.AdvanceUntilAsync(acquire.ContinueWith(_ => { }, TaskScheduler.Default));

        await Assert.ThrowsAsync<TimeoutException>(() => acquire);
    }

    [Fact]
    public void UpgradeableLock_IsRefused_WithTheRemedy()
    {
        var provider = new LeaseDistributedSynchronizationProvider(Ann);

        var refusal = Assert.Throws<NotSupportedException>(
            () => ((IDistributedUpgradeableReaderWriterLockProvider)provider).CreateUpgradeableReaderWriterLock("catalog"));

        Assert.Contains("'catalog' cannot be an upgradeable", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("acquire the write lock before you read", refusal.Message, StringComparison.Ordinal);
    }
}
