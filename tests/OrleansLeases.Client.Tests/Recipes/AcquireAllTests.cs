using OrleansLeases.Client.Recipes;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Recipes;

public sealed class AcquireAllTests : RecipeTests
{
    private static readonly string[] Pair = ["a", "b"];

    [Fact]
    public async Task AcquireAll_HoldsAll_InTheByteOrderOfTheirNames()
    {
        await using var all = await Ann.AcquireAllAsync(["b", "\U0001F600", "a", "\uFFFD"]);

        Assert.Equal(["a", "b", "\uFFFD", "\U0001F600"], all.Leases.Select(lease => lease.Resource));
        Assert.True(all.IsValid());
        Assert.Equal(World.Look("b").LastToken, all["b"].Token);
        Assert.Throws<KeyNotFoundException>(() => all["c"]);
    }

    [Fact]
    public async Task TryAcquireAll_WhereOneIsHeld_IsNullAndHoldsNone()
    {
        await using var held = await Bob.AcquireAsync("b");

        Assert.Null(await Ann.TryAcquireAllAsync(["c", "a", "b"]));

        Assert.Equal([[], ["bob"]], Pair.Select(World.HoldersOf));
        Assert.Empty(World.HoldersOf("c"));
    }

    [Fact]
    public async Task AcquireAll_ThatIsCancelled_HoldsNone()
    {
        await using var held = await Bob.AcquireAsync("b");
        using var cancel = new CancellationTokenSource();
        var asking = Ann.AcquireAllAsync(Pair, cancellationToken: cancel.Token).AsTask();
        await World.LineOfAsync("b", 1);
        Assert.Equal(["ann"], World.HoldersOf("a"));

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.Empty(World.HoldersOf("a"));
    }

    [Fact]
    public async Task TryAcquireAll_WaitsForAllOfThemTogether()
    {
        await using var a = await Bob.AcquireAsync("a");
        await using var b = await Bob.AcquireAsync("b");
        var asking = Ann.TryAcquireAllAsync(Pair, wait: TimeSpan.FromSeconds(8)).AsTask();
        await World.LineOfAsync("a", 1);
        await World.AdvanceAsync(TimeSpan.FromSeconds(5));
        await a.DisposeAsync();
        await World.LineOfAsync("b", 1);

        await World.AdvanceUntilAsync(asking);

        Assert.Null(await asking);
        Assert.InRange(World.Time.Elapsed, TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(9));
    }

    [Fact]
    public async Task AcquireAll_InWhateverOrder_NeverDeadlocks()
    {
        var now = 0;
        async Task WorkAsync(LeaseClient client, string[] order)
        {
            for (var round = 0; round < 50; round++)
            {
                await using var all = await client.AcquireAllAsync(order);
                Assert.Equal(1, Interlocked.Increment(ref now));
                await Task.Yield();
                Interlocked.Decrement(ref now);
            }
        }

        await Task.WhenAll(WorkAsync(Ann, ["a", "b", "c"]), WorkAsync(Bob, ["c", "b", "a"]), WorkAsync(Bob, ["b", "c", "a"])).WaitAsync(
            TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task AcquireAll_ThatLosesOneWhileItWaits_BeginsAnew()
    {
        var held = await Bob.AcquireAsync("b");
        var asking = Ann.AcquireAllAsync(Pair, RecipeWorld.Short).AsTask();
        await World.LineOfAsync("b", 1);
        var before = World.Look("a").LastToken;
        await World.BreakByForceAsync("a");
        await World.AdvanceAsync(TimeSpan.FromSeconds(5));
        Assert.Empty(World.HoldersOf("a"));

        await held.DisposeAsync();

        await using var all = await asking;
        Assert.True(all["a"].Token > before);
        Assert.Equal([["ann"], ["ann"]], Pair.Select(World.HoldersOf));
    }

    [Fact]
    public async Task LostToken_IsCancelledWithTheFirstThatIsLost()
    {
        await using var all = await Ann.AcquireAllAsync(Pair, RecipeWorld.Short);
        await World.BreakByForceAsync("b");

        await World.AdvanceAsync(TimeSpan.FromSeconds(5));

        Assert.True(all.LostToken.IsCancellationRequested);
        Assert.False(all.IsValid());
        Assert.True(all["a"].IsValid());
    }

    [Fact]
    public async Task Dispose_ReleasesAll()
    {
        await (await Ann.AcquireAllAsync(Pair)).DisposeAsync();

        Assert.Equal([[], []], Pair.Select(World.HoldersOf));
    }

    [Fact]
    public async Task Names_ThatAreNone_OrTwice_AreRefused()
    {
        var twice = await Assert.ThrowsAsync<ArgumentException>(() => Ann.AcquireAllAsync(["a", "b", "a"]).AsTask());
        Assert.Contains("'a' is named twice", twice.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => Ann.AcquireAllAsync([]).AsTask());
        Assert.Empty(World.HoldersOf("a"));
    }
}
