using System.Globalization;
using System.IO.Pipes;
using System.Runtime.Versioning;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Running;

/// <summary>
/// The guard's ends of the pipes to its renewer, and its standard error. Nothing here waits for a reader: the guard has deadlines.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class GuardChannel : IDisposable
{
    private static readonly TimeSpan LongestPrint = TimeSpan.FromMilliseconds(200);

    private readonly StreamReader _orders;
    private readonly StreamWriter _reports;

    // Its closing shows that this process has ended; nothing is written to it.
    private readonly AnonymousPipeClientStream _life;

    private Task _printed = Task.CompletedTask;

    /// <param name="orders">The handle of the pipe of orders.</param>
    /// <param name="reports">The handle of the pipe of reports.</param>
    /// <param name="life">The handle of the pipe that is open as long as this process lives.</param>
    /// <exception cref="FormatException">A handle is no number, or one of the standard streams.</exception>
    public GuardChannel(string orders, string reports, string life)
    {
        _orders = new(Adopt(orders, PipeDirection.In));
        _reports = new(Adopt(reports, PipeDirection.Out)) { AutoFlush = true };
        _life = Adopt(life, PipeDirection.Out);
    }

    /// <summary>Reads the next order; null once the renewer has ended.</summary>
    public async Task<GuardMessage?> NextOrderAsync() => await _orders.ReadLineAsync() is { } line ? GuardMessage.Parse(line) : null;

    /// <summary>Sends a report; it is lost where the renewer has ended.</summary>
    public void Report(GuardMessage report)
    {
        try
        {
            _reports.WriteLine(report.Line);
        }
        catch (IOException)
        {
            // The renewer has ended.
        }
    }

    /// <summary>Prints a sentence, on another thread: a reader of standard error that has stopped must not block the guard.</summary>
    public void Say(string text) => _printed = Task.Run(() =>
    {
        try
        {
            Console.Error.WriteLine($"leases: {TerminalText.Sentence(text)}");
        }
        catch (IOException)
        {
            // The reader has closed it.
        }
    });

    /// <summary>Waits until the last sentence is printed, but not long.</summary>
    public Task<Task> SaidAsync() => Task.WhenAny(_printed, Task.Delay(LongestPrint, TimeProvider.System));

    public void Dispose()
    {
        _orders.Dispose();
        _life.Dispose();
        try
        {
            _reports.Dispose();
        }
        catch (IOException)
        {
            // The renewer, which would have read the last report, has ended.
        }
    }

    private static AnonymousPipeClientStream Adopt(string handle, PipeDirection direction)
    {
        // Standard input, output and error may be pipes too, of other processes.
        if (int.Parse(handle, CultureInfo.InvariantCulture) <= 2) throw new FormatException();
        var pipe = new AnonymousPipeClientStream(direction, handle);

        // The command must not keep an end of the pipes open: each side notices by their closing that the other has ended.
        _ = Linux.Control((int)pipe.SafePipeHandle.DangerousGetHandle(), Linux.SetDescriptorFlags, Linux.CloseOnExec);
        return pipe;
    }
}
