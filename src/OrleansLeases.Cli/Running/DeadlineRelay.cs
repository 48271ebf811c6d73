using System.Runtime.Versioning;
using OrleansLeases.Client;
using OrleansLeases.Client.Holding;

namespace OrleansLeases.Cli.Running;

/// <summary>Tells the guard every deadline that the lease earns, and the user what becomes of it.</summary>
[SupportedOSPlatform("linux")]
internal sealed class DeadlineRelay(LeaseHandle lease, GuardProcess guard, Action<string> note)
{
    private readonly TimeProvider _time = BootTime.Instance!;
    private readonly TerminationTimes _times = TerminationTimes.For(lease.Ttl);
    private readonly Lock _telling = new();
    private Deadline _deadline = DeadlineOf(lease);
    private bool _started;
    private bool _isBreaking;
    private bool _isInTrouble;

    /// <summary>Whether the last deadline that the guard received is over, as far as it lets the command have it.</summary>
    public bool HasRunOut
    {
        get
        {
            lock (_telling) return _deadline.Left(_time) <= _times.KillBefore;
        }
    }

    /// <summary>Has the guard start the command once there is time enough, or none to wait for.</summary>
    public async Task StartCommandAsync()
    {
        while (true)
        {
            var change = lease.NextChange;
            if (lease.Loss is not null || lease.IsValid(_times.TerminateBefore)) break;
            await Task.WhenAny(change, guard.Finished);
            if (guard.Finished.IsCompleted) return;
        }

        lock (_telling)
        {
            var deadline = DeadlineOf(lease);
            if (lease.Loss is not null)
            {
                guard.Dismiss();
                return;
            }

            _started = true;
            _deadline = deadline;
            guard.Tell(new GuardMessage.Start(lease.Token, deadline));
        }
    }

    /// <summary>Follows the lease until it is lost, or the command has ended.</summary>
    public async Task FollowAsync(CancellationToken ended)
    {
        while (true)
        {
            var change = lease.NextChange;
            Note();
            lock (_telling)
            {
                var deadline = DeadlineOf(lease);
                if (lease.Loss is not null)
                {
                    // The deadline that the guard knows stands: the command may use what is left of it to end.
                    if (_started) guard.Tell(new GuardMessage.Lost());
                    return;
                }

                _deadline = deadline;
                if (_started) guard.Tell(new GuardMessage.Until(deadline));
            }

            await change.WaitAsync(ended);
        }
    }

    private void Note()
    {
        if (lease.Loss is { } loss)
        {
            note(loss.Detail);
            return;
        }

        if (lease.Trouble is { } trouble && !_isInTrouble)
        {
            note($"not renewed yet, {Durations.Format(lease.Remaining)} left: {trouble.Detail}");
        }

        _isInTrouble = lease.Trouble is not null;
        if (lease.Breaking is { } breaking && !_isBreaking)
            note($"the lease is being broken, {Durations.Format(breaking.EndsIn)} left: {breaking.Reason}");
        _isBreaking = lease.Breaking is not null;
    }

    // The clock is read first: what passes in between shortens it.
    private static Deadline DeadlineOf(LeaseHandle lease)
    {
        var now = Deadline.Now(BootTime.Instance!);
        return now.Plus(lease.Remaining, BootTime.Instance!);
    }
}
