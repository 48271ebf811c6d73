using OrleansLeases.Client.Holding;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Holding;

public sealed class ThreadAlarmTests
{
    [Fact]
    public async Task Alarm_WithNothingToLookFor_KeepsNoThread_AndLooksAgainOnceItIsWoken()
    {
        var threads = new List<Thread>();
        using var alarm = new ThreadAlarm(() =>
        {
            lock (threads) threads.Add(Thread.CurrentThread);
            return Timeout.InfiniteTimeSpan;
        });

        for (var times = 1; times <= 2; times++)
        {
            alarm.Wake();
            await Eventually.TrueAsync(() => Looks() >= times);
            await Eventually.TrueAsync(() => !Last().IsAlive);
        }

        Assert.NotSame(threads[0], threads[^1]);

        int Looks()
        {
            lock (threads) return threads.Distinct().Count();
        }

        Thread Last()
        {
            lock (threads) return threads[^1];
        }
    }
}
