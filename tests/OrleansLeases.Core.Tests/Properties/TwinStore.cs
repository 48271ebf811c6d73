namespace OrleansLeases.Core.Tests;

/// <summary>
/// The one store of a twin world, with every call in two halves that happen when the history says so: the read or
/// write itself, and the answer. A write whose caller was told nothing, or is gone, may land much later.
/// </summary>
internal sealed class TwinStore
{
    private readonly Dictionary<ScriptedStore.StoreCall, Func<object>> _done = [];
    private readonly List<ScriptedStore.SaveCall> _strays = [];
    private readonly Dictionary<long, (string Owner, long Write)> _ended = [];
    private readonly Dictionary<long, TimeSpan> _horizons = [];

    public ScriptedStore Calls { get; } = new() { Hold = true };

    public LeaseState Committed => Calls.Read(MachineFixture.Resource);

    /// <summary>Counts the writes that have landed.</summary>
    public long Writes { get; private set; }

    /// <summary>Whether a lease was on record after this many writes, or has been granted since.</summary>
    public bool WasInForceSince(long writes, long token) => !_ended.TryGetValue(token, out var end) || end.Write > writes;

    /// <summary>Whether an owner had a lease on record after this many writes, or was granted one since.</summary>
    public bool WasHolderSince(long writes, string owner) =>
        Committed.Holders.Any(holder => holder.Owner == owner) || _ended.Values.Any(end => end.Owner == owner && end.Write > writes);

    /// <summary>Whether the end of a lease is on record.</summary>
    public bool HasEnded(long token) => _ended.ContainsKey(token);

    /// <summary>The latest horizon that was ever stored for a lease.</summary>
    public TimeSpan HorizonOf(long token) => _horizons[token];

    /// <summary>The read or write itself happens; its answer is still on the way.</summary>
    public void Land(ScriptedStore.StoreCall call)
    {
        if (_done.ContainsKey(call)) return;
        switch (call)
        {
            case ScriptedStore.SaveCall save:
                var outcome = Write(save);
                _done[call] = () => outcome;
                break;
            case ScriptedStore.LoadCall load:
                var state = load.Read();
                _done[call] = () => state;
                break;
        }
    }

    /// <summary>The keeper gets its answer.</summary>
    public void Answer(ScriptedStore.StoreCall call)
    {
        Land(call);
        var done = _done[call];
        if (call is ScriptedStore.SaveCall save) save.Complete(_ => (SaveOutcome)done());
        else ((ScriptedStore.LoadCall)call).Complete(_ => (LeaseState)done());
    }

    /// <summary>The keeper gets an exception, whether the call has landed or not. A write may land yet.</summary>
    public void Fail(ScriptedStore.StoreCall call, bool mayLandYet)
    {
        if (call is ScriptedStore.SaveCall save)
        {
            if (mayLandYet && !_done.ContainsKey(call)) _strays.Add(save);
            save.Complete(_ => throw new IOException("no answer"));
        }
        else
        {
            ((ScriptedStore.LoadCall)call).Complete(_ => throw new IOException("no answer"));
        }
    }

    /// <summary>The keeper is told that nothing was written, which is true.</summary>
    public void Refuse(ScriptedStore.StoreCall call)
    {
        if (call is ScriptedStore.SaveCall save && !_done.ContainsKey(call)) save.Complete(_ => SaveOutcome.NotSaved);
        else Answer(call);
    }

    /// <summary>The caller is gone: nobody hears the answers, but its writes may land yet.</summary>
    public void Orphan(string caller)
    {
        foreach (var call in Calls.Held.Where(call => call.Caller == caller).ToArray())
        {
            Calls.Held.Remove(call);
            if (call is ScriptedStore.SaveCall save && !_done.ContainsKey(call)) _strays.Add(save);
        }
    }

    /// <summary>A write that everybody has forgotten arrives.</summary>
    public void LandStray(int which)
    {
        if (_strays.Count == 0) return;
        var stray = _strays[which % _strays.Count];
        _strays.Remove(stray);
        Write(stray);
    }

    private SaveOutcome Write(ScriptedStore.SaveCall save)
    {
        var before = Committed;
        var outcome = save.Write();
        if (outcome == SaveOutcome.Saved)
        {
            OnlyGrows(before, Committed);
            Remember(before, Committed);
        }

        return outcome;
    }

    private void Remember(LeaseState before, LeaseState after)
    {
        Writes++;
        foreach (var holder in after.Holders)
            if (!_horizons.TryGetValue(holder.Token, out var latest) || holder.Horizon > latest) _horizons[holder.Token] = holder.Horizon;
        foreach (var holder in before.Holders.Where(holder => after.Holders.All(one => one.Token != holder.Token)))
            _ended[holder.Token] = (holder.Owner, Writes);
    }

    // I2, I7: tokens only grow, and no request id is applied twice.
    private static void OnlyGrows(LeaseState before, LeaseState after)
    {
        var entries = after.Log.NewestFirst().Take((int)(after.Log.Last - before.Log.Last)).Reverse().ToList();
        var token = before.LastToken;
        foreach (var entry in entries.Where(entry => entry.Kind == LeaseEventKind.Granted))
        {
            Assert.True(entry.Token > token, $"Token {entry.Token} was granted after {token}.");
            token = entry.Token;
            Assert.False(before.Log.TryFind(entry.Request.Id, out _), $"Token {entry.Token} was granted for a request id applied before.");
        }

        Assert.Equal(token, after.LastToken);
    }
}
