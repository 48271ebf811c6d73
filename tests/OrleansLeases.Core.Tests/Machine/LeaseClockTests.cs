using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests.Machine;

/// <summary>What has surely passed, and what may have passed, where the two clocks of a machine disagree.</summary>
public sealed class LeaseClockTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Read_AfterASuspend_TellsTheTwoApart_UntilSomeoneConfirmsTheWallClock()
    {
        var clock = new LeaseClock(_time);
        var start = clock.Read().Latest;
        _time.Suspend(TimeSpan.FromHours(8));
        Assert.Equal((start, start + TimeSpan.FromHours(8)), (clock.Read().Earliest, clock.Read().Latest));

        clock.Calibrate(clock.ReadRaw());
        Assert.Equal((start + TimeSpan.FromHours(8), start + TimeSpan.FromHours(8)), (clock.Read().Earliest, clock.Read().Latest));
        Assert.Equal(TimeSpan.Zero, clock.Read().Monotonic);
    }

    [Fact]
    public void Read_AfterTheWallClockWasPutBack_HasItAsTheEarlier()
    {
        var clock = new LeaseClock(_time);
        var start = clock.Read().Latest;
        _time.Advance(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(-60));
        Assert.Equal(
            new Instant(TimeSpan.FromSeconds(10), start - TimeSpan.FromSeconds(60), start + TimeSpan.FromSeconds(10)), clock.Read());

        clock.Calibrate(clock.ReadRaw());
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(
            new Instant(TimeSpan.FromSeconds(15), start - TimeSpan.FromSeconds(55), start - TimeSpan.FromSeconds(55)), clock.Read());
    }

    [Fact]
    public void Read_AfterTheWallClockWasStepped_GoesOnFromTheReadingThatWasConfirmed()
    {
        var clock = new LeaseClock(_time);
        var confirmed = clock.ReadRaw();
        _time.Advance(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5));
        clock.Calibrate(confirmed);
        Assert.Equal(
            (confirmed.Wall + TimeSpan.FromSeconds(10), confirmed.Wall + TimeSpan.FromMinutes(5)),
            (clock.Read().Earliest, clock.Read().Latest));
    }
}
