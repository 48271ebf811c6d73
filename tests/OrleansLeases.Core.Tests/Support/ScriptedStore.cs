namespace OrleansLeases.Core.Tests;

/// <summary>
/// A store in memory whose every call a test can decide: at once by a script, or later by hand. Records pass
/// through the codec. Single-threaded: continuations run inside the call that completes them.
/// </summary>
internal sealed class ScriptedStore
{
    private readonly Dictionary<string, byte[]> _records = [];
    private readonly Queue<Func<SaveCall, SaveOutcome>> _saves = [];
    private readonly Queue<Func<LoadCall, LeaseState>> _loads = [];

    /// <summary>The calls that wait for <see cref="StoreCall.Complete"/>, oldest first. Filled while <see cref="Hold"/> is set.</summary>
    public List<StoreCall> Held { get; } = [];

    /// <summary>Whether calls wait to be completed by hand.</summary>
    public bool Hold { get; set; }

    /// <summary>Whether first writes come without a load; they count as saves.</summary>
    public bool CanAddOrLoad { get; set; }

    /// <summary>How many saves were asked for.</summary>
    public int Saves { get; private set; }

    /// <summary>Whether other saves could go before the last one.</summary>
    public bool LastIsBackground { get; private set; }

    /// <summary>How many loads were asked for.</summary>
    public int Loads { get; private set; }

    /// <summary>What is done to every load without a script of its own.</summary>
    public Func<LoadCall, LeaseState> EveryLoad { get; set; } = call => call.Read();

    /// <summary>What is done to every save without a script of its own.</summary>
    public Func<SaveCall, SaveOutcome> EverySave { get; set; } = call => call.Write();

    /// <summary>Scripts the next save that has no script yet.</summary>
    public void OnSave(Func<SaveCall, SaveOutcome> script) => _saves.Enqueue(script);

    /// <summary>Scripts the next load that has no script yet.</summary>
    public void OnLoad(Func<LoadCall, LeaseState> script) => _loads.Enqueue(script);

    /// <summary>What the records that were dropped have left: all names are of one shard.</summary>
    public RecordFloor Floor { get; private set; }

    /// <summary>The committed record.</summary>
    public LeaseState Read(string resource) =>
        _records.TryGetValue(resource, out var bytes) ? RecordCodec.Lease.Decode(bytes) : LeaseState.Unused;

    /// <summary>The store as one host sees it.</summary>
    public IRecordStore For(string caller) => new View(this, caller);

    private SaveOutcome Write(string resource, LeaseState previous, LeaseState next)
    {
        if (previous.Version > 0) Assert.Equal(previous.Version + 1, next.Version);
        if (Read(resource).Version != previous.Version) return SaveOutcome.Conflict;
        if (previous.Version == 0 && !((IRecord)next).Floor.Covers(Floor)) return SaveOutcome.Conflict;
        _records[resource] = RecordCodec.Lease.Encode(next);
        return SaveOutcome.Saved;
    }

    private SaveOutcome Drop(string resource, LeaseState dropped)
    {
        if (Read(resource).Version != dropped.Version || dropped.Version == 0) return SaveOutcome.Conflict;
        _records.Remove(resource);
        Floor = Floor.RaisedTo(((IRecord)dropped).FloorAfter);
        return SaveOutcome.Saved;
    }

    internal abstract class StoreCall(string caller)
    {
        public string Caller { get; } = caller;

        /// <summary>Does what the script says, and lets the keeper go on.</summary>
        public abstract void Complete();
    }

    internal sealed class SaveCall(
        ScriptedStore store, string caller, string resource, LeaseState previous, LeaseState? next, Func<SaveCall, SaveOutcome> script)
        : StoreCall(caller)
    {
        private readonly TaskCompletionSource<SaveOutcome> _done = new();

        public string Resource { get; } = resource;

        public LeaseState Previous { get; } = previous;

        public LeaseState Next => next ?? throw new InvalidOperationException("The record is to be dropped.");

        public bool Drops => next is null;

        public Task<SaveOutcome> Task => _done.Task;

        /// <summary>Compare-and-swap, now; however often and however late it is called.</summary>
        public SaveOutcome Write() => next is null ? store.Drop(Resource, Previous) : store.Write(Resource, Previous, next);

        public override void Complete() => Complete(script);

        public void Complete(Func<SaveCall, SaveOutcome> how)
        {
            store.Held.Remove(this);
            SaveOutcome outcome;
            try
            {
                outcome = how(this);
            }
            catch (IOException error)
            {
                _done.SetException(error);
                return;
            }

            _done.SetResult(outcome);
        }
    }

    internal sealed class LoadCall(
        ScriptedStore store, string caller, string resource, Func<LoadCall, LeaseState> script) : StoreCall(caller)
    {
        private readonly TaskCompletionSource<LeaseState> _done = new();

        public Task<LeaseState> Task => _done.Task;

        /// <summary>The committed record, now.</summary>
        public LeaseState Read() => store.Read(resource);

        public override void Complete() => Complete(script);

        public void Complete(Func<LoadCall, LeaseState> how)
        {
            store.Held.Remove(this);
            LeaseState state;
            try
            {
                state = how(this);
            }
            catch (IOException error)
            {
                _done.SetException(error);
                return;
            }

            _done.SetResult(state);
        }
    }

    private sealed class View(ScriptedStore store, string caller) : IRecordStore
    {
        // Known late, as by a silo that has dropped nothing itself.
        private RecordFloor _known = store.Floor;

        public bool IsDurable => true;

        public bool CanDrop => true;

        public RecordFloor FloorOf(RecordKind kind, string name) => _known;

        public async ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name)
        {
            store.Loads++;
            var call = new LoadCall(store, caller, name, store._loads.TryDequeue(out var script) ? script : store.EveryLoad);
            Take(call);
            return new(kind, name, await call.Task);
        }

        public ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background)
        {
            store.Saves++;
            store.LastIsBackground = background;
            var script = store._saves.TryDequeue(out var scripted) ? scripted : store.EverySave;
            var call = new SaveCall(store, caller, next.Name, previous.Lease, next.Lease, script);
            Take(call);
            return previous.Version == 0 ? FirstAsync(call) : new(call.Task);
        }

        public async ValueTask<SaveOutcome> DropAsync(StoredRecord record)
        {
            var script = store._saves.TryDequeue(out var scripted) ? scripted : store.EverySave;
            var call = new SaveCall(store, caller, record.Name, record.Lease, next: null, script);
            Take(call);
            var outcome = await call.Task;
            if (outcome == SaveOutcome.Saved) _known = store.Floor;
            return outcome;
        }

        private async ValueTask<SaveOutcome> FirstAsync(SaveCall call)
        {
            var outcome = await call.Task;
            if (outcome == SaveOutcome.Conflict) _known = store.Floor;
            return outcome;
        }

        public bool CanAddOrLoad => store.CanAddOrLoad;

        public async ValueTask<AddOrLoad> AddOrLoadAsync(StoredRecord first, bool background)
        {
            var outcome = await SaveAsync(StoredRecord.None(first.Kind, first.Name), first, background);
            return new(outcome, outcome == SaveOutcome.Conflict && store._records.ContainsKey(first.Name)
                ? new(first.Kind, first.Name, store.Read(first.Name))
                : null);
        }

        public IAsyncEnumerable<StoredRecord> RangeAsync(
            RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        private void Take(StoreCall call)
        {
            if (store.Hold) store.Held.Add(call);
            else call.Complete();
        }
    }
}
