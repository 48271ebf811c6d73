namespace OrleansLeases.Cli.Running;

/// <summary>How long before the deadline the guard asks a command to end, and kills it.</summary>
/// <param name="TerminateBefore">
/// How long before the deadline the guard sends SIGTERM: a quarter of the time to live, at least twice
/// <paramref name="KillBefore"/>, at most half of the time to live or 10 s.
/// </param>
/// <param name="KillBefore">
/// How long before the deadline the guard sends SIGKILL: a tenth of the time to live, 50 ms to 1 s, for the scheduler's delay and the
/// clocks' rate error.
/// </param>
internal readonly record struct TerminationTimes(TimeSpan TerminateBefore, TimeSpan KillBefore)
{
    /// <summary>How long what the command left behind may take to end, once the command itself has.</summary>
    public static readonly TimeSpan LeftoverGrace = TimeSpan.FromSeconds(5);

    public static TerminationTimes For(TimeSpan ttl)
    {
        var margin = Math.Clamp(ttl.Ticks / 10, 50 * TimeSpan.TicksPerMillisecond, TimeSpan.TicksPerSecond);
        var lead = Math.Min(Math.Min(Math.Max(ttl.Ticks / 4, 2 * margin), ttl.Ticks / 2), 10 * TimeSpan.TicksPerSecond);
        return new(TimeSpan.FromTicks(lead), TimeSpan.FromTicks(margin));
    }
}
