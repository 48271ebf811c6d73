using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace OrleansLeases.Cli.Running;

/// <summary>The system calls that process groups and terminals need and .NET does not wrap. Linux numbers.</summary>
[SupportedOSPlatform("linux")]
internal static partial class Linux
{
    public const int SigHup = 1;
    public const int SigInt = 2;
    public const int SigQuit = 3;
    public const int SigKill = 9;
    public const int SigUsr1 = 10;
    public const int SigUsr2 = 12;
    public const int SigPipe = 13;
    public const int SigAlrm = 14;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;
    public const int SigTstp = 20;
    public const int SigTtou = 22;

    public const int NotPermitted = 1;
    public const int ExecutableAccess = 1;
    public const int SetDescriptorFlags = 2;
    public const int CloseOnExec = 1;
    public const int SetStatusFlags = 4;
    public const int SetEventOwner = 8;
    public const int SetEventSignal = 10;
    public const int DuplicateCloseOnExec = 1030;
    public const int SignalEvents = 0x2000;
    public const int OpenReadWrite = 2;
    public const int OpenCloseOnExec = 0x80000;
    public const int BootTimeClock = 7;
    public const int AbsoluteTime = 1;
    public const nint DefaultSignal = 0;
    public const nint IgnoreSignal = 1;

    private const int BlockSignals = 0;
    private const int UnblockSignals = 1;
    // Of `sigset_t`, in 64 bits; the kernel has the first.
    private const int SignalSetSize = 16;
    private const short HungUp = 0x10;

    [LibraryImport("libc", EntryPoint = "setpgid", SetLastError = true)]
    public static partial int SetProcessGroup(int process, int group);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    public static partial int GetProcessGroup();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int processOrGroup, int signal);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    public static partial int Pipe(Span<int> ends, int flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    public static partial int Duplicate(int descriptor, int to);

    [LibraryImport("libc", EntryPoint = "getppid")]
    public static partial int GetParent();

    /// <summary>Sends a signal to the calling thread, which handles it, or stops, before this returns.</summary>
    [LibraryImport("libc", EntryPoint = "raise")]
    public static partial int Raise(int signal);

    /// <summary>Keeps a signal from the calling thread until that releases it.</summary>
    public static void Hold(int signal) => _ = MaskSignals(BlockSignals, SetOf(signal), 0);

    /// <summary>Has the calling thread receive a signal that was held, before this returns.</summary>
    public static void Release(int signal) => _ = MaskSignals(UnblockSignals, SetOf(signal), 0);

    /// <summary>Whether a signal has come that the calling thread holds.</summary>
    public static bool IsHeld(int signal)
    {
        Span<ulong> pending = stackalloc ulong[SignalSetSize];
        _ = GetPending(pending);
        return (pending[0] & (1UL << (signal - 1))) != 0;
    }

    /// <summary>Forgets a signal that has come and is held.</summary>
    public static void Discard(int signal) => _ = OnSignal(signal, OnSignal(signal, IgnoreSignal));

    /// <summary>Whether all that could write to a pipe have closed it.</summary>
    public static bool HasHungUp(int pipe)
    {
        var poll = new PollRequest { Descriptor = pipe };
        return Poll(ref poll, 1, 0) > 0 && (poll.Events & HungUp) != 0;
    }

    private static ulong[] SetOf(int signal)
    {
        var set = new ulong[SignalSetSize];
        set[0] = 1UL << (signal - 1);
        return set;
    }

    [LibraryImport("libc", EntryPoint = "sigprocmask")]
    private static partial int MaskSignals(int how, ReadOnlySpan<ulong> signals, nint before);

    [LibraryImport("libc", EntryPoint = "sigpending")]
    private static partial int GetPending(Span<ulong> signals);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollRequest request, nuint count, int timeout);

    /// <summary>Before glibc 2.34 timers had a library of their own.</summary>
    public static int CreateTimer(int clock, ref TimerSignal signal, out nint timer)
    {
        try
        {
            return CreateTimerOfLibC(clock, ref signal, out timer);
        }
        catch (EntryPointNotFoundException)
        {
            return CreateTimerOfLibRt(clock, ref signal, out timer);
        }
    }

    /// <inheritdoc cref="CreateTimer"/>
    public static int SetTimer(nint timer, int flags, in TimerSetting setting, nint before)
    {
        try
        {
            return SetTimerOfLibC(timer, flags, setting, before);
        }
        catch (EntryPointNotFoundException)
        {
            return SetTimerOfLibRt(timer, flags, setting, before);
        }
    }

    [LibraryImport("libc", EntryPoint = "timer_create", SetLastError = true)]
    private static partial int CreateTimerOfLibC(int clock, ref TimerSignal signal, out nint timer);

    [LibraryImport("librt.so.1", EntryPoint = "timer_create", SetLastError = true)]
    private static partial int CreateTimerOfLibRt(int clock, ref TimerSignal signal, out nint timer);

    [LibraryImport("libc", EntryPoint = "timer_settime", SetLastError = true)]
    private static partial int SetTimerOfLibC(nint timer, int flags, in TimerSetting setting, nint before);

    [LibraryImport("librt.so.1", EntryPoint = "timer_settime", SetLastError = true)]
    private static partial int SetTimerOfLibRt(nint timer, int flags, in TimerSetting setting, nint before);

    [LibraryImport("libc", EntryPoint = "isatty")]
    public static partial int IsTerminal(int descriptor);

    [LibraryImport("libc", EntryPoint = "tcgetpgrp")]
    public static partial int GetForeground(int descriptor);

    [LibraryImport("libc", EntryPoint = "tcsetpgrp", SetLastError = true)]
    public static partial int SetForeground(int descriptor, int group);

    [LibraryImport("libc", EntryPoint = "signal")]
    public static partial nint OnSignal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Access(string path, int mode);

    /// <summary><c>struct sigevent</c>: the zero after the signal says that one is to be sent.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    public struct TimerSignal
    {
        public nint Value;
        public int Signal;
        public int Kind;
    }

    /// <summary><c>struct pollfd</c>.</summary>
    private struct PollRequest
    {
        public int Descriptor;
        public short Wanted;
        public short Events;
    }

    /// <summary><c>struct itimerspec</c>: once, without an interval.</summary>
    public struct TimerSetting
    {
        public nint IntervalSeconds;
        public nint IntervalNanoseconds;
        public nint Seconds;
        public nint Nanoseconds;
    }
}
