using System.Runtime.Versioning;

namespace OrleansLeases.Cli.Running;

/// <summary>Who reads the terminal and gets its Ctrl-C: the command while it runs, whoever had it before afterwards.</summary>
[SupportedOSPlatform("linux")]
internal static class Terminal
{
    private const int StandardInput = 0;

    /// <summary>Whether this process's group has the terminal on its standard input.</summary>
    public static bool IsInForeground() =>
        Linux.IsTerminal(StandardInput) == 1 && Linux.GetForeground(StandardInput) == Linux.GetProcessGroup();

    public static void GiveTo(int group)
    {
        // A background process that changes the terminal is stopped by SIGTTOU unless it ignores it. The handler
        // is put back, because the command would inherit an ignored signal.
        var handler = Linux.OnSignal(Linux.SigTtou, Linux.IgnoreSignal);
        _ = Linux.SetForeground(StandardInput, group);
        _ = Linux.OnSignal(Linux.SigTtou, handler);
    }
}
