using System.Runtime.Versioning;

namespace OrleansLeases.Cli.Running;

/// <summary>
/// Who reads the terminal and gets its Ctrl-C: the command while it runs, and afterwards the process group that had it before. It
/// is the terminal of the session, wherever standard input comes from: commands that ask for a password open it themselves.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class Terminal
{
    private const int StandardInput = 0;
    private const int StandardOutput = 1;

    private static readonly int Descriptor = Linux.Open("/dev/tty", Linux.OpenReadWrite | Linux.OpenCloseOnExec);

    public static bool Exists => Descriptor >= 0;

    /// <summary>
    /// Whether the command is to begin with the terminal. In a pipeline it is the pager's, or another process's; there the
    /// command gets it when it asks.
    /// </summary>
    public static bool IsForTheCommand() =>
        IsInForeground() && Linux.IsTerminal(StandardInput) == 1 && Linux.IsTerminal(StandardOutput) == 1;

    /// <summary>Whether this process's group has the terminal.</summary>
    public static bool IsInForeground() => Exists && Linux.GetForeground(Descriptor) == Linux.GetProcessGroup();

    /// <summary>Passes the terminal on, unless somebody else has it by now.</summary>
    public static void Pass(int from, int to)
    {
        if (!Exists || Linux.GetForeground(Descriptor) != from) return;

        // A background process that changes the terminal is stopped by SIGTTOU unless it ignores it. The handler
        // is put back, because the command would inherit an ignored signal.
        var handler = Linux.OnSignal(Linux.SigTtou, Linux.IgnoreSignal);
        _ = Linux.SetForeground(Descriptor, to);
        _ = Linux.OnSignal(Linux.SigTtou, handler);
    }
}
