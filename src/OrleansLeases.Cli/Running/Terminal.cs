using System.Runtime.InteropServices;
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

    /// <summary>
    /// Keeps the .NET runtime from changing the terminal; to be called before anything of <c>Console</c>, <c>Process</c> or signals. It
    /// sets the terminal as it last knew it with each SIGCONT, and when a child has ended. A process in the background is stopped
    /// by that now and then (SIGTTOU), though the runtime means to prevent it: its handler serves once, and another thread may be the one
    /// that runs it. It leaves the terminal alone where its first look at standard input finds none.
    /// </summary>
    public static void HideFromRuntime()
    {
        var input = Linux.Control(StandardInput, Linux.DuplicateCloseOnExec, StandardOutput + 1);
        var nothing = Linux.Open("/dev/null", Linux.OpenReadWrite | Linux.OpenCloseOnExec);
        if (input >= 0 && Linux.Duplicate(nothing, StandardInput) == StandardInput)
        {
            using (PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => { }))
                _ = Linux.Duplicate(input, StandardInput);
        }

        _ = Linux.Close(input);
        _ = Linux.Close(nothing);
    }

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
