namespace OrleansLeases.Cluster.Tests;

/// <summary>Waits for what other processes do: no wait is longer than needed, and none is for ever.</summary>
internal static class Eventually
{
    // Only a defect lets a test wait this long.
    public static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string> otherwise, TimeSpan? limit = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > (limit ?? WaitTimeout)) Assert.Fail(otherwise());
            await Task.Delay(Poll, TimeProvider.System);
        }
    }

    public static Task TrueAsync(Func<bool> condition, Func<string> otherwise) => TrueAsync(() => Task.FromResult(condition()), otherwise);
}
