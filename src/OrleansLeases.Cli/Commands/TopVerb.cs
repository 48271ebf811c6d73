using System.CommandLine;
using System.Runtime.InteropServices;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Overview;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class TopVerb : ClientVerb
{
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(2);

    private readonly Option<string?> _prefix = Inputs.Prefix();
    private readonly Option<TimeSpan?> _interval =
        Inputs.Duration("--interval", "How often it is brought up to date. [default: 2s]", TimeSpan.FromMilliseconds(100));
    private readonly Option<int?> _count = Inputs.Number("--count", "How many times; then it ends. [default: until Ctrl-C]", least: 1);

    public TopVerb()
        : base(
            "top", "Show live what is held, who waits and how much happens, until Ctrl-C or q.",
            "leases top", "leases top --prefix jobs/ --interval 500ms", "leases top --count 1 | head")
    {
        Details =
        [
            "The names that most wait for come first, then those whose leases end next; no more than 1000 are asked for.",
            "Where the output is no terminal, each time is printed below the one before.",
        ];
        foreach (var option in new Option[] { _prefix, _interval, _count }) Options.Add(option);
        Formats = new();
    }

    protected override bool WaitsToTell(ParseResult parsed) => true;

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // The terminal is given back as it was.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        try
        {
            var started = await TopSource.StartAsync(server.Service, parsed.GetValue(_prefix), TimeProvider.System, stop.Token);
            if (!started.TryGetValue(out var source, out var refusal)) return output.Refuse(refusal, server.Hint);
            using var screen = output.IsTerminal ? new Screen(parsed.InvocationConfiguration.Output) : null;
            if (screen is not null) Keyboard.OnKey('q', stop.Cancel);
            var frame = source.Current;
            for (var left = parsed.GetValue(_count); ; left--)
            {
                if (screen is not null) screen.Paint(frame.Lines(Screen.Height));
                else output.Print(frame, CliJson.Default.TopFrame, TopFrame.Print);
                if (left == 1) break;
                await Task.Delay(parsed.GetValue(_interval) ?? DefaultInterval, TimeProvider.System, stop.Token);
                frame = await source.NextAsync(stop.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // By the user.
        }
        finally
        {
            await stop.CancelAsync();
        }

        return ExitCode.Done;

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }
}
