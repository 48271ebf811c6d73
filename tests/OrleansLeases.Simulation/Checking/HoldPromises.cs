using OrleansLeases.Core;
using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Checking;

/// <summary>
/// Hold at least: no other owner is granted a lease before the time that an ended one was to be held, counted from when its grant was made.
/// It knows of grants and their ends alone, not of what the service notes for itself.
/// </summary>
/// <param name="scheduler">True time.</param>
internal sealed class HoldPromises(Scheduler scheduler)
{
    // Clocks of hosts run fast by less than this part.
    private const double Drift = 0.99;

    private readonly Dictionary<(string Resource, long Token), TimeSpan> _made = [];
    private readonly Dictionary<(string Resource, long Token), TimeSpan> _until = [];
    private readonly Dictionary<string, List<(string Owner, TimeSpan Until)>> _ended = [];

    /// <summary>Clocks are off by more than is allowed: nobody may rely on this.</summary>
    public bool IsOff { get; init; }

    /// <summary>A host is about to store a record: what it grants is granted no earlier.</summary>
    public void Saves(StoredRecord next)
    {
        if (next.Kind != RecordKind.Lease) return;
        foreach (var holder in next.Lease.Holders)
        {
            if (holder.Hold is not null) _made.TryAdd((next.Name, holder.Token), scheduler.Now);
        }
    }

    /// <summary>A write has landed.</summary>
    public void Written(string resource, LeaseState before, LeaseState after)
    {
        LogEntry? last = null;
        foreach (var entry in after.Log.NewestFirst().Take((int)(after.Log.Last - before.Log.Last)).Reverse())
        {
            if (entry.Kind == LeaseEventKind.Granted) Granted(resource, entry, last, after);
            else if (entry.Kind is LeaseEventKind.Released or LeaseEventKind.Expired or LeaseEventKind.Broken) Ended(resource, entry);
            last = entry;
        }
    }

    /// <summary>An older copy was restored, which knows nothing of it.</summary>
    public void Forget()
    {
        _made.Clear();
        _until.Clear();
        _ended.Clear();
    }

    private void Granted(string resource, LogEntry grant, LogEntry? last, LeaseState after)
    {
        if (last is { Kind: LeaseEventKind.Transferred } transferred)
        {
            if (_until.TryGetValue((resource, transferred.Token), out var until)) _until[(resource, grant.Token)] = until;
            return;
        }

        if (_ended.TryGetValue(resource, out var ended))
        {
            ended.RemoveAll(hold => hold.Until <= scheduler.Now);
            foreach (var hold in ended.Where(hold => !IsOff && hold.Owner != grant.Owner))
            {
                scheduler.Fail(
                    "hold", $"Token {grant.Token} of {resource} was granted to {grant.Owner} {hold.Until - scheduler.Now} before the time "
                        + $"that {hold.Owner} was to hold it at least.");
            }
        }

        if (after.Holders.FirstOrDefault(holder => holder.Token == grant.Token)?.Hold is { } asked
            && _made.TryGetValue((resource, grant.Token), out var made))
            _until[(resource, grant.Token)] = made + (asked.Length * Drift) - TimeSpan.FromMilliseconds(1);
    }

    // What nobody was told of leaves nothing.
    private void Ended(string resource, LogEntry end)
    {
        if (!_until.Remove((resource, end.Token), out var until) || end.Reason == "its caller was gone") return;
        if (!_ended.TryGetValue(resource, out var ended)) _ended[resource] = ended = [];
        ended.Add((end.Owner, until));
    }
}
