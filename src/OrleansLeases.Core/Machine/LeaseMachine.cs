namespace OrleansLeases.Core;

/// <summary>
/// The rules of a lease: pure functions of the record, the queue, the command and one reading of the clock. No
/// waiting, no clock, no randomness; so a test can run millions of histories and a checker can replay them.
/// </summary>
internal static class LeaseMachine
{
    /// <summary>Applies one command.</summary>
    /// <typeparam name="TReply">The response of the command.</typeparam>
    /// <param name="state">The record, resumed by this activation.</param>
    /// <param name="queue">The requests that wait, first come first.</param>
    /// <param name="command">What happens.</param>
    /// <param name="now">When.</param>
    /// <param name="self">This activation.</param>
    /// <param name="rules">The host's rules.</param>
    /// <returns>What it does.</returns>
    public static Transition<TReply> Apply<TReply>(
        LeaseState state,
        IReadOnlyList<QueuedRequest> queue,
        LeaseCommand<TReply> command,
        Instant now,
        ActivationId self,
        LeaseRules rules)
        where TReply : class
    {
        ArgumentNullException.ThrowIfNull(command);
        var draft = new LeaseDraft(state, queue, now, self, rules);
        draft.EndWhatIsOver();
        return draft.Finish(command.Apply(draft));
    }

    /// <summary>When the record changes by itself.</summary>
    /// <param name="state">The record.</param>
    /// <param name="someoneWaits">Whether a delay's end matters to anyone.</param>
    /// <returns>Monotonic time; null for never.</returns>
    public static TimeSpan? NextWake(LeaseState state, bool someoneWaits)
    {
        ArgumentNullException.ThrowIfNull(state);
        var wake = someoneWaits ? state.Delay?.Ends : null;
        if (someoneWaits && state.Hold is { } hold) wake = Earlier(wake, hold.Ends);
        foreach (var holder in state.Holders) wake = Earlier(wake, holder.EndsAt);
        return wake;
    }

    /// <summary>The wall time from which a host that starts anew should look at a stored record.</summary>
    /// <param name="state">The record.</param>
    /// <returns>Wall time; null for never.</returns>
    public static TimeSpan? DueWall(LeaseState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        // At once, and not from when its end was recorded: by a clock that was far ahead that may be long in coming.
        if (state.Pending is not null) return TimeSpan.Zero;
        TimeSpan? due = null;
        foreach (var holder in state.Holders)
        {
            due = Earlier(due, holder.Horizon);
            if (holder.Breaking is { Force: true } order) due = Earlier(due, order.EndsWall);
        }

        return due;
    }

    internal static TimeSpan CeilToMillisecond(TimeSpan time) =>
        new((time.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond);

    internal static TimeSpan Earlier(TimeSpan? one, TimeSpan other) => one < other ? one.Value : other;
}
