using OrleansLeases.Client.Recipes;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Recipes;

public sealed class CacheFillTests : RecipeTests
{
    private readonly CacheFill _ann;
    private readonly CacheFill _bob;
    private int _fills;

    public CacheFillTests() => (_ann, _bob) = (new(Ann, "e", RecipeWorld.Short), new(Bob, "e", RecipeWorld.Short));

    [Fact]
    public async Task Entry_ThatIsMissing_IsFilledOnceForAllWhoAsk()
    {
        var values = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? _ann : _bob).GetOrFillAsync(NumberAsync)));

        Assert.All(values, value => Assert.Equal("1", value));
        Assert.Equal("1", await _bob.GetOrFillAsync(NumberAsync));
        Assert.Empty(World.HoldersOf("e"));
    }

    [Fact]
    public async Task Value_MayBeEmpty()
    {
        Assert.Equal("", await _ann.GetOrFillAsync(_ => Task.FromResult("")));
        Assert.Equal("", await _bob.GetOrFillAsync(NumberAsync));
    }

    [Fact]
    public async Task Failure_IsThatOfAllWhoWaitForIt_AndOfNobodyAfterwards()
    {
        var end = Gate();
        var fills = _ann.GetOrFillAsync(async _ =>
        {
            await end.Task;
            throw new InvalidOperationException("The source is down.");
        });
        await Eventually.TrueAsync(() => World.HoldersOf("e").Count == 1);
        var waiting = Enumerable.Range(0, 5).Select(_ => _bob.GetOrFillAsync(NumberAsync)).ToList();
        end.SetResult();

        await Assert.ThrowsAsync<InvalidOperationException>(() => fills);
        foreach (var waits in waiting)
            Assert.Equal("The source is down.", (await Assert.ThrowsAsync<CacheFillException>(() => waits)).Message);
        Assert.Equal("1", await _bob.GetOrFillAsync(NumberAsync));
        Assert.Equal("1", await _ann.GetOrFillAsync(NumberAsync));
    }

    [Fact]
    public async Task Filler_ThatIsGone_IsTakenOverFromByOneWhoWaits()
    {
        var fills = _ann.GetOrFillAsync(async stop =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, World.Time, stop);
            return "never";
        });
        await World.CutOffAsync(Ann, "e");
        var waiting = Task.WhenAll(Enumerable.Range(0, 5).Select(_ => _bob.GetOrFillAsync(NumberAsync)));

        await World.AdvanceUntilAsync(waiting);

        Assert.All(await waiting, value => Assert.Equal("1", value));
        await Assert.ThrowsAsync<LeaseLostException>(() => fills);
    }

    [Fact]
    public async Task Filler_ThatIsGone_LeavesNoDelay()
    {
        var options = RecipeWorld.Short with { LockDelay = TimeSpan.FromHours(1), HoldAtLeast = TimeSpan.FromHours(1) };
        var fills = new CacheFill(Ann, "e", options).GetOrFillAsync(async stop =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, World.Time, stop);
            return "never";
        });
        await World.CutOffAsync(Ann, "e");

        await World.AdvanceUntilAsync(fills);
        await World.AdvanceAsync(RecipeWorld.Short.Ttl);

        await Assert.ThrowsAsync<LeaseLostException>(() => fills);
        Assert.Equal(LeaseStatus.Free, World.Look("e").State);
    }

    [Fact]
    public async Task Filler_ThatIsCancelled_LeavesItToOneWhoWaits()
    {
        using var cancel = new CancellationTokenSource();
        var fills = _ann.GetOrFillAsync(
            async stop =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, World.Time, stop);
                return "never";
            },
            cancel.Token);
        await Eventually.TrueAsync(() => World.HoldersOf("e").Count == 1);
        var waits = _bob.GetOrFillAsync(NumberAsync);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fills);
        Assert.Equal("1", await waits);
    }

    [Fact]
    public async Task Filler_ThatLostItsLeaseUnknowingly_OverwritesNothing()
    {
        var end = Gate();
        var fills = _ann.GetOrFillAsync(async _ =>
        {
            await end.Task;
            return "stale";
        });
        await Eventually.TrueAsync(() => World.HoldersOf("e").Count == 1);
        await World.BreakByForceAsync("e");
        Assert.Equal("1", await _bob.GetOrFillAsync(NumberAsync));
        await _bob.InvalidateAsync();

        end.SetResult();

        Assert.Equal("stale", await fills);
        Assert.Equal("2", await _bob.GetOrFillAsync(NumberAsync));
    }

    [Fact]
    public async Task Value_OfAnEntryThatWasRemovedMeanwhile_IsItsCallersAlone()
    {
        Assert.Equal("stale", await _ann.GetOrFillAsync(async stop =>
        {
            await _bob.InvalidateAsync(stop);
            return "stale";
        }));
        Assert.Equal("1", await _bob.GetOrFillAsync(NumberAsync));
    }

    [Fact]
    public async Task Entry_ThatWasRemoved_IsFilledAnew()
    {
        await _ann.GetOrFillAsync(NumberAsync);
        await _bob.InvalidateAsync();

        Assert.Equal("2", await _ann.GetOrFillAsync(NumberAsync));
    }

    [Fact]
    public async Task Value_ThatIsTooLarge_IsRefused()
    {
        var error =
            await Assert.ThrowsAsync<LeaseRefusedException>(() => _ann.GetOrFillAsync(_ => Task.FromResult(new string('x', 64 * 1024))));

        Assert.IsType<Refusal.InvalidRequest>(error.Refusal);
        Assert.Empty(World.HoldersOf("e"));
    }

    private Task<string> NumberAsync(CancellationToken stop) => Task.FromResult($"{Interlocked.Increment(ref _fills)}");
}
