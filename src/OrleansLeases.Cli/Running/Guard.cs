using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using OrleansLeases.Client.Holding;

namespace OrleansLeases.Cli.Running;

/// <summary>
/// The process between <c>leases run</c> and its command. It leads the command's process group and ends the group
/// before the last deadline it was told, whatever has become of the renewer: killed, stopped or hung.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class Guard : IDisposable
{
    /// <summary>The first argument of a process that is a guard.</summary>
    public const string Verb = "__guard";

    // Timers stand still while the machine sleeps; after it wakes, the clock is looked at this soon.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LeftoverPoll = TimeSpan.FromMilliseconds(20);

    private readonly TimeProvider _time = BootTime.Instance!;
    private readonly int _group = Environment.ProcessId;
    private readonly GuardTimes _times;
    private readonly string[] _command;
    private readonly StreamReader _orders;
    private readonly StreamWriter _reports;

    private Deadline _deadline;
    private Deadline? _killAt;
    private bool _forLease;
    private bool _commandEnded;
    private Task _said = Task.CompletedTask;

    private Guard(TimeSpan ttl, string orders, string reports, string[] command)
    {
        _times = GuardTimes.For(ttl);
        _command = command;
        _orders = new(Adopt(orders, PipeDirection.In));
        _reports = new(Adopt(reports, PipeDirection.Out)) { AutoFlush = true };
    }

    /// <summary>The arguments that make a process the guard of a command.</summary>
    public static IEnumerable<string> Arguments(TimeSpan ttl, string orders, string reports, IEnumerable<string> command) =>
        [Verb, ttl.Ticks.ToString(CultureInfo.InvariantCulture), orders, reports, .. command];

    public static async Task<int> RunAsync(string[] args)
    {
        using var guard = new Guard(TimeSpan.FromTicks(long.Parse(args[1], CultureInfo.InvariantCulture)), args[2], args[3], args[4..]);
        return await guard.RunAsync();
    }

    public void Dispose()
    {
        _orders.Dispose();
        try
        {
            _reports.Dispose();
        }
        catch (IOException)
        {
            // The renewer is gone, and with it whoever would have read the last report.
        }
    }

    private static AnonymousPipeClientStream Adopt(string handle, PipeDirection direction)
    {
        var pipe = new AnonymousPipeClientStream(direction, handle);

        // The command must not keep an end of the pipes open: their closing is how each side learns of the other's death.
        _ = Linux.Control((int)pipe.SafePipeHandle.DangerousGetHandle(), Linux.SetDescriptorFlags, Linux.CloseOnExec);
        return pipe;
    }

    private async Task<int> RunAsync()
    {
        var renewerGroup = Linux.GetProcessGroup();
        var hasTerminal = Terminal.IsInForeground();
        var survives = SurviveOwnSignals();
        if (Linux.SetProcessGroup(0, 0) != 0) return ExitCode.Failed;

        Report(new GuardMessage.Ready());
        var early = new List<GuardMessage>();
        var order = await NextOrderAsync();
        for (; order is not (null or GuardMessage.Start); order = await NextOrderAsync()) early.Add(order);

        // The renewer has gone away without a lease, and there is nothing to do.
        if (order is not GuardMessage.Start start) return ExitCode.Done;
        _deadline = start.Deadline;
        if (_deadline.Left(_time) <= _times.Lead)
        {
            Say("the lease had too little time left to start the command");
            await SaidAsync();
            return Report(new GuardMessage.EndedForLease());
        }

        if (hasTerminal) Terminal.GiveTo(_group);
        Process command;
        try
        {
            command = StartCommand(start.Token);
        }
        catch (Win32Exception e)
        {
            if (hasTerminal) Terminal.GiveTo(renewerGroup);
            Say($"'{_command[0]}' cannot be started: {e.Message}");
            await SaidAsync();
            return Report(new GuardMessage.Ended(ExitCode.NotExecutable));
        }

        foreach (var told in early) Obey(told);
        await WatchAsync(command);
        if (hasTerminal) Terminal.GiveTo(renewerGroup);
        GC.KeepAlive(survives);
        await SaidAsync();
        return Report(_forLease ? new GuardMessage.EndedForLease() : new GuardMessage.Ended(command.ExitCode));
    }

    /// <summary>Handled, not ignored: the command would inherit an ignored signal.</summary>
    private PosixSignalRegistration[] SurviveOwnSignals()
    {
        int[] signals = [Linux.SigHup, Linux.SigInt, Linux.SigQuit, Linux.SigTerm, Linux.SigUsr1, Linux.SigUsr2, Linux.SigAlrm];
        return
        [
            .. signals.Select(signal => PosixSignalRegistration.Create((PosixSignal)signal, context => context.Cancel = true)),
            PosixSignalRegistration.Create(PosixSignal.SIGTTIN, context => context.Cancel = true),
            PosixSignalRegistration.Create(PosixSignal.SIGTTOU, context => context.Cancel = true),

            // A suspended command would sit on its lease while nobody sees it: Ctrl-Z is undone.
            PosixSignalRegistration.Create(PosixSignal.SIGTSTP, context =>
            {
                context.Cancel = true;
                ProcessGroup.Signal(_group, Linux.SigCont);
            }),
        ];
    }

    private Process StartCommand(long token)
    {
        var start = new ProcessStartInfo(_command[0]) { UseShellExecute = false };
        foreach (var argument in _command.AsSpan(1)) start.ArgumentList.Add(argument);
        start.Environment["LEASE_TOKEN"] = token.ToString(CultureInfo.InvariantCulture);

        // The runtime ignores SIGPIPE, and the command would inherit that: `yes | head` would complain.
        var handler = Linux.OnSignal(Linux.SigPipe, Linux.DefaultSignal);
        try
        {
            return Process.Start(start)!;
        }
        finally
        {
            _ = Linux.OnSignal(Linux.SigPipe, handler);
        }
    }

    private async Task WatchAsync(Process command)
    {
        var ended = command.WaitForExitAsync();
        var order = NextOrderAsync();
        var renewerLives = true;
        while (true)
        {
            if (ended.IsCompleted)
            {
                _commandEnded = true;
                if (!ProcessGroup.HasOthers(_group, except: _group)) return;
                End(GuardTimes.LeftoverGrace);
            }

            if (_deadline.Left(_time) <= _times.Lead) EndForLease("was not renewed in time", _times.Lead);
            var next = UntilNextStep();
            if (_killAt is not null && next <= TimeSpan.Zero) KillAll(command);

            var longest = ended.IsCompleted ? LeftoverPoll : LongestSleep;
            var sleep = Task.Delay(next > longest ? longest : Max(next, TimeSpan.Zero), _time);
            await Task.WhenAny(sleep, ended.IsCompleted ? sleep : ended, renewerLives ? order : sleep);
            if (!renewerLives || !order.IsCompleted) continue;
            if (await order is { } told)
            {
                Obey(told);
                order = NextOrderAsync();
            }
            else
            {
                renewerLives = false;
                EndForLease("is no longer renewed: the renewing process has ended", TimeSpan.MaxValue);
            }
        }
    }

    private TimeSpan UntilNextStep()
    {
        var left = _deadline.Left(_time);
        if (_killAt is not { } killAt) return left - _times.Lead;
        return Min(killAt.Left(_time), left - _times.Margin);
    }

    private void Obey(GuardMessage order)
    {
        switch (order)
        {
            // It moves the end of a command that has been told to end forward only: that one may have stopped halfway.
            case GuardMessage.Until until:
                _deadline = until.Deadline;
                break;
            case GuardMessage.Forward forward:
                ProcessGroup.Signal(_group, forward.Signal);
                break;
            case GuardMessage.Lost:
                EndForLease("was lost", _times.Lead);
                break;
        }
    }

    private void EndForLease(string why, TimeSpan atMost)
    {
        if (_forLease || _commandEnded) return;
        _forLease = true;
        End(atMost);
        Say($"the lease {why}; the command is told to end (SIGTERM)");
    }

    private void End(TimeSpan atMost)
    {
        if (_killAt is not null) return;
        _killAt = Deadline.Now(_time).Plus(Min(_deadline.Left(_time) - _times.Margin, atMost), _time);
        ProcessGroup.Signal(_group, Linux.SigTerm);

        // A stopped process handles its SIGTERM only once it goes on.
        ProcessGroup.Signal(_group, Linux.SigCont);
    }

    /// <summary>Ends the whole group at one stroke, this process with it; so the report comes first.</summary>
    private void KillAll(Process command)
    {
        Report(_forLease ? new GuardMessage.EndedForLease() : new GuardMessage.Ended(command.ExitCode));
        ProcessGroup.Signal(_group, Linux.SigKill);
    }

    private async Task<GuardMessage?> NextOrderAsync() =>
        await _orders.ReadLineAsync() is { } line ? GuardMessage.Parse(line) : null;

    private int Report(GuardMessage report)
    {
        try
        {
            _reports.WriteLine(report.Line);
        }
        catch (IOException)
        {
            // The renewer is gone, and nobody is left to tell.
        }

        return ExitCode.Done;
    }

    // On a thread of its own: a reader of standard error that has stopped must not hold up the guard.
    private void Say(string text) => _said = Task.Run(() =>
    {
        try
        {
            Console.Error.WriteLine($"leases: {text}");
        }
        catch (IOException)
        {
            // Nobody reads it any more.
        }
    });

    private Task<Task> SaidAsync() => Task.WhenAny(_said, Task.Delay(LongestSleep, _time));

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
