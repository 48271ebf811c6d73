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
    public const int SigTtou = 22;

    public const int NotPermitted = 1;
    public const int ExecutableAccess = 1;
    public const int SetDescriptorFlags = 2;
    public const int CloseOnExec = 1;
    public const nint DefaultSignal = 0;
    public const nint IgnoreSignal = 1;

    [LibraryImport("libc", EntryPoint = "setpgid", SetLastError = true)]
    public static partial int SetProcessGroup(int process, int group);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    public static partial int GetProcessGroup();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int processOrGroup, int signal);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(int descriptor, int command, int argument);

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
}
