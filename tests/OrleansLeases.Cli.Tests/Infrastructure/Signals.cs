using System.Runtime.InteropServices;

namespace OrleansLeases.Cli.Tests.Infrastructure;

internal static class Signals
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    public static void Send(int process, int signal) => Assert.Equal(0, SystemKill(process, signal));

    /// <summary>Whether a process is there and no zombie.</summary>
    public static bool IsAlive(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SystemKill(int process, int signal);
}
