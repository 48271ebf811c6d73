using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using OrleansLeases.Cli.Connecting;

namespace OrleansLeases.Cli.Running;

/// <summary>
/// <c>leases run</c>: acquires, renews while the command runs under its guard, and releases once nobody of the
/// command's process group is left alive. What the command left behind is ended too: the lease covers the group.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class LeaseRun(ILeaseService service, AcquireRequest request, TimeSpan wait, IReadOnlyList<string> command, Action<string> note)
{
    private static readonly PosixSignal[] Forwarded = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];
    private static readonly TimeSpan GroupPoll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time = TimeProvider.System;

    /// <summary>Runs the command.</summary>
    /// <param name="refuse">Tells why the lease was not granted, and the exit code for it.</param>
    public async Task<int> RunAsync(Func<Refusal, int> refuse)
    {
        var hasTerminal = Terminal.IsInForeground();
        var ownGroup = Linux.GetProcessGroup();

        // Started before the lease is asked for: the lease's time is the command's, not the guard's to start up in.
        using var guard = GuardLink.Start(command, request.Resource, request.Owner, request.Ttl);
        using var waiting = new CancellationTokenSource();
        var signalled = 0;
        var signals = Forwarded.Select(signal => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            var number = Number(context.Signal);
            Interlocked.CompareExchange(ref signalled, number, 0);
            guard.Tell(new GuardMessage.Forward(number));
            waiting.Cancel();
        })).ToArray();
        try
        {
            AcquireAnswer answer;
            try
            {
                answer = await new PatientAcquire(service, _time).AcquireAsync(request, wait, waiting.Token);
            }
            catch (OperationCanceledException)
            {
                return 128 + signalled;
            }

            if (!answer.Result.TryGetValue(out var grant, out var refusal)) return refuse(refusal);
            var renewer = new LeaseRenewer(service, guard, grant, answer.SentAt, note);
            if (signalled != 0)
            {
                await ReleaseAsync(grant, renewer);
                return 128 + signalled;
            }

            var code = await HoldAsync(guard, renewer);
            if (hasTerminal) Terminal.GiveTo(ownGroup);
            if (!renewer.IsLost) await ReleaseAsync(grant, renewer);
            return code;
        }
        finally
        {
            foreach (var registration in signals) registration.Dispose();
        }
    }

    private static int Number(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGHUP => Linux.SigHup,
        PosixSignal.SIGINT => Linux.SigInt,
        PosixSignal.SIGQUIT => Linux.SigQuit,
        _ => Linux.SigTerm,
    };

    private async Task<int> HoldAsync(GuardLink guard, LeaseRenewer renewer)
    {
        using var ended = new CancellationTokenSource();
        var renewing = renewer.RenewAsync(ended.Token);
        var backingUp = renewer.BackUpAsync(ended.Token);
        await guard.Ready;
        while (!renewer.IsSettled && !guard.Finished.IsCompleted) await Task.Delay(GroupPoll, _time);
        renewer.StartCommand();
        if (renewer.IsLost) guard.Dismiss();
        var report = await guard.Finished;

        // The guard may have ended itself with the group's last, or have been killed: nobody may outlive the lease.
        while (ProcessGroup.HasOthers(guard.Group, except: 0))
        {
            ProcessGroup.Signal(guard.Group, Linux.SigKill);
            await Task.Delay(GroupPoll, _time);
        }

        await ended.CancelAsync();
        await Task.WhenAll(renewing, backingUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (report is GuardMessage.Ended own) return own.Code;
        if (report is GuardMessage.EndedForLease || renewer.IsLost || renewer.HasBackedUp) return ExitCode.Lost;
        note("the guard of the command was killed, so the command was, too.");
        return ExitCode.Failed;
    }

    private async Task ReleaseAsync(LeaseGrant grant, LeaseRenewer renewer)
    {
        using var limit = new CancellationTokenSource(ReleaseLimit, _time);
        string problem;
        try
        {
            var result = await service.ReleaseAsync(new() { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token }, limit.Token);
            if (result.Refusal is null or Refusal.NotHolder) return;
            problem = result.Refusal.Detail;
        }
        catch (OperationCanceledException)
        {
            problem = $"the server did not answer within {Durations.Format(ReleaseLimit)}.";
        }

        var left = renewer.Deadline.Left(_time);
        note($"the lease was not released{(left > TimeSpan.Zero ? $" and ends by itself in {Durations.Format(left)}" : "")}: {problem}");
    }
}
