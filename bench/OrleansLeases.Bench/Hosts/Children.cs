using System.Diagnostics;
using System.Runtime.InteropServices;

namespace OrleansLeases.Bench.Hosts;

// Every process the run started; none outlives it, however the run ends.
internal static partial class Children
{
    public const int Sigkill = 9;

    private const int Sigterm = 15;

    private static readonly Dictionary<Process, int> Running = [];

    public static void Add(Process process, int endSignal = Sigkill)
    {
        lock (Running)
            Running.Add(process, endSignal);
    }

    public static void Forget(Process process)
    {
        lock (Running)
            Running.Remove(process);
    }

    public static void Terminate(Process process) => _ = SendSignal(process.Id, Sigterm);

    public static void Kill(Process process)
    {
        int endSignal;
        lock (Running)
        {
            if (!Running.Remove(process, out endSignal))
                return;
        }

        try
        {
            if (endSignal != Sigkill && SendSignal(process.Id, endSignal) == 0 && process.WaitForExit(TimeSpan.FromSeconds(10)))
                return;
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
            all = [.. Running.Keys];
        foreach (var process in all)
            Kill(process);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
