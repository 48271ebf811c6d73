using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Support;

/// <summary>Waits for what other threads do: no wait is longer than needed, and none is for ever.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task TrueAsync(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        for (var looks = 1; !condition(); looks++)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, "What was waited for did not happen.");
            // A test that only yields takes the processor from those that it waits for.
            if (looks < 100) await Task.Yield();
            else await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }
    }

    /// <summary>Advances a clock in steps until a condition holds that several timers lead to, one armed after the other.</summary>
    public static Task TrueAsync(Func<bool> condition, ManualTimeProvider time, TimeSpan step) => TrueAsync(() =>
    {
        if (condition()) return true;
        time.Advance(step);
        return false;
    });
}
