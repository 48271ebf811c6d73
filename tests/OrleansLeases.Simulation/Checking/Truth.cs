using OrleansLeases.Core;
using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Checking;

/// <summary>
/// What is true: it sees every write as it lands, and everything that clients were told. What holders believe is compared with it
/// whenever it changes.
/// </summary>
/// <param name="scheduler">True time.</param>
/// <param name="retention">How long names are kept that are not in use.</param>
/// <param name="areClocksWrong">Clocks of hosts are off by more than is allowed: no holder may rely on its own deadline.</param>
/// <param name="mayEndLate">Clocks of hosts are off, compared or not: what they stored may last longer.</param>
internal sealed class Truth(Scheduler scheduler, Retention retention, bool areClocksWrong, bool mayEndLate)
{
    // So many changes back a request id is known, whatever else is.
    private const int LeastRequests = 500;
    private const int LeastKeyRequests = 1_024;

    private readonly Dictionary<string, long> _highest = [];
    private readonly HashSet<(string Resource, long Token)> _granted = [];
    private readonly Dictionary<string, SortedDictionary<long, LeaseLife>> _lives = [];
    private readonly HashSet<(string Resource, long Token)> _ended = [];
    private readonly Dictionary<(string Resource, long Token), TimeSpan> _toldEnded = [];
    private readonly Dictionary<(string Name, long Sequence, RecordKind Kind), (string Kind, long Token)> _changes = [];
    private readonly Dictionary<string, List<Belief>> _beliefs = [];
    private readonly HashSet<(RecordKind Kind, string Name, long Number)> _strays = [];
    private readonly Dictionary<(RecordKind Kind, string Name), Dictionary<long, long>> _requests = [];
    private long _history;

    /// <summary>What was true is no more: an older copy was restored.</summary>
    public int Restores { get; private set; }

    /// <summary>When that was last; null for never.</summary>
    public TimeSpan? RestoredAt { get; private set; }

    public long Grants { get; private set; }

    /// <summary>What was stored of keys.</summary>
    public KeyVersions Keys { get; } = new(scheduler);

    /// <summary>What was dropped, and came back.</summary>
    public DroppedNames Names { get; } = new(scheduler, retention) { IsOff = mayEndLate };

    public Promises Promises { get; } = new(scheduler) { IsOff = mayEndLate };

    public HoldPromises Holds { get; } = new(scheduler) { IsOff = areClocksWrong || mayEndLate };

    /// <summary>All grants of a resource by their tokens.</summary>
    public IEnumerable<KeyValuePair<long, LeaseLife>> LivesOf(string resource) => _lives.GetValueOrDefault(resource) ?? [];

    /// <summary>A write has landed.</summary>
    /// <param name="before">What was stored; what the first record was made above, where nothing was.</param>
    /// <param name="after">What is stored now.</param>
    /// <param name="made">When its host made it.</param>
    /// <param name="isStray">The keeper has given it up or is gone: no watch of a prefix may ever show it.</param>
    public void Written(StoredRecord before, StoredRecord after, TimeSpan made, bool isStray)
    {
        var (known, last) = (before.State.Last, after.State.Last);
        while (isStray && known < last) _strays.Add((after.Kind, after.Name, ++known));
        Names.Written(before, after, made);
        if (after.Kind == RecordKind.Key)
        {
            Remember(after.Name, after.Key.Log.Last - before.Key.Log.Last, after);
            Keys.Written(after);
            return;
        }

        OnlyGrows(after.Name, before.Lease, after.Lease);
        Promises.Written(after.Name, before.Lease, after.Lease);
        Holds.Written(after.Name, before.Lease, after.Lease);
        Fit(after.Name, after.Lease);
        foreach (var holder in before.Lease.Holders)
        {
            if (after.Lease.Holders.All(one => one.Token != holder.Token)) Ends(after.Name, holder.Token);
        }
    }

    /// <summary>A record was dropped.</summary>
    /// <param name="record">What was stored.</param>
    public void Dropped(StoredRecord record)
    {
        Names.Dropped(record);
        _requests.Remove((record.Kind, record.Name));
    }

    /// <summary>Whether all changes after one and up to another were written by nobody who could show them, or never made.</summary>
    public bool AreStray(RecordKind kind, string name, long after, long last)
    {
        while (after < last)
        {
            if (_strays.Contains((kind, name, after + 1))) after++;
            else if (Names.SkippedAfter(kind, name, after) is { } start) after = start;
            else return false;
        }

        return after == last;
    }

