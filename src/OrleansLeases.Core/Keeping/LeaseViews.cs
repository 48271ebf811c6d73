namespace OrleansLeases.Core;

/// <summary>Turns records into responses. What is left of a lease counts from the moment of the response.</summary>
internal static partial class LeaseViews
{
    private static readonly Dictionary<string, string> NoMetadata = [];

    /// <summary>A resource as a stored record shows it: what is left is an upper bound.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="state">The record as it was stored.</param>
    /// <param name="now">A reading of the host's clock.</param>
    /// <param name="rules">The host's rules.</param>
    /// <returns>The resource, without its waiters.</returns>
    public static LeaseInfo Stored(string resource, LeaseState state, Instant now, LeaseRules rules)
    {
        ArgumentNullException.ThrowIfNull(state);
        return Info(resource, state.Resume(now, rules), now, waiters: null, queue: null);
    }

    internal static LeaseInfo Info(
        string resource, LeaseState state, Instant now, int? waiters, IReadOnlyList<LeaseWaiter>? queue)
    {
        var delayedUntil = state.Delays.Until(owner: null);
        var delayed = state.Holders.IsEmpty && now.Monotonic < delayedUntil;
        var full = !state.Holders.IsEmpty
            && !(state.Holders[0].Mode == LeaseMode.Shared && state.Holders.Length < (state.Capacity ?? int.MaxValue));
        return new LeaseInfo
        {
            Resource = resource,
            State = !state.Holders.IsEmpty ? LeaseStatus.Held : delayed ? LeaseStatus.Delayed : LeaseStatus.Free,
            Holders = [.. state.Holders.Select(holder => HolderOf(holder, now))],
            Capacity = state.Capacity,
            AvailableIn = delayed ? delayedUntil - now.Monotonic
                : full ? state.Holders.Min(holder => AtLeastZero(Holder.Max(holder.EndsAt, holder.Hold?.Ends ?? default) - now.Monotonic))
                : null,
            LastToken = state.LastToken,
            Waiters = waiters,
            Queue = queue,
            Sequence = state.Log.Last,
        };
    }

    internal static LeaseHistory History(string resource, LeaseState state) => new()
    {
        Resource = resource,
        FirstSequence = state.Log.First,
        Events = [.. state.Log.After(0).Select(change => new LeaseEvent
        {
            Sequence = change.Sequence,
            Kind = change.Entry.Kind,
            Owner = change.Entry.Owner,
            Token = change.Entry.Token,
            At = DateTimeOffset.UnixEpoch + change.Entry.At,
            Reason = change.Entry.Reason,
        })],
    };

    private static LeaseHolder HolderOf(Holder holder, Instant now) => new()
    {
        Owner = holder.Owner,
        Token = holder.Token,
        Mode = holder.Mode,
        Ttl = holder.Ttl,
        Remaining = AtLeastZero(holder.EndsAt - now.Monotonic),
        Metadata = holder.Metadata ?? NoMetadata,
        Keys = holder.Keys is { } keys ? [.. keys.Keys] : [],
    };

    // A third of the time leaves room for two more tries before the deadline.
    private static TimeSpan RenewAfter(Holder holder, TimeSpan remaining) => Holder.Min(remaining, holder.Ttl) / 3;

    private static TimeSpan AtLeastZero(TimeSpan time) => Holder.Max(time, TimeSpan.Zero);
}
