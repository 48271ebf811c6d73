using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace OrleansLeases.Cli.Running;

/// <summary>A process group: the guard, the command, and all that the command started and did not move away.</summary>
[SupportedOSPlatform("linux")]
internal static class ProcessGroup
{
    public static void Signal(int group, int signal) => _ = Linux.Kill(-group, signal);

    /// <summary>Whether anybody but <paramref name="except"/> is still alive in the group.</summary>
    public static bool HasOthers(int group, int except)
    {
        // Nobody at all, not even a zombie: one atomic answer, where the scan below is only as good as two of them.
        if (Linux.Kill(-group, 0) != 0 && Marshal.GetLastPInvokeError() != Linux.NotPermitted) return false;
        return Scan(group, except) || Scan(group, except);
    }

    private static bool Scan(int group, int except)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process) || process == except) continue;
            if (IsAliveIn(group, process)) return true;
        }

        return false;
    }

    private static bool IsAliveIn(int group, int process)
    {
        string stat;
        try
        {
            stat = File.ReadAllText($"/proc/{process}/stat");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }

        // "pid (name) state parent group …", where the name may hold anything, spaces and brackets too.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 4);
        return fields[2] == group.ToString(CultureInfo.InvariantCulture) && fields[0] is not ("Z" or "X");
    }
}
