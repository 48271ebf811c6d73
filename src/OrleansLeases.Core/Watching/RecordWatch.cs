using System.Runtime.CompilerServices;

namespace OrleansLeases.Core;

/// <summary>
/// A watch of one record, where its keeper is. It ends where its keeper does, and where the record has forgotten what
/// comes next: another one goes on from the last event, or says resync. Made while the keeper processes a call, so that no
/// change comes between the record and what follows.
/// </summary>
internal sealed class RecordWatch(
    RecordBroadcaster broadcaster, string name, IHistory record, WatchEvent state, WatchPoint? since, long history)
{
    private bool IsUnused => record.First > record.Last;

    public LeaseWatch Start() => new(ReadAsync());

    private async IAsyncEnumerable<WatchEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        broadcaster.Enter();
        try
        {
            var seen = record.Last;
            if (since is { } known && IsKnown(known))
            {
                seen = known.Sequence;
            }
            else
            {
                if (since is not null) yield return WatchEvent.Resync.Instance;
                // An unused name begins above a floor that may never be stored, or be another one elsewhere: nothing was seen of it.
                yield return state with { ResumeFrom = new(IsUnused ? 0 : seen, history) };
            }

            var newest = record;
            while (newest is not null && newest.First <= seen + 1)
            {
                foreach (var change in newest.After(name, seen)) yield return change with { ResumeFrom = new(++seen, history) };
                newest = await broadcaster.AfterAsync(seen, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            broadcaster.Leave();
        }
    }

    // A number that was never given out is another history's, whatever it says. Decision resume-point-names-its-history. Of a name that
    // is not in use any but the first was given out before its record was dropped, and what came after it is not known.
    private bool IsKnown(WatchPoint point) =>
        (point.History is null || point.History == history)
        && (IsUnused ? point.Sequence == 0 && record.Last == 0
            : point.Sequence >= record.First - 1 && point.Sequence <= record.Last);
}

/// <summary>
/// A watch of a key that is about to start: whether the key is there depends on its lease, which <see cref="KeyOperations"/> asks.
/// </summary>
internal sealed class KeyWatch(RecordBroadcaster broadcaster, string key, KeyState state, WatchPoint? since, long history)
{
    /// <summary>The lease that the key is bound to.</summary>
    public KeyBinding? Binding => state.Binding;

    /// <summary>Starts.</summary>
    /// <param name="ended">Whether that lease has ended. The key is absent then, and its deletion is the next change.</param>
    public LeaseWatch Start(bool ended)
    {
        var seen = ended ? state with { Value = null, Binding = null } : state;
        return new RecordWatch(broadcaster, key, seen, new WatchEvent.KeySnapshot(WatchViews.Info(key, seen)), since, history).Start();
    }
}
