using System.Runtime.InteropServices;

namespace OrleansLeases.Bench.Driving;

// The few system calls of the event loop. The driver shares its two cores with the server it measures: one
// thread on epoll costs a third of what asynchronous sockets on the thread pool cost.
internal static partial class Epoll
{
    public const uint In = 0x1;
    public const uint Out = 0x4;
    public const uint Error = 0x8;
    public const uint HangUp = 0x10;

    public const int Add = 1;
    public const int Remove = 2;
    public const int Modify = 3;

    private const int Eintr = 4;
    private const int CloseOnExec = 0x80000;

    // The kernel packs the structure on x64 and nowhere else.
    private static readonly bool Packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int DataAt = Packed ? 4 : 8;

    public static int EventSize { get; } = Packed ? 12 : 16;

    public static int Create()
    {
        var epoll = EpollCreate(CloseOnExec);
        return epoll >= 0 ? epoll : throw Failed("epoll_create1");
    }

    public static void Control(int epoll, int operation, int socket, uint events, int slot)
    {
        Span<byte> item = stackalloc byte[16];
        MemoryMarshal.Write(item, events);
        MemoryMarshal.Write(item[DataAt..], slot);
        if (EpollControl(epoll, operation, socket, ref item[0]) < 0)
            throw Failed("epoll_ctl");
    }

    // Waits with nanosecond resolution: pacing by whole milliseconds would hide what it is meant to measure.
    public static int Wait(int epoll, Span<byte> events, TimeSpan timeout)
    {
        var nanoseconds = Math.Max(0, timeout.Ticks) * 100;
        var limit = new TimeSpec { Seconds = (nint)(nanoseconds / 1_000_000_000), Nanoseconds = (nint)(nanoseconds % 1_000_000_000) };
        var count = EpollWait(epoll, ref events[0], events.Length / EventSize, in limit, 0);
        if (count >= 0)
            return count;
        return Marshal.GetLastPInvokeError() == Eintr ? 0 : throw Failed("epoll_pwait2");
    }

    public static (uint Events, int Slot) Read(ReadOnlySpan<byte> events, int index)
    {
        var item = events[(index * EventSize)..];
        return (MemoryMarshal.Read<uint>(item), MemoryMarshal.Read<int>(item[DataAt..]));
    }

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int EpollControl(int epoll, int operation, int socket, ref byte item);

    [LibraryImport("libc", EntryPoint = "epoll_pwait2", SetLastError = true)]
    private static partial int EpollWait(int epoll, ref byte events, int maximum, in TimeSpec limit, nint signals);

    private static IOException Failed(string call) => new($"{call} failed: error {Marshal.GetLastPInvokeError()}");

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
