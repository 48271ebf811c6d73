using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace OrleansLeases.Testing.Processes;

/// <summary>Signals to processes that a test started.</summary>
[SupportedOSPlatform("linux")]
public static class Signals
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <exception cref="InvalidOperationException">There is no such process.</exception>
    public static void Send(int process, int signal)
    {
        if (SystemKill(process, signal) != 0)
        {
            throw new InvalidOperationException($"Signal {signal} could not be sent to process {process}.");
        }
    }

    /// <summary>Whether a process is there and no zombie.</summary>
    public static bool IsAlive(int process) => StatOf(process) is [not ("Z" or "X"), ..];

    /// <summary>Whether a process has stopped after <see cref="Stop"/>.</summary>
    public static bool IsStopped(int process) => StatOf(process) is ["T", ..];

    /// <summary>The processes that a process started and that are there still.</summary>
    public static IReadOnlyList<int> ChildrenOf(int process)
    {
        var parent = process.ToString(CultureInfo.InvariantCulture);
        return
        [
            .. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _))
                .Select(name => int.Parse(name!, CultureInfo.InvariantCulture)).Where(id => StatOf(id) is [_, var of, ..] && of == parent),
        ];
    }

    // Its state, its parent and more; null where it is gone.
    private static string[]? StatOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SystemKill(int process, int signal);
}
