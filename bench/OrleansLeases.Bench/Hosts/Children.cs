using System.Diagnostics;
using System.Runtime.InteropServices;

namespace OrleansLeases.Bench.Hosts;

// Every process the run started; none outlives it, however the run ends.
internal static partial class Children
{
    private const int Sigterm = 15;

    private static readonly HashSet<Process> Running = [];

    public static void Add(Process process)
    {
        lock (Running)
            Running.Add(process);
    }

    public static void Forget(Process process)
    {
        lock (Running)
            Running.Remove(process);
    }

    public static void Terminate(Process process) => _ = SendSignal(process.Id, Sigterm);

    public static void Kill(Process process)
    {
        lock (Running)
        {
            if (!Running.Remove(process))
                return;
        }

        try
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit(TimeSpan.FromSeconds(10));
        }
        catch (InvalidOperationException)
        {
            // It had already ended.
        }
    }

    public static void KillAll()
    {
        Process[] all;
        lock (Running)
            all = [.. Running];
        foreach (var process in all)
            Kill(process);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
