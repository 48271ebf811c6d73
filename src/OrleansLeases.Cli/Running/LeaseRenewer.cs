using System.Runtime.Versioning;
using OrleansLeases.Cli.Connecting;

namespace OrleansLeases.Cli.Running;

/// <summary>Renews one lease until told to stop, and tells the guard every deadline it earns.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LeaseRenewer(ILeaseService service, GuardLink guard, LeaseGrant grant, TwinInstant sentAt, Action<string> note)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time = TimeProvider.System;
    private readonly GuardTimes _times = GuardTimes.For(grant.Ttl);
    private readonly Lock _telling = new();
    private bool _started;
    private bool _isBreaking;

    /// <summary>Until when the lease is surely held: counted from before the call that brought it was sent.</summary>
    public TwinInstant Deadline { get; private set; } = sentAt.Plus(grant.Held + grant.Remaining, TimeProvider.System);

    /// <summary>Whether the server has said that this lease is over.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Whether the guard was too late, and the group was ended from here.</summary>
    public bool HasBackedUp { get; private set; }

    /// <summary>Whether there is time enough to start a command, or none to wait for.</summary>
    public bool IsSettled => IsLost || Deadline.Left(_time) > _times.Lead;

    /// <summary>Has the guard start the command, with the deadline of now.</summary>
    public void StartCommand()
    {
        lock (_telling)
        {
            if (IsLost) return;
            _started = true;
            guard.Tell(new GuardMessage.Start(grant.Token, Deadline));
        }
    }

    public async Task RenewAsync(CancellationToken ended)
    {
        var attemptLimit = Clamp(grant.Ttl / 5, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));
        var pause = TimeSpan.Zero;

        // A slow answer used up time that the server does not know of.
        var next = Deadline.Left(_time) < grant.Ttl / 2 ? TimeSpan.Zero : grant.RenewAfter;
        while (!IsLost)
        {
            await Task.Delay(next, _time, ended);
            var sent = TwinInstant.Now(_time);
            var result = await AttemptAsync(attemptLimit, ended);
            if (result.TryGetValue(out var renewal, out var refusal))
            {
                pause = TimeSpan.Zero;
                next = Max(renewal.RenewAfter, ShortestPause);
                Extend(sent, renewal);
            }
            else if (refusal is Refusal.NotHolder)
            {
                lock (_telling)
                {
                    IsLost = true;
                    if (_started) guard.Tell(new GuardMessage.Lost());
                }

                note(refusal.Detail);
            }
            else
            {
                if (pause == TimeSpan.Zero) note($"not renewed yet, {Durations.Format(Deadline.Left(_time))} left: {refusal.Detail}");
                next = pause = Clamp(pause * 2, ShortestPause, LongestPause);
            }
        }
    }

    /// <summary>
    /// Ends the group if the guard has not: it may be stopped, or gone. Half a margin later, so that a guard that
    /// lives is the one to do it.
    /// </summary>
    public async Task BackUpAsync(CancellationToken ended)
    {
        while (true)
        {
            var left = Deadline.Left(_time) - (_times.Margin / 2);
            if (left <= TimeSpan.Zero)
            {
                HasBackedUp = true;
                ProcessGroup.Signal(guard.Group, Linux.SigKill);
            }

            await Task.Delay(Clamp(left, ShortestPause, TimeSpan.FromMilliseconds(500)), _time, ended);
        }
    }

    private async Task<LeaseResult<LeaseRenewal>> AttemptAsync(TimeSpan limit, CancellationToken ended)
    {
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(ended);
        attempt.CancelAfter(limit);
        try
        {
            return await service.RenewAsync(new() { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token }, attempt.Token);
        }
        catch (OperationCanceledException) when (!ended.IsCancellationRequested)
        {
            return new Refusal.OutcomeUnknown(null, $"the server did not answer within {Durations.Format(limit)}.");
        }
    }

    private void Extend(TwinInstant sent, LeaseRenewal renewal)
    {
        var earned = sent.Plus(renewal.Held + (renewal.Breaking is { } breaking ? Min(breaking.In, renewal.Remaining) : renewal.Remaining), _time);

        // A slow answer may count less than is held already; only a break takes time away.
        if (renewal.Breaking is null && earned.Timestamp <= Deadline.Timestamp) return;
        if (renewal.Breaking is not null && !_isBreaking) note($"the lease is being broken, {Durations.Format(renewal.Breaking.In)} left: {renewal.Breaking.Reason}");
        _isBreaking = renewal.Breaking is not null;
        lock (_telling)
        {
            Deadline = earned;
            if (_started) guard.Tell(new GuardMessage.Until(earned));
        }
    }

    private static TimeSpan Clamp(TimeSpan value, TimeSpan min, TimeSpan max) => value < min ? min : value > max ? max : value;

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