    /// <summary>An older copy was restored: what holders know of is forgotten, and only their tokens protect.</summary>
    /// <param name="epoch">The epoch from now on.</param>
    /// <param name="stored">What is stored now.</param>
    /// <param name="dropped">The last records of names that have none.</param>
    public void Restored(int epoch, IReadOnlyList<StoredRecord> stored, IEnumerable<StoredRecord> dropped)
    {
        Restores++;
        Names.Restored(stored.Concat(dropped));
        _requests.Clear();
        foreach (var record in stored) KnowRequests(record);
        RestoredAt = scheduler.Now;
        _history = LeaseRules.TokenFloorOfEpoch(epoch);
        foreach (var belief in _beliefs.Values.SelectMany(all => all)) belief.IsExempt = true;
        _changes.Clear();
        Keys.Forget();
        Holds.Forget();
        _strays.Clear();
        _ended.Clear();
        _toldEnded.Clear();
    }

    /// <summary>A client has a lease from now on.</summary>
    public Belief Believe(string resource, string owner, long token, LeaseMode mode, Func<bool> isValid, bool isExempt)
    {
        // A grant that is late on its way from before a restore is forgotten like those that had arrived.
        var belief = new Belief(resource, owner, token, mode, isValid) { IsExempt = isExempt || areClocksWrong || token <= _history };
        IsGranted(resource, token);
        if (!_beliefs.TryGetValue(resource, out var all)) _beliefs[resource] = all = [];
        if (_ended.Contains((resource, token)) && belief.Counts)
            scheduler.Fail("I4", $"{belief} is believed in, and its end is stored.");
        foreach (var other in all.Where(other => belief.Counts && other.Counts && other.Token != token))
        {
            if (mode == LeaseMode.Exclusive || other.Mode == LeaseMode.Exclusive)
                scheduler.Fail("I1", $"{belief} and {other} are believed in at once.");
        }

        all.RemoveAll(other => other.IsOver);
        all.Add(belief);
        return belief;
    }

    /// <summary>Somebody ends a lease, or may, that its holder does not know of: a release, a transfer or a break by force.</summary>
    public void MayEnd(string resource, string? owner, long? token)
    {
        if (!_beliefs.TryGetValue(resource, out var all)) return;
        foreach (var belief in all.Where(belief => (token is null || belief.Token == token) && (owner is null || belief.Owner == owner)))
            belief.IsExempt = true;
    }

    /// <summary>I3: what a client is told to have been granted is stored.</summary>
    public void IsGranted(string resource, long token)
    {
        if (!_granted.Contains((resource, token))) scheduler.Fail("I3", $"Token {token} of {resource} was told, and is not stored.");
    }

    /// <summary>A client was told that a lease has ended.</summary>
    public void ToldEnded(string resource, long token)
    {
        // A restored copy knows nothing of it.
        if (Restores > 0 && !_ended.Contains((resource, token))) return;
        if (!_ended.Contains((resource, token)))
            scheduler.Fail("I3", $"Token {token} of {resource} was told as ended, which is not stored.");
        _toldEnded.TryAdd((resource, token), scheduler.Now);
    }

    /// <summary>I6: a key that is shown is bound to a lease whose end nobody had been told of when the read was sent.</summary>
    public void ShowsKey(string key, KeyLease lease, TimeSpan asked)
    {
        if (_toldEnded.TryGetValue((lease.Resource, lease.Token), out var told) && told < asked)
            scheduler.Fail(
                "I6", $"{key} was shown, bound to token {lease.Token} of {lease.Resource}, whose end was told {asked - told} before.");
    }

    /// <summary>I6 for a watch: what it begins with, or begins again with, is what a read shows.</summary>
    /// <param name="key">The key.</param>
    /// <param name="shown">What the watch shows.</param>
    /// <param name="began">When it began.</param>
    public void WatchShowsKey(string key, WatchEvent shown, TimeSpan began)
    {
        switch (shown)
        {
            case WatchEvent.KeySnapshot { Key.Lease: { } lease }:
                ShowsKey(key, lease, began);
                break;
            case WatchEvent.KeyChanged { Key: { Lease: { } lease } put } when Keys.WhenStored(key, put.Version) < began:
                ShowsKey(key, lease, began);
                break;
        }
    }

    /// <summary>A watcher is shown a version of a key.</summary>
    public void ShowsVersion(string key, WatchPoint at, string? value, KeyLease? lease)
    {
        if (at.History == _history)
            Keys.Shows(key, at.Sequence, value, lease, bound => _ended.Contains((bound.Resource, bound.Token)));
    }

    /// <summary>A watcher is shown what happened.</summary>
    public void ShowsChange(RecordKind kind, string name, WatchPoint at, string change, long token)
    {
        var sequence = at.Sequence;
        // What is late on its way from before a restore is another history's.
        if (at.History != _history || !_changes.TryGetValue((name, sequence, kind), out var known)) return;
        if (known != (change, token))
            scheduler.Fail("watch", $"Change {sequence} of {name} was shown as {change} {token}; it was {known}.");
    }

