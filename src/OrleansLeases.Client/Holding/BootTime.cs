using System.Runtime.InteropServices;

namespace OrleansLeases.Client.Holding;

/// <summary>The system's clock with a monotonic time that goes on while the machine sleeps, as .NET's own does not on Linux.</summary>
internal sealed partial class BootTime : TimeProvider
{
    private const int ClockBootTime = 7;
    private const long NanosecondsPerSecond = 1_000_000_000;

    private BootTime()
    {
    }

    /// <summary>Null where there is no such clock.</summary>
    public static BootTime? Instance { get; } = Exists() ? new() : null;

    /// <inheritdoc/>
    public override long TimestampFrequency => NanosecondsPerSecond;

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        _ = GetTime(ClockBootTime, out var now);
        return (now.Seconds * NanosecondsPerSecond) + now.Nanoseconds;
    }

    private static bool Exists()
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            return GetTime(ClockBootTime, out _) == 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    // It returns within nanoseconds, and calls nothing back.
    [SuppressGCTransition]
    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Time time);

    // As wide as a register, on 32 bits too: that is the structure of this entry point there, and seconds since boot fit.
    private struct Time
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
