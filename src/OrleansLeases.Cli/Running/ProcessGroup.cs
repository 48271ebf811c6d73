using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace OrleansLeases.Cli.Running;

/// <summary>A process group: the guard, the command, and all that the command started and did not move away.</summary>
[SupportedOSPlatform("linux")]
internal static class ProcessGroup
{
    public static void Signal(int group, int signal) => _ = Linux.Kill(-group, signal);

    /// <summary>Whether anybody but its leader, who asks, is still alive in the group.</summary>
    public static bool HasOthers(int group) => Scan(group, except: group) || Scan(group, except: group);

    /// <summary>Whether nobody is alive any more in a group whose leader has ended.</summary>
    public static bool IsGone(int group)
    {
        // Nobody at all, not even a zombie: one atomic answer, where the scan below is only as good as two of them.
        if (Linux.Kill(-group, 0) != 0 && Marshal.GetLastPInvokeError() != Linux.NotPermitted) return true;

        // The number is given out again once the last has gone: then there is a leader again, of somebody else's group.
        return IsAliveIn(group, group) || !(Scan(group, except: 0) || Scan(group, except: 0));
    }

    /// <summary>Whether a process is stopped, by a signal or by a terminal that it may not use.</summary>
    public static bool IsStopped(int process) => Read(process) is { State: "T" };

    private static bool Scan(int group, int except)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process)
                || process == except) continue;
            if (IsAliveIn(group, process)) return true;
        }

        return false;
    }

    private static bool IsAliveIn(int group, int process) => Read(process) is { State: not ("Z" or "X") } found && found.Group == group;

    private static (string State, int Group)? Read(int process)
    {
        string stat;
        try
        {
            stat = File.ReadAllText($"/proc/{process}/stat");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        // "pid (name) state parent group …", where the name may hold anything, spaces and brackets too.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 4);
        return (fields[0], int.Parse(fields[2], CultureInfo.InvariantCulture));
    }
}
