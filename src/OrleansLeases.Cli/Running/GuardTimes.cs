namespace OrleansLeases.Cli.Running;

/// <summary>How long before the deadline a command is asked to end, and made to.</summary>
/// <param name="Lead">Before the deadline comes SIGTERM: a quarter of the time to live, at least two margins, at most half of it or 10 s.</param>
/// <param name="Margin">
/// Before the deadline comes SIGKILL: a tenth of the time to live, 50 ms to 1 s, for the scheduler's delay and the
/// clocks' rate error.
/// </param>
internal readonly record struct GuardTimes(TimeSpan Lead, TimeSpan Margin)
{
    /// <summary>How long what the command left behind may take to end, once the command itself has.</summary>
    public static readonly TimeSpan LeftoverGrace = TimeSpan.FromSeconds(5);

    public static GuardTimes For(TimeSpan ttl)
    {
        var margin = Math.Clamp(ttl.Ticks / 10, 50 * TimeSpan.TicksPerMillisecond, TimeSpan.TicksPerSecond);
        var lead = Math.Min(Math.Min(Math.Max(ttl.Ticks / 4, 2 * margin), ttl.Ticks / 2), 10 * TimeSpan.TicksPerSecond);
        return new(TimeSpan.FromTicks(lead), TimeSpan.FromTicks(margin));
    }
}
