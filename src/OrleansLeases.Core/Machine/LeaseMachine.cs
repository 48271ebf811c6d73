namespace OrleansLeases.Core;

/// <summary>
/// The rules of a lease: pure functions of the record, the line, the command and one reading of the clock. No
/// waiting, no clock, no randomness; so a test can run millions of histories and a checker can replay them.
/// </summary>
public static class LeaseMachine
{
    /// <summary>Applies one command.</summary>
    /// <param name="state">The record, resumed by this activation.</param>
    /// <param name="line">The places in line, first come first.</param>
    /// <param name="command">What happens.</param>
    /// <param name="now">When.</param>
    /// <param name="self">This activation.</param>
    /// <param name="rules">The host's rules.</param>
    /// <returns>What it does.</returns>
    public static Transition Apply(
        LeaseState state, IReadOnlyList<WaitingPlace> line, LeaseCommand command, Now now, Claim self, LeaseRules rules)
    {
        var draft = new LeaseDraft(state, now, self, rules);
        draft.EndWhatIsOver();
        var reply = command switch
        {
            LeaseCommand.Acquire acquire => draft.Ask(acquire, line),
            LeaseCommand.Renew renew => draft.Renew(renew.Request),
            LeaseCommand.Release release => draft.Release(release.Request, release.Undelivered),
            LeaseCommand.Transfer transfer => draft.Transfer(transfer),
            LeaseCommand.Break order => draft.Break(order),
            LeaseCommand.Attach attach => draft.Attach(attach),
            LeaseCommand.Detach detach => draft.Detach(detach),
            LeaseCommand.CleanUpDone done => draft.CleanUpDone(done),
            LeaseCommand.AttachedKeys attached => draft.AttachedKeys(attached),
            LeaseCommand.WhoHolds => draft.WhoHolds(),
            _ => (LeaseReply?)LeaseReply.Seen.Instance,
        };
        // A forced break without notice ends, and the line moves up, in the write that orders it.
        draft.EndWhatIsOver();
        draft.ServeLine(line);
        return draft.Finish(reply ?? draft.AnswerToAsker(line));
    }

    /// <summary>When the record changes by itself.</summary>
    /// <param name="state">The record.</param>
    /// <param name="someoneWaits">Whether a lock-delay's end matters to anyone.</param>
    /// <returns>Monotonic time; null for never.</returns>
    public static TimeSpan? NextWake(LeaseState state, bool someoneWaits)
    {
        ArgumentNullException.ThrowIfNull(state);
        var wake = someoneWaits ? state.Delay?.Ends : null;
        foreach (var holder in state.Holders)
        {
            if (wake is null || holder.EndsAt < wake) wake = holder.EndsAt;
        }

        return wake;
    }

    /// <summary>The wall time from which a host that starts anew should look at a stored record.</summary>
    /// <param name="state">The record.</param>
    /// <returns>Wall time; null for never.</returns>
    public static TimeSpan? DueWall(LeaseState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        TimeSpan? due = null;
        foreach (var holder in state.Holders)
        {
            var end = holder.Breaking is { Force: true } order && order.EndsWall < holder.Horizon ? order.EndsWall : holder.Horizon;
            if (due is null || end < due) due = end;
        }

        foreach (var ended in state.Pending ?? [])
        {
            if (due is null || ended.At < due) due = ended.At;
        }

        return due;
    }

    internal static TimeSpan CeilToMillisecond(TimeSpan time) =>
        new((time.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond);
}
