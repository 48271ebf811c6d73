using OrleansLeases.Client.Holding;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Holding;

public sealed class HolderClockTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly HolderClock _clock;

    public HolderClockTests() => _clock = new(_time);

    [Theory]
    [InlineData(5, 5, 5)]
    [InlineData(5, 65, 65)]
    [InlineData(12, 5, 12)]
    [InlineData(12, -100, 12)]
    public void Time_WhenTheClocksDisagree_IsTheOneThatWentFurther(int monotonic, int wall, int seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(monotonic), TimeSpan.FromSeconds(wall));

        Assert.Equal(TimeSpan.FromSeconds(seconds), _clock.Now());
        Assert.Equal(TimeSpan.FromSeconds(seconds), _clock.Sample());
        Assert.Equal(TimeSpan.FromSeconds(seconds), _clock.Now());
    }

    [Fact]
    public void Time_WhenTheWallIsPutBackAndTheMachineThenSleeps_CountsTheSleep()
    {
        _time.StepWall(TimeSpan.FromHours(-1));
        _time.Advance(TimeSpan.FromSeconds(1));
        _clock.Sample();

        _time.Suspend(TimeSpan.FromMinutes(10));

        Assert.Equal(TimeSpan.FromSeconds(601), _clock.Now());
    }

    [Fact]
    public void Time_WhenAReadingIsPaused_CountsThePauseOnce()
    {
        var pausing = new Pausing(_time);
        var clock = new HolderClock(pausing);

        pausing.Next = TimeSpan.FromSeconds(20);

        Assert.Equal(TimeSpan.FromSeconds(20), clock.Sample());
        Assert.Equal(TimeSpan.FromSeconds(20), clock.Now());
        Assert.Equal(TimeSpan.FromSeconds(20), clock.Sample());
    }

    [Fact]
    public void Time_NeverGoesBack()
    {
        var before = TimeSpan.Zero;
        foreach (var step in new[] { 3, -8, 2, -1, 7 })
        {
            _time.StepWall(TimeSpan.FromSeconds(step));
            _time.Advance(TimeSpan.FromMilliseconds(1));
            var now = _clock.Sample();
            Assert.True(now > before);
            before = now;
        }
    }

    [Fact]
    public void Time_OfManyReadings_LosesNothingToRounding()
    {
        var time = new OddFrequency();
        var clock = new HolderClock(time);
        for (var i = 0; i < 10_000; i++)
        {
            time.Stamp += 101;
            clock.Sample();
        }

        Assert.InRange(clock.Now(), TimeSpan.FromTicks(10_000 * 101 * 10 / 7) * 0.999, TimeSpan.FromTicks(10_000 * 101 * 10 / 7));
    }

    [Fact]
    public void Time_WhereMonotonicTimeCountsSleep_CountsASleepHoweverTheWallIsPutBack()
    {
        var clock = new HolderClock(_time, countsSleep: true);

        _time.StepWall(TimeSpan.FromHours(-1));
        _time.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal(TimeSpan.FromMinutes(10), clock.Now());
        Assert.Equal(TimeSpan.FromMinutes(10), clock.Sample());
    }

    [Theory]
    [InlineData(40)]
    [InlineData(-40)]
    public void Time_WhereMonotonicTimeCountsSleep_IsNotMovedByAStepOfTheWall(int step)
    {
        var clock = new HolderClock(_time, countsSleep: true);

        _time.StepWall(TimeSpan.FromSeconds(step));
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(TimeSpan.FromSeconds(1), clock.Sample());
        Assert.Equal(TimeSpan.FromSeconds(1), clock.Now());
    }

    [Fact]
    public void BootTime_GoesOnWithTheSystemsTime()
    {
        Assert.Equal(OperatingSystem.IsLinux(), BootTime.Instance is not null);
        if (BootTime.Instance is not { } time) return;
        var (first, before) = (TimeProvider.System.GetTimestamp(), time.GetTimestamp());
        while (TimeProvider.System.GetElapsedTime(first) < TimeSpan.FromMilliseconds(20)) Thread.Yield();

        var elapsed = time.GetElapsedTime(before);

        Assert.InRange(elapsed, TimeSpan.FromMilliseconds(19), TimeProvider.System.GetElapsedTime(first) + TimeSpan.FromMilliseconds(1));
    }

    /// <summary>Seven million stamps a second, and a wall clock that stands still.</summary>
    private sealed class OddFrequency : TimeProvider
    {
        public long Stamp { get; set; }

        public override long TimestampFrequency => 7_000_000;

        public override long GetTimestamp() => Stamp;

        public override DateTimeOffset GetUtcNow() => ManualTimeProvider.DefaultStart;
    }

    // The process stands still between its look at the one time and at the other.
    private sealed class Pausing(ManualTimeProvider time) : TimeProvider
    {
        public TimeSpan Next { get; set; }

        public override long TimestampFrequency => time.TimestampFrequency;

        public override long GetTimestamp() => time.GetTimestamp();

        public override DateTimeOffset GetUtcNow()
        {
            time.Advance(Next);
            Next = TimeSpan.Zero;
            return time.GetUtcNow();
        }
    }
}
