using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Running;

/// <summary>
/// <c>leases run</c>: acquires, renews while the command runs under its guard, and releases once nobody of the
/// command's process group is left alive. What the command left behind is ended too: the lease covers the group.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class LeaseRun(
    ILeaseService service, AcquireRequest request, TimeSpan wait, IReadOnlyList<string> command, bool passCredential, Action<string> note)
{
    private static readonly PosixSignal[] Forwarded = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];
    private static readonly TimeSpan GroupPoll = TimeSpan.FromMilliseconds(20);

    /// <summary>Runs the command.</summary>
    /// <param name="refuse">Tells why the lease was not granted, and the exit code for it.</param>
    public async Task<int> RunAsync(Func<Refusal, int> refuse)
    {
        await using var leases = new LeaseClient(service);
        var ownGroup = Linux.GetProcessGroup();

        // Started before the acquire, so that the start of the guard takes none of the lease's time.
        using var guard = GuardProcess.Start(command, request.Resource, request.Owner, request.Ttl, passCredential);
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
            LeaseResult<LeaseHandle> result;
            try
            {
                result = await leases.RequestAsync(request, wait, waiting.Token);
            }
            catch (OperationCanceledException)
            {
                return 128 + signalled;
            }

            if (!result.TryGetValue(out var lease, out var refusal)) return refuse(refusal);
            if (signalled != 0)
            {
                await ReleaseAsync(lease);
                return 128 + signalled;
            }

            var code = await HoldAsync(guard, lease);
            Terminal.Pass(from: guard.Group, to: ownGroup);
            await ReleaseAsync(lease);
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

    private async Task<int> HoldAsync(GuardProcess guard, LeaseHandle lease)
    {
        using var ended = new CancellationTokenSource();
        var feed = new DeadlineRelay(lease, guard, note);
        var following = feed.FollowAsync(ended.Token);
        await guard.Ready;
        await feed.StartCommandAsync();
        var report = await guard.Finished;

        // The kernel has killed what was left of the group with the guard; until those processes are gone, nobody else gets the lease.
        while (!ProcessGroup.IsGone(guard.Group)) await Task.Delay(GroupPoll, TimeProvider.System);

        await ended.CancelAsync();
        await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        switch (report)
        {
            case GuardMessage.Ended own:
                return own.Code;
            case GuardMessage.Unguarded:
                return ExitCode.Failed;
        }

        if (report is GuardMessage.EndedForLease || lease.Loss is not null || feed.HasRunOut) return ExitCode.Lost;
        note("the guard of the command was killed, so the command was, too.");
        return ExitCode.Failed;
    }

    private async Task ReleaseAsync(LeaseHandle lease)
    {
        var left = lease.Remaining;
        var result = await lease.ReleaseAsync();
        if (result.Refusal is null or Refusal.NotHolder) return;
        note(
            $"the lease was not released{(left > TimeSpan.Zero
                ? $" and ends by itself in {Durations.Format(left)}"
                : "")}: {result.Refusal.Detail}");
    }
}
