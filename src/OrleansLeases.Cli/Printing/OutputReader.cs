using System.Runtime.InteropServices;

namespace OrleansLeases.Cli.Printing;

/// <summary>
/// The reader of standard output. A program that writes learns by a signal that a reader such as <c>grep -m1</c> has gone; one that
/// waits would wait on, for nobody.
/// </summary>
internal static partial class OutputReader
{
    private const int StandardOutput = 1;
    private const short Error = 8;
    private const short HangUp = 16;
    private const int Forever = -1;

    private static readonly CancellationTokenSource Gone = new();

    /// <summary>Cancelled, on a thread of its own, when the reader goes; never where output has none, such as a file.</summary>
    public static CancellationToken Watch()
    {
        if (OperatingSystem.IsLinux()) new Thread(WaitForItsEnd) { Name = "leases: reader", IsBackground = true }.Start();
        return Gone.Token;
    }

    private static void WaitForItsEnd()
    {
        var output = new Descriptor { Number = StandardOutput };
        while (Poll(ref output, 1, Forever) < 0)
        {
            // Interrupted by a signal.
        }

        if ((output.Found & (Error | HangUp)) != 0) Gone.Cancel();
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref Descriptor descriptors, nuint count, int milliseconds);

    /// <summary><c>struct pollfd</c>: poll reports errors unasked.</summary>
    private struct Descriptor
    {
        public int Number;
        public short Asked;
        public short Found;
    }
}
