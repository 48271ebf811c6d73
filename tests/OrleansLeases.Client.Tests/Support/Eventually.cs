namespace OrleansLeases.Client.Tests.Support;

/// <summary>Waits for what other threads do: no wait is longer than needed, and none is for ever.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task TrueAsync(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, "What was waited for did not happen.");
            await Task.Yield();
        }
    }
}
