using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>The tests' own clock, since every other test stands on it.</summary>
public sealed class ManualTimeProviderTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Advance_WhenCalled_MovesBothClocksAlike()
    {
        _time.Advance(TimeSpan.FromTicks(7));

        Assert.Equal(TimeSpan.FromTicks(7), _time.GetElapsedTime(0));
        Assert.Equal(ManualTimeProvider.DefaultStart.AddTicks(7), _time.GetUtcNow());
    }

    [Fact]
    public void Suspend_WhenCalled_MovesTheWallAlone()
    {
        _time.Suspend(TimeSpan.FromHours(1));

        Assert.Equal(0, _time.GetTimestamp());
        Assert.Equal(ManualTimeProvider.DefaultStart.AddHours(1), _time.GetUtcNow());
    }

    [Fact]
    public void Advance_WhenTimersAreDue_FiresEachAtItsMomentInOrder()
    {
        List<(string, TimeSpan, DateTimeOffset)> fired = [];
        using var late = Timer("late", 3000, null);
        using var often = Timer("often", 1000, 1000);

        _time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(["often@1", "often@2", "late@3", "often@3"], fired.Select(entry => $"{entry.Item1}@{entry.Item2.TotalSeconds}"));
        Assert.All(fired, entry => Assert.Equal(ManualTimeProvider.DefaultStart + entry.Item2, entry.Item3));
        Assert.Equal(TimeSpan.FromSeconds(1), _time.NextTimerIn);

        ITimer Timer(string name, int due, int? period) => _time.CreateTimer(
            _ => fired.Add((name, _time.Elapsed, _time.GetUtcNow())),
            null,
            TimeSpan.FromMilliseconds(due),
            period is { } each ? TimeSpan.FromMilliseconds(each) : Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public void Change_WhenDisposedOrDisarmed_NeverFires()
    {
        var fired = 0;
        var disposed = _time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        using var disarmed = _time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        disposed.Dispose();
        disarmed.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(0, fired);
        Assert.Null(_time.NextTimerIn);
        Assert.False(disposed.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan));
    }
}
