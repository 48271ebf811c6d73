namespace OrleansLeases.Cli.Tests.Infrastructure;

/// <summary>Waits for what another process does: no wait is longer than needed, and none is for ever.</summary>
internal static class Eventually
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    public static async Task TrueAsync(Func<bool> condition, Func<string> otherwise)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Limit) Assert.Fail(otherwise());
            await Task.Delay(Poll, TimeProvider.System);
        }
    }
}
