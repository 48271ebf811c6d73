namespace OrleansLeases.Core;

/// <summary>Turns records into events.</summary>
internal static class WatchViews
{
    public static IEnumerable<WatchEvent> Changes(string resource, BlockLog<LogEntry> log, long after) =>
        log.After(after).Select(change => new WatchEvent.LeaseChanged(new LeaseEvent
        {
            Resource = resource,
            Sequence = change.Sequence,
            Kind = change.Entry.Kind,
            Owner = change.Entry.Owner,
            Token = change.Entry.Token,
            At = DateTimeOffset.UnixEpoch + change.Entry.At,
            Reason = change.Entry.Reason,
        }));

    // The record has the newest value only. Decision newest-value-only.
    public static IEnumerable<WatchEvent> Changes(string key, KeyState state, long after) =>
        state.Log.After(after).Select(change => new WatchEvent.KeyChanged(new KeyChange
        {
            Key = key,
            Version = change.Sequence,
            Kind = change.Entry.Kind,
            At = DateTimeOffset.UnixEpoch + change.Entry.At,
            Value = change.Sequence == state.Revision ? state.Value : null,
            Lease = change.Sequence == state.Revision ? state.Binding?.ToLease() : null,
            Reason = change.Entry.Expired ? "expired" : null,
        }));

    public static KeyInfo Info(string key, KeyState state) =>
        new() { Key = key, Version = state.Revision, Value = state.Value, Lease = state.Binding?.ToLease() };
}
