using OrleansLeases.Client.Recipes;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Recipes;

public sealed class DistributedReaderWriterLockTests : RecipeTests
{
    private readonly DistributedReaderWriterLock _ann;
    private readonly DistributedReaderWriterLock _bob;

    public DistributedReaderWriterLockTests()
    {
        var options = RecipeWorld.Short with { LockDelay = TimeSpan.FromSeconds(3) };
        (_ann, _bob) = (new(Ann, "r", options), new(Bob, "r", options));
    }

    [Fact]
    public async Task Readers_AreInTogether_AndKeepAWriterOut()
    {
        await using var one = await _ann.AcquireReadAsync();
        await using var two = await _ann.AcquireReadAsync();
        await using var three = await _bob.AcquireReadAsync();

        Assert.Null(await _bob.TryAcquireWriteAsync());
        Assert.Equal(3, World.HoldersOf("r").Count);
    }

    [Fact]
    public async Task Writer_ThatHoldsAtLeast_IsNotFollowedByReadersBefore_WhoHoldNothingAtLeast()
    {
        var options = RecipeWorld.Short with { HoldAtLeast = TimeSpan.FromHours(1) };
        var (ann, bob) = (new DistributedReaderWriterLock(Ann, "h", options), new DistributedReaderWriterLock(Bob, "h", options));
        await (await ann.AcquireReadAsync()).DisposeAsync();
        await (await bob.AcquireWriteAsync()).DisposeAsync();

        Assert.Null(await ann.TryAcquireReadAsync());
    }

    [Fact]
    public async Task Writer_KeepsReadersAndWritersOut()
    {
        await using var writer = await _ann.AcquireWriteAsync();

        Assert.Null(await _bob.TryAcquireReadAsync());
        Assert.Null(await _bob.TryAcquireWriteAsync());
        Assert.Null(await _ann.TryAcquireReadAsync());
    }

    [Fact]
    public async Task Readers_ThatComeAfterAWaitingWriter_WaitBehindIt()
    {
        var first = await _ann.AcquireReadAsync();
        var writer = _bob.AcquireWriteAsync().AsTask();
        await World.LineOfAsync("r", 1);
        Assert.Null(await _ann.TryAcquireReadAsync());
        var late = Enumerable.Range(0, 3).Select(_ => _ann.AcquireReadAsync().AsTask()).ToList();
        await World.LineOfAsync("r", 4);
        Assert.Equal(["ann/1"], World.HoldersOf("r"));

        await first.DisposeAsync();
        var writing = await writer;
        Assert.Equal(["bob"], World.HoldersOf("r"));
        await writing.DisposeAsync();

        await Task.WhenAll(late);
        Assert.Equal(3, World.HoldersOf("r").Count);
    }

    [Fact]
    public async Task Work_OfAWriter_IsToldToStopBeforeAReaderIsIn()
    {
        TimeSpan? stopped = null;
        var writer = _ann.WriteAsync(async (_, stop) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, World.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stopped = World.Time.Elapsed;
        });
        await World.CutOffAsync(Ann, "r");
        TimeSpan? began = null;
        var reader = _bob.ReadAsync((_, _) =>
        {
            began = World.Time.Elapsed;
            return Task.CompletedTask;
        });

        await World.AdvanceUntilAsync(reader);

        // The writer left a lock-delay besides.
        Assert.True(stopped + TimeSpan.FromSeconds(3) <= began, $"Stopped at {stopped}, while another began at {began}.");
        await Assert.ThrowsAsync<LeaseLostException>(() => writer);
    }
}
