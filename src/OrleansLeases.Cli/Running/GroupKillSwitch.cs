using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace OrleansLeases.Cli.Running;

/// <summary>
/// What the kernel does for the lease when both of our processes are killed, stopped or hung: it kills the whole group as soon
/// as the guard ends, however that comes, and kills the guard, stopped or not, at a moment that each renewal puts off.
/// </summary>
/// <remarks>
/// When a pipe's last writer ends, the kernel can send its readers a signal of their choice, and a process
/// group as well. The kernel knows this group by itself rather than by a number, which others could have by then.
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed class GroupKillSwitch
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly nint _timer;

    private GroupKillSwitch(nint timer) => _timer = timer;

    /// <summary>Ties a group to this process, its leader, for as long as that lives.</summary>
    /// <exception cref="IOException">This kernel does not do it; nobody but a killed group would notice later.</exception>
    public static GroupKillSwitch Arm(int group)
    {
        // A process that ends closes its descriptors from one end of its table to the other, and nothing comes of a writer's
        // end once the reader is gone. So it has a pipe for either order.
        KillWithLastWriter(group, readerFirst: true);
        KillWithLastWriter(group, readerFirst: false);
        var signal = new Linux.TimerSignal { Signal = Linux.SigKill };
        return new(Check(Linux.CreateTimer(Linux.BootTimeClock, ref signal, out var timer), "timer_create") == 0 ? timer : 0);
    }

    /// <summary>Puts off, or brings forward, the moment at which the kernel kills this process, and so the group.</summary>
    public void KillAt(Deadline deadline)
    {
        var at = new Linux.TimerSetting
        {
            Seconds = (nint)(deadline.Timestamp / NanosecondsPerSecond), Nanoseconds = (nint)(deadline.Timestamp % NanosecondsPerSecond),
        };
        Check(Linux.SetTimer(_timer, Linux.AbsoluteTime, at, 0), "timer_settime");
    }

    // Both ends stay open until this process ends; the command inherits neither.
    private static void KillWithLastWriter(int group, bool readerFirst)
    {
        Span<int> ends = stackalloc int[2];
        Check(Linux.Pipe(ends, Linux.OpenCloseOnExec), "pipe2");
        var reader = ends[0];
        if (!readerFirst)
        {
            reader = Check(Linux.Control(ends[0], Linux.DuplicateCloseOnExec, ends[1] + 1), "fcntl");
            _ = Linux.Close(ends[0]);
        }

        Check(Linux.Control(reader, Linux.SetEventOwner, -group), "F_SETOWN");
        Check(Linux.Control(reader, Linux.SetEventSignal, Linux.SigKill), "F_SETSIG");
        Check(Linux.Control(reader, Linux.SetStatusFlags, Linux.SignalEvents), "O_ASYNC");
    }

    private static int Check(int result, string call) => result >= 0
        ? result
        : throw new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
}
