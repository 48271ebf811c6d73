using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Checking;

/// <summary>What a call of a client asks.</summary>
internal enum CallKind
{
    Acquire,
    Transfer,
    Renew,
    Release,
    Break,
    Read,
}

/// <summary>One call about a lease, and what its caller was told.</summary>
internal sealed class LeaseCall(Scheduler scheduler, CallKind kind, long? token, long request)
{
    public CallKind Kind => kind;

    /// <summary>The token that it names; null where it names none.</summary>
    public long? Token => token;

    /// <summary>The digest of its request id.</summary>
    public long Request => request;

    public TimeSpan Invoked { get; } = scheduler.Now;

    /// <summary>When its answer was there; <see cref="TimeSpan.MaxValue"/> where none ever came.</summary>
    public TimeSpan Returned { get; private set; } = TimeSpan.MaxValue;

    /// <summary>The token of the grant that it was told, or that a read saw.</summary>
    public long? Seen { get; private set; }

    /// <summary>What the holder may count on, from the call on.</summary>
    public TimeSpan Told { get; private set; }

    /// <summary>The caller is told that it is no holder, or that the lease had ended before.</summary>
    public bool FoundNothing { get; private set; }

    public bool IsAnswered => Returned != TimeSpan.MaxValue;

    public void Take<T>(LeaseResult<T> result)
        where T : class
    {
        switch (result.TryGetValue(out var value, out var refusal) ? (object)value : refusal)
        {
            case LeaseGrant grant:
                (Seen, Told) = (grant.Token, grant.Elapsed + grant.Remaining);
                break;
            case LeaseRenewal renewal:
                (Seen, Told) = (renewal.Token, renewal.Elapsed + renewal.Remaining);
                break;
            case LeaseRelease release:
                FoundNothing = release.Replayed;
                break;
            case LeaseInfo info:
                Seen = info.Holders is [var holder] ? holder.Token : null;
                break;
            case LeaseBreak:
                break;
            case Refusal.NotHolder { Reason: not NotHolderReason.NeverHeld } when kind is CallKind.Renew or CallKind.Release:
                FoundNothing = true;
                break;
            default:
                // It says nothing, or that nobody knows.
                return;
        }

        Returned = scheduler.Now;
    }
}
