using System.Globalization;
using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Checking;

/// <summary>
/// The puts and reads of one free-standing key. Versions say the order of the puts; it must be that of time, nothing comes
/// between a put and the version that it was to replace, and what is read is what its version was put with.
/// </summary>
/// <param name="key">The key.</param>
/// <param name="scheduler">True time.</param>
/// <param name="readsMayBeStale">Hosts that overlap may read what they knew.</param>
/// <param name="repeatsMayCome">A repeat may come after its request id is forgotten, and is another put.</param>
internal sealed class RegisterHistory(string key, Scheduler scheduler, bool readsMayBeStale, bool repeatsMayCome)
{
    private readonly List<Put> _puts = [];
    private readonly List<Deletion> _deletions = [];
    private int _values;

    public string Key { get; } = key;

    public string NextValue() => (++_values).ToString(CultureInfo.InvariantCulture);

    /// <summary>The newest version that anybody was told of.</summary>
    public long Newest { get; private set; }

    public Put BeginPut(string value, long? ifVersion, TimeSpan now)
    {
        var put = new Put(value, ifVersion, now);
        _puts.Add(put);
        return put;
    }

    public void EndPut(Put put, long version, TimeSpan now)
    {
        // Of a put from before a restore, nobody knows which history it belongs to.
        if (!_puts.Contains(put)) return;
        (put.Version, put.Returned) = (version, now);
        Newest = Math.Max(Newest, version);
        foreach (var other in _puts)
        {
            if (other == put || other.Version is not { } known) continue;
            if (known == version) scheduler.Fail("key", $"{Key}: version {version} was put twice.");
            var (first, second) = known < version ? (other, put) : (put, other);
            if (second.IfVersion < first.Version && !(second.IfVersion == 0 && MayBeGone(first, second.Returned)))
                scheduler.Fail("key", $"{Key}: version {second.Version} replaced {second.IfVersion}, after {first.Version}.");
            if (second.Returned < first.Invoked) scheduler.Fail("key", $"{Key}: version {second.Version} was put before {first.Version}.");
        }
    }

    public void Read(string? value, long version, TimeSpan asked, TimeSpan now)
    {
        if (value is not null && _puts.Find(put => put.Value == value) is { } written)
        {
            if (written.Version is { } known && known != version && !repeatsMayCome)
                scheduler.Fail("key", $"{Key}: {value} was read as version {version}, and put as {known}.");
            if (written.Invoked > now) scheduler.Fail("key", $"{Key}: {value} was read before it was put.");
        }

        if (readsMayBeStale) return;
        foreach (var put in _puts)
        {
            if (put.Returned < asked && put.Version > version && !(value is null && MayBeGone(put, now)))
                scheduler.Fail("key", $"{Key}: version {version} was read after {put.Version} had been put.");
        }
    }

    public Deletion BeginDelete(TimeSpan now)
    {
        var deletion = new Deletion(now);
        _deletions.Add(deletion);
        return deletion;
    }

    /// <summary>A restored copy begins another history.</summary>
    public void Forget()
    {
        _puts.Clear();
        Newest = 0;
    }

    // It may have been deleted since.
    private bool MayBeGone(Put put, TimeSpan now) =>
        _deletions.Exists(deletion => deletion.Invoked < now && deletion.Returned > put.Invoked);

    internal sealed class Deletion(TimeSpan invoked)
    {
        public TimeSpan Invoked { get; } = invoked;

        public TimeSpan Returned { get; set; } = TimeSpan.MaxValue;
    }

    internal sealed class Put(string value, long? ifVersion, TimeSpan invoked)
    {
        public string Value { get; } = value;

        /// <summary>The version that it replaces; null where any.</summary>
        public long? IfVersion { get; } = ifVersion;

        public TimeSpan Invoked { get; } = invoked;

        public TimeSpan Returned { get; set; } = TimeSpan.MaxValue;

        public long? Version { get; set; }
    }
}
