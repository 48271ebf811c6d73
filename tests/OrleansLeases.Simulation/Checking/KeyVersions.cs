using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Checking;

/// <summary>What each version of each key was when it was stored: what a watch may show of it, and a cache that follows one.</summary>
internal sealed class KeyVersions(Scheduler scheduler)
{
    private readonly Dictionary<(string Key, long Version), Stored> _stored = [];
    private readonly Dictionary<string, long> _newest = [];

    /// <summary>A write of a key has landed.</summary>
    public void Written(StoredRecord after)
    {
        var version = after.Key.Revision;
        var stored = new Stored(scheduler.Now, after.Key.Value, after.Key.Binding?.ToLease());
        _newest[after.Name] = version;
        if (_stored.TryAdd((after.Name, version), stored)) return;
        if (!_stored[(after.Name, version)].IsSame(stored.Value, stored.Lease))
            scheduler.Fail("key", $"{after.Name} changed and is still of version {version}.");
    }

    /// <summary>When a version was stored; null where nobody knows any more.</summary>
    public TimeSpan? WhenStored(string key, long version) => _stored.TryGetValue((key, version), out var stored) ? stored.At : null;

    /// <summary>
    /// A watcher is shown a version of a key: with its value or, where it is not the newest or its lease has ended, without.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="version">The version.</param>
    /// <param name="value">The value; null for none.</param>
    /// <param name="lease">The lease that it is bound to.</param>
    /// <param name="hasEnded">Whether the end of a lease is stored.</param>
    public void Shows(string key, long version, string? value, KeyLease? lease, Func<KeyLease, bool> hasEnded)
    {
        if (!_stored.TryGetValue((key, version), out var stored) || stored.IsSame(value, lease)) return;
        if (value is not null)
            scheduler.Fail("watch", $"{key} was shown as {value} {lease} at version {version}, which was {stored.Value} {stored.Lease}.");
        else if (_newest[key] == version && !(stored.Lease is { } bound && hasEnded(bound)))
            scheduler.Fail("watch", $"Version {version} of {key} was shown without its value, and nothing has come after it.");
    }

    /// <summary>A restored copy begins another history.</summary>
    public void Forget() => _stored.Clear();

    private sealed record Stored(TimeSpan At, string? Value, KeyLease? Lease)
    {
        public bool IsSame(string? value, KeyLease? lease) => Value == value && Lease == lease;
    }
}
