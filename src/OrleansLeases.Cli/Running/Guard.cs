using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using OrleansLeases.Client.Holding;

namespace OrleansLeases.Cli.Running;

/// <summary>
/// The process between <c>leases run</c> and its command. It leads the command's process group and ends the group
/// before the last deadline it received, whatever has become of the renewer: killed, stopped or hung. What becomes of the
/// group when the guard itself is, is up to <see cref="GroupKillSwitch"/>.
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
    private readonly int _renewer = Linux.GetParent();
    private readonly TerminationTimes _times;
    private readonly string[] _command;
    private readonly GuardChannel _channel;

    private GroupKillSwitch? _killSwitch;
    private Deadline _deadline;
    private Deadline? _killAt;
    private bool _forLease;
    private bool _commandEnded;
    private bool _commandStopped;
    private bool _renewerIsToStop;

    private Guard(TimeSpan ttl, GuardChannel channel, string[] command) =>
        (_times, _channel, _command) = (TerminationTimes.For(ttl), channel, command);

    /// <summary>The arguments that make a process the guard of a command.</summary>
    /// <param name="ttl">How long each renewal lasts.</param>
    /// <param name="pipes">The handles of its ends: of orders, of reports, and of one that only shows whether it lives.</param>
    /// <param name="command">What to run, and its arguments.</param>
    public static IEnumerable<string> Arguments(TimeSpan ttl, IEnumerable<string> pipes, IEnumerable<string> command) =>
        [Verb, ttl.Ticks.ToString(CultureInfo.InvariantCulture), .. pipes, .. command];

    public static async Task<int> RunAsync(string[] args)
    {
        Terminal.HideFromRuntime();
        Guard guard;
        try
        {
            if (args is not [_, var ttl, var orders, var reports, var life, .. { Length: > 0 } command])
                throw new FormatException();
            guard = new Guard(
                TimeSpan.FromTicks(long.Parse(ttl, CultureInfo.InvariantCulture)), new GuardChannel(orders, reports, life), command);
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException or IOException)
        {
            await Console.Error.WriteLineAsync($"leases: {Verb} is a part of `leases run`, which starts it; see `leases run --help`.");
            return ExitCode.WrongUsage;
        }

        using (guard) return await guard.RunAsync();
    }

    public void Dispose() => _channel.Dispose();

    private async Task<int> RunAsync()
    {
        var renewerGroup = Linux.GetProcessGroup();
        var hasTerminal = Terminal.IsForTheCommand();
        var survives = SurviveOwnSignals();
        if (Linux.SetProcessGroup(0, 0) != 0) return ExitCode.Failed;
        try
        {
            _killSwitch = GroupKillSwitch.Arm(_group);
        }
        catch (IOException error)
        {
            _channel.Say($"the command is not started: this kernel would not end it with its guard ({error.Message})");
            await _channel.SaidAsync();
            return Report(new GuardMessage.Unguarded());
        }

        Report(new GuardMessage.Ready());
        var early = new List<GuardMessage>();
        var order = await _channel.NextOrderAsync();
        for (; order is not (null or GuardMessage.Start); order = await _channel.NextOrderAsync()) early.Add(order);

        // The renewer has gone away without a lease, and there is nothing to do.
        if (order is not GuardMessage.Start start) return ExitCode.Done;
        PutOff(start.Deadline);
        if (_deadline.Left(_time) <= _times.TerminateBefore)
        {
            _channel.Say("the lease had too little time left to start the command");
            await _channel.SaidAsync();
            return Report(new GuardMessage.EndedForLease());
        }

        if (hasTerminal) Terminal.Pass(from: renewerGroup, to: _group);
        Process command;
        try
        {
            command = StartCommand(start.Token);
        }
        catch (Win32Exception e)
        {
            Terminal.Pass(from: _group, to: renewerGroup);
            _channel.Say($"'{_command[0]}' cannot be started: {e.Message}");
            await _channel.SaidAsync();
            return Report(new GuardMessage.Ended(ExitCode.NotExecutable));
        }

        foreach (var earlier in early) Obey(earlier);
        await WatchAsync(command);
        Terminal.Pass(from: _group, to: renewerGroup);
        GC.KeepAlive(survives);
        await _channel.SaidAsync();
        ContinueRenewer();
        return Report(_forLease ? new GuardMessage.EndedForLease() : new GuardMessage.Ended(command.ExitCode));
    }

    /// <summary>Handled, not ignored: the command would inherit an ignored signal.</summary>
    private static PosixSignalRegistration[] SurviveOwnSignals()
    {
        int[] signals = [Linux.SigHup, Linux.SigInt, Linux.SigQuit, Linux.SigTerm, Linux.SigUsr1, Linux.SigUsr2, Linux.SigAlrm];
        return
        [
            .. signals.Select(signal => PosixSignalRegistration.Create((PosixSignal)signal, context => context.Cancel = true)),
            PosixSignalRegistration.Create(PosixSignal.SIGTTIN, context => context.Cancel = true),
            PosixSignalRegistration.Create(PosixSignal.SIGTTOU, context => context.Cancel = true),
            PosixSignalRegistration.Create(PosixSignal.SIGTSTP, context => context.Cancel = true),
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
        var order = _channel.NextOrderAsync();
        var renewerLives = true;
        while (true)
        {
            if (ended.IsCompleted)
            {
                _commandEnded = true;
                if (!ProcessGroup.HasOthers(_group)) return;
                End(TerminationTimes.LeftoverGrace);
            }

            LookWhetherStopped(command);
            if (_deadline.Left(_time) <= _times.TerminateBefore)
            {
                var why = _commandStopped ? "was not renewed while the command was stopped" : "was not renewed in time";
                EndForLease(why, _times.TerminateBefore);
            }

            var next = UntilNextStep();
            if (_killAt is not null && next <= TimeSpan.Zero) KillAll(command);

            var longest = ended.IsCompleted ? LeftoverPoll : LongestSleep;
            var sleep = Task.Delay(next > longest ? longest : Max(next, TimeSpan.Zero), _time);
            await Task.WhenAny(sleep, ended.IsCompleted ? sleep : ended, renewerLives ? order : sleep);
            if (!renewerLives || !order.IsCompleted) continue;
            if (await order is { } received)
            {
                Obey(received);
                order = _channel.NextOrderAsync();
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
        if (_killAt is not { } killAt) return left - _times.TerminateBefore;
        return Min(killAt.Left(_time), left - _times.KillBefore);
    }

    private void Obey(GuardMessage order)
    {
        switch (order)
        {
            // It moves the end of a command that has had its SIGTERM forward only: that one may have stopped halfway.
            case GuardMessage.Until until:
                PutOff(until.Deadline);
                break;
            case GuardMessage.Forward forward:
                ProcessGroup.Signal(_group, forward.Signal);

                // A stopped process handles it only once it goes on.
                ProcessGroup.Signal(_group, Linux.SigCont);
                break;
            case GuardMessage.Continue:
                _renewerIsToStop = false;
                ProcessGroup.Signal(_group, Linux.SigCont);
                break;
            case GuardMessage.Lost:
                EndForLease("was lost", _times.TerminateBefore);
                break;
        }
    }

    private void PutOff(Deadline deadline)
    {
        _deadline = deadline;

        // Later than this process would do it itself.
        _killSwitch!.KillAt(deadline.Plus(-_times.KillBefore / 2, _time));
    }

    /// <summary>
    /// A command that is stopped would keep its lease for ever. So the renewer stops along, as the job that a shell has started,
    /// and goes on with it, or when the command has come to its end.
    /// </summary>
    private void LookWhetherStopped(Process command)
    {
        _commandStopped = !_commandEnded && _killAt is null && ProcessGroup.IsStopped(command.Id);
        if (!_commandStopped) ContinueRenewer();
        else if (!_renewerIsToStop)
        {
            _renewerIsToStop = true;
            Report(new GuardMessage.Stopped());
        }
    }

    /// <summary>Has the renewer go on until it says so: it may not have stopped yet when this is called.</summary>
    private void ContinueRenewer()
    {
        if (_renewerIsToStop && Linux.GetParent() == _renewer) _ = Linux.Kill(_renewer, Linux.SigCont);
    }

    private void EndForLease(string why, TimeSpan atMost)
    {
        if (_forLease || _commandEnded) return;
        _forLease = true;
        End(atMost);
        _channel.Say($"the lease {why}; the command receives SIGTERM");
    }

    private void End(TimeSpan atMost)
    {
        if (_killAt is not null) return;
        _killAt = Deadline.Now(_time).Plus(Min(_deadline.Left(_time) - _times.KillBefore, atMost), _time);
        ProcessGroup.Signal(_group, Linux.SigTerm);

        // A stopped process handles its SIGTERM only once it goes on.
        ProcessGroup.Signal(_group, Linux.SigCont);
    }

    /// <summary>Ends the whole group at one stroke, this process with it; so the report comes first.</summary>
    private void KillAll(Process command)
    {
        Report(_forLease ? new GuardMessage.EndedForLease() : new GuardMessage.Ended(command.ExitCode));
        ContinueRenewer();
        ProcessGroup.Signal(_group, Linux.SigKill);
    }

    private int Report(GuardMessage report)
    {
        _channel.Report(report);
        return ExitCode.Done;
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
