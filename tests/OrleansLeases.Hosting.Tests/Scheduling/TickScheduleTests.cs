using OrleansLeases.Hosting.Scheduling;

namespace OrleansLeases.Hosting.Tests.Scheduling;

public sealed class TickScheduleTests
{
    private const string Berlin = "Europe/Berlin";

    [Theory]
    // 02:30 does not exist on 31 March 2030: the clock goes from 02:00 to 03:00, at 01:00 UTC.
    [InlineData("30 2 * * *", "2030-03-30T12:00:00Z", "2030-03-31T01:00:00Z", "2030-04-01T00:30:00Z")]
    // 02:30 comes twice on 27 October 2030: at 00:30 and at 01:30 UTC.
    [InlineData("30 2 * * *", "2030-10-26T12:00:00Z", "2030-10-27T00:30:00Z", "2030-10-28T01:30:00Z")]
    [InlineData("*/30 2 * * *", "2030-10-27T00:00:00Z", "2030-10-27T00:30:00Z", "2030-10-27T01:00:00Z", "2030-10-27T01:30:00Z")]
    [InlineData("0 0 29 2 *", "2030-01-01T00:00:00Z", "2032-02-28T23:00:00Z", "2036-02-28T23:00:00Z")]
    public void Ticks_AtTheChangesOfTheClock_AreEachOneMoment(string expression, string from, params string[] ticks)
    {
        var schedule = new TickSchedule(expression, Berlin);
        var moment = DateTimeOffset.Parse(from);

        foreach (var tick in ticks)
        {
            var next = schedule.After(moment);
            Assert.Equal(DateTimeOffset.Parse(tick), next);
            Assert.Null(schedule.LastDue(moment, next!.Value - TimeSpan.FromTicks(1)));
            Assert.Equal(next, schedule.LastDue(moment, next.Value));
            moment = next.Value;
        }
    }

    [Theory]
    [InlineData("*/7 * * * *")]
    [InlineData("30 2 * * *")]
    [InlineData("15 1-3 * * SUN")]
    [InlineData("0 */20 2,3 * * *")]
    public void LastDue_IsTheLastOfThoseThatFollowEachOther_AllTheYear(string expression)
    {
        var schedule = new TickSchedule(expression, Berlin);
        var start = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        // Around both changes of the clock, and in between.
        foreach (var around in (DateTimeOffset[])[start.AddDays(88), start.AddDays(150), start.AddDays(298)])
        {
            var (last, next) = (schedule.LastDue(start, around), schedule.After(around));
            for (var now = around; now < around.AddDays(3); now += TimeSpan.FromMinutes(5))
            {
                while (next <= now) (last, next) = (next, schedule.After(next.Value));
                Assert.Equal(last, schedule.LastDue(start, now));
            }
        }
    }

    [Fact]
    public void Ticks_InBetween_AreCounted()
    {
        var schedule = new TickSchedule("0 * * * *", "UTC");
        var start = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

        Assert.Equal(0, schedule.CountBetween(start, start.AddHours(1)));
        Assert.Equal(2, schedule.CountBetween(start, start.AddHours(3)));
        Assert.Equal(1_000, schedule.CountBetween(start, start.AddYears(1)));
    }

    [Theory]
    [InlineData("* * * * *")]
    [InlineData("0 0 3 * * *")]
    [InlineData("@daily")]
    public void Expressions_OfFiveOrSixFields_AndMacros_AreTaken(string expression) => Assert.Null(TickSchedule.FaultOf(expression));
}
