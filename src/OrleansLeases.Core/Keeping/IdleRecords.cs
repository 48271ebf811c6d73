using OrleansLeases.Storage;

namespace OrleansLeases.Core;

/// <summary>Has the keepers drop what has been idle for as long as it is kept: a page at a time. Not thread-safe.</summary>
/// <remarks>
/// It goes through the idle records of each kind in the order of their times, once for each time after which some names are dropped, and
/// goes on where it stopped: what is kept for longer is not looked at again and again. Now and then, once it has come to the end, it begins
/// anew, for those that were watched, or that the store did not drop.
/// </remarks>
internal sealed class IdleRecords
{
    private const int PageSize = 64;

    // Pages without a name that is to be dropped are read and no more.
    private const int PagesAtOnce = 16;
    private static readonly TimeSpan LongestPass = TimeSpan.FromHours(6);

    private readonly IRecordStore _store;
    private readonly Retention _retention;
    private readonly LeaseClock _clock;
    private readonly Func<RecordKind, string, Task<bool>> _drop;
    private readonly TimeSpan _slack;
    private readonly DueQuery _shard;
    private readonly List<Pass> _passes;

    /// <param name="store">The store.</param>
    /// <param name="rules">How long names are kept.</param>
    /// <param name="clock">What they are idle by.</param>
    /// <param name="drop">Has the keeper of a name drop its record, and says whether it has.</param>
    /// <param name="shard">The shard of names.</param>
    /// <param name="shards">How many shards there are.</param>
    public IdleRecords(
        IRecordStore store, LeaseRules rules, LeaseClock clock, Func<RecordKind, string, Task<bool>> drop, int shard = 0, int shards = 1)
    {
        (_store, _retention, _clock, _drop) = (store, rules.Retention, clock, drop);
        // What the keeper waits for, and that its clock may be behind this one: what it does not drop is looked at only much later.
        _slack = 2 * rules.ClockSkew;
        _shard = new DueQuery { Until = 0, Limit = PageSize, Shard = shard, Shards = shards };
        _passes = [.. _retention.Times.SelectMany(
            retain => new[] { RecordKind.Lease, RecordKind.Key }, (retain, kind) => new Pass(kind, retain))];
    }

    /// <summary>Looks at one page of each kind.</summary>
    /// <returns>Whether there may be more to drop at once.</returns>
    public async Task<bool> SweepAsync(CancellationToken cancellationToken)
    {
        var more = false;
        foreach (var pass in _passes) more |= await SweepAsync(pass, cancellationToken).ConfigureAwait(false);
        return more;
    }

    private async Task<bool> SweepAsync(Pass pass, CancellationToken cancellationToken)
    {
        var now = _clock.Read();
        if (pass.HasEnded && now.Monotonic >= pass.StartOver)
            (pass.StartOver, pass.After) = (now.Monotonic + Holder.Min(pass.Retain / 4, LongestPass), null);
        var query = _shard with { Until = (now.Earliest - pass.Retain - _slack).Ticks / TimeSpan.TicksPerMillisecond };
        for (var pages = 0; pages < PagesAtOnce; pages++)
        {
            var page = await _store.IdleAsync(pass.Kind, query with { After = pass.After }, cancellationToken).ConfigureAwait(false);
            if (page.Count > 0) pass.After = page[^1];
            pass.HasEnded = page.Count < PageSize;
            var dropped = await Task.WhenAll(
                page.Where(record => _retention.Of(record.Name) == pass.Retain).Select(record => _drop(pass.Kind, record.Name)))
                .ConfigureAwait(false);
            if (pass.HasEnded) return false;
            if (dropped.Length > 0) break;
        }

        return true;
    }

    private sealed class Pass(RecordKind kind, TimeSpan retain)
    {
        public RecordKind Kind => kind;

        public TimeSpan Retain => retain;

        public DueRecord? After { get; set; }

        public bool HasEnded { get; set; } = true;

        public TimeSpan StartOver { get; set; }
    }
}
