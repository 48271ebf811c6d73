using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>The clean-up of keys, which goes on until each is gone and its lease knows.</summary>
public sealed class KeyCleanerTests : IDisposable
{
    private static readonly Refusal Away = new Refusal.Unavailable(TimeSpan.Zero, "away");

    private readonly ManualTimeProvider _time = new();
    private readonly FakeKeepers _keepers = new();
    private readonly KeyCleaner _cleaner;

    public KeyCleanerTests() => _cleaner = new KeyCleaner(_keepers, _time, new InlineScheduler());

    public void Dispose() => _cleaner.Dispose();

    [Fact]
    public void CleanUp_GoesInBatches_EachNotedByTheLease()
    {
        CleanUp(7, keys: 70);

        Assert.Equal([32, 32, 6], _keepers.Noted.Select(noted => noted.Keys.Count));
        Assert.Equal(Names(70), _keepers.Noted.SelectMany(noted => noted.Keys));
        Assert.Equal(70, _keepers.Keys.Count);
        Assert.Equal(0, _cleaner.Outstanding);
    }

    [Fact]
    public void CleanUp_ThatIsUnderWay_IsNotBegunAgain()
    {
        _keepers.Hold = true;

        CleanUp(7, keys: 1);
        CleanUp(7, keys: 1);
        CleanUp(8, keys: 1);

        Assert.Equal((2, 2), (_keepers.Keys.Count, _cleaner.Outstanding));
        _keepers.Hold = false;
        _keepers.Release();
        Assert.Equal(0, _cleaner.Outstanding);
        // What has ended may come again: the lease's keeper may have been told nothing.
        CleanUp(7, keys: 1);
        Assert.Equal(3, _keepers.Keys.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Key_ThatDoesNotAnswer_IsAskedAgainEverySecond_AndKeepsNoOther(bool throws)
    {
        _keepers.OfKey = key => key != "k1" ? null : throws ? throw new IOException("down") : Away;

        CleanUp(7, keys: 3);

        Assert.Equal(["k0", "k2"], Assert.Single(_keepers.Noted).Keys);
        Assert.Equal(1, _cleaner.Outstanding);
        var asked = _keepers.Keys.Count;
        _time.Advance(TimeSpan.FromSeconds(0.999));
        Assert.Equal(asked, _keepers.Keys.Count);
        _keepers.OfKey = _ => null;
        _time.Advance(TimeSpan.FromSeconds(0.001));
        Assert.Equal("k1", Assert.Single(_keepers.Noted[1].Keys));
        Assert.Equal((asked + 1, 0), (_keepers.Keys.Count, _cleaner.Outstanding));
    }

    [Fact]
    public void Lease_ThatDoesNotAnswer_HasItsKeysCleanedAgain()
    {
        _keepers.OfLease = _ => Away;
        CleanUp(7, keys: 2);
        Assert.Equal(1, _cleaner.Outstanding);

        _keepers.OfLease = _ => null;
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(["k0", "k1", "k0", "k1"], _keepers.Keys);
        Assert.Equal(0, _cleaner.Outstanding);
    }

    [Fact]
    public void Lease_WithNothingDone_IsToldNothing()
    {
        _keepers.OfKey = _ => Away;

        CleanUp(7, keys: 2);

        Assert.Empty(_keepers.Noted);
    }

    [Fact]
    public void CleanUps_OfManyLeases_AreThirtyTwoAtATime()
    {
        _keepers.Hold = true;
        for (var token = 1; token <= 40; token++) CleanUp(token, keys: 1);
        Assert.Equal((32, 40), (_keepers.Keys.Count, _cleaner.Outstanding));

        _keepers.Hold = false;
        _keepers.Release();

        Assert.Equal((40, 0), (_keepers.Keys.Count, _cleaner.Outstanding));
        for (var token = 1; token <= 40; token++) CleanUp(token, keys: 1);
        Assert.Equal(80, _keepers.Keys.Count);
    }

    [Fact]
    public void Cleaner_ThatIsStopped_AsksNobodyMore()
    {
        _keepers.OfKey = _ => Away;
        CleanUp(7, keys: 1);
        var asked = _keepers.Keys.Count;

        _cleaner.Dispose();
        CleanUp(8, keys: 1);
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(asked, _keepers.Keys.Count);
    }

    private void CleanUp(long token, int keys)
    {
        // Continuations must run on this thread, inside the call that completes them.
        SynchronizationContext.SetSynchronizationContext(null);
        _cleaner.CleanUp("r", new(token, [.. Names(keys)]));
    }

    private static IEnumerable<string> Names(int keys) => Enumerable.Range(0, keys).Select(i => $"k{i}");

    /// <summary>Runs what it is given where it is given it.</summary>
    private sealed class InlineScheduler : TaskScheduler
    {
        protected override void QueueTask(Task task) => TryExecuteTask(task);

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => TryExecuteTask(task);

        protected override IEnumerable<Task> GetScheduledTasks() => [];
    }
}