    private void Ends(string resource, long token)
    {
        _ended.Add((resource, token));
        if (!_beliefs.TryGetValue(resource, out var all)) return;
        foreach (var belief in all)
        {
            if (belief.Token == token && belief.Counts) scheduler.Fail("I4", $"{belief} was ended while its holder believes in it.");
        }
    }

    // I2, I7: tokens only grow, and no request id is applied twice.
    private void OnlyGrows(string resource, LeaseState before, LeaseState after)
    {
        var count = after.Log.Last - before.Log.Last;
        var sequence = before.Log.Last;
        foreach (var entry in after.Log.NewestFirst().Take((int)count).Reverse())
        {
            scheduler.Trace.Add(scheduler.Now, entry.Kind.ToString(), resource, entry.Token, ++sequence);
            _changes[(resource, sequence, RecordKind.Lease)] = (entry.Kind.ToString(), entry.Token);
            if (entry.Kind != LeaseEventKind.Granted)
            {
                if (entry.Kind != LeaseEventKind.Breaking && LifeOf(resource).TryGetValue(entry.Token, out var life))
                    (life.EndKind, life.Ended) = (entry.Kind, scheduler.Now);
                continue;
            }

            Grants++;
            // One that is over by the time of its write fits beside any.
            var mode = after.Holders.FirstOrDefault(holder => holder.Token == entry.Token)?.Mode ?? LeaseMode.Shared;
            LifeOf(resource)[entry.Token] = new(entry.Request.Id, entry.Owner, mode, scheduler.Now);
            if (_highest.TryGetValue(resource, out var highest) && entry.Token <= highest)
                scheduler.Fail("I2", $"Token {entry.Token} of {resource} was granted after {highest}.");
            IsNew(RecordKind.Lease, resource, entry.Request.Id, sequence, LeastRequests);
            _highest[resource] = entry.Token;
            _granted.Add((resource, entry.Token));
        }
    }

    private void KnowRequests(StoredRecord record)
    {
        var requests = record.Kind == RecordKind.Lease
            ? from change in record.Lease.Log.After(0)
              where change.Entry.Kind == LeaseEventKind.Granted
              select (change.Sequence, change.Entry.Request.Id)
            : from change in record.Key.Log.After(0)
              select (change.Sequence, change.Entry.Request.Id);
        foreach (var (change, request) in requests) IsNew(record.Kind, record.Name, request, change, most: 0);
    }

    // I7: whatever the record still knows of it.
    private void IsNew(RecordKind kind, string name, long request, long change, int most)
    {
        if (request == 0) return;
        if (!_requests.TryGetValue((kind, name), out var requests)) _requests[(kind, name)] = requests = [];
        if (requests.TryGetValue(request, out var known) && change - known <= most)
            scheduler.Fail("I7", $"The request of change {known} of {name} was applied again, as change {change}.");
        requests[request] = change;
    }

    private SortedDictionary<long, LeaseLife> LifeOf(string resource)
    {
        if (!_lives.TryGetValue(resource, out var lives)) _lives[resource] = lives = [];
        return lives;
    }

    private void Remember(string key, long count, StoredRecord after)
    {
        var sequence = after.Key.Log.Last - count;
        foreach (var entry in after.Key.Log.NewestFirst().Take((int)count).Reverse())
        {
            _changes[(key, ++sequence, RecordKind.Key)] = (entry.Kind.ToString(), 0);
            IsNew(RecordKind.Key, key, entry.Request.Id, sequence, LeastKeyRequests);
        }
    }

    // I1, in grantor time.
    private void Fit(string resource, LeaseState state)
    {
        if (state.Holders.Length < 2) return;
        if (state.Holders.Any(holder => holder.Mode == LeaseMode.Exclusive) || state.Holders.Length > (state.Capacity ?? int.MaxValue))
            scheduler.Fail("I1", $"{resource} has {state.Holders.Length} holders, of {state.Holders[0].Mode}, {state.Capacity}.");
    }
}

/// <summary>That a client takes itself for the holder of a lease.</summary>
internal sealed class Belief(string resource, string owner, long token, LeaseMode mode, Func<bool> isValid)
{
    public string Owner => owner;

    public long Token => token;

    public LeaseMode Mode => mode;

    /// <summary>It was ended by a call or forgotten, or all clocks that it counts by stood still: only its token protects.</summary>
    public bool IsExempt { get; set; }

    /// <summary>The process is gone, or has given it up: nobody relies on it any more.</summary>
    public bool IsOver { get; set; }

    /// <summary>Whether its holder, asked now, would say that it holds, and is right to.</summary>
    public bool Counts => !IsOver && !IsExempt && isValid();

    public override string ToString() => $"{mode} token {Token} of {resource} by {owner}";
}
