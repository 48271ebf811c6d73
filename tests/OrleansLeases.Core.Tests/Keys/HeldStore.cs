namespace OrleansLeases.Core.Tests;

/// <summary>
/// A store of leases and keys whose every call waits for the test: it lands, is answered, or fails and may land yet.
/// After every write that lands, what must be true of the stored records is checked. Records pass through the codecs.
/// </summary>
internal sealed class HeldStore : IRecordStore
{
    private readonly Dictionary<string, byte[]> _leases = [];
    private readonly Dictionary<string, byte[]> _keys = [];
    private readonly List<Call> _strays = [];

    public bool IsDurable => true;

    /// <summary>The calls that wait, oldest first.</summary>
    public List<Call> Held { get; } = [];

    public IEnumerable<(string Resource, LeaseState State)> Leases => _leases.Keys.Select(name => (name, Lease(name))).ToList();

    public IEnumerable<(string Key, KeyState State)> Keys => _keys.Keys.Select(name => (name, Key(name))).ToList();

    public LeaseState Lease(string resource) =>
        _leases.TryGetValue(resource, out var bytes) ? RecordCodec.Lease.Decode(bytes) : LeaseState.Unused;

    public KeyState Key(string key) => _keys.TryGetValue(key, out var bytes) ? RecordCodec.Key.Decode(bytes) : KeyState.Unused;

    public ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name) => Take(
        isWrite: false, () => new StoredRecord(kind, name, kind == RecordKind.Lease ? Lease(name) : Key(name)));

    public ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background) => Take(isWrite: true, () =>
    {
        Assert.Equal(previous.Version + 1, next.Version);
        var isLease = next.Kind == RecordKind.Lease;
        if ((isLease ? Lease(next.Name).Version : Key(next.Name).Version) != previous.Version) return SaveOutcome.Conflict;
        if (isLease) _leases[next.Name] = RecordCodec.Lease.Encode(next.Lease);
        else _keys[next.Name] = RecordCodec.Key.Encode(next.Key);
        CheckAll();
        return SaveOutcome.Saved;
    });

    public IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public void AnswerAll()
    {
        while (Held.Count > 0) Held[0].Answer();
    }

    /// <summary>The callers are gone: what has not landed may land yet.</summary>
    public void Orphan()
    {
        _strays.AddRange(Held.Where(call => call.MayLandYet));
        Held.Clear();
    }

    /// <summary>A write that everybody has forgotten arrives.</summary>
    public void LandStray(int which)
    {
        if (_strays.Count == 0) return;
        var stray = _strays[which % _strays.Count];
        _strays.Remove(stray);
        stray.Land();
    }

    // A stored key that is bound is named by its lease, in force or ended: else nobody would ever clean it up.
    private void CheckAll()
    {
        foreach (var (key, state) in Keys)
        {
            if (state.Binding is not { } binding) continue;
            var lease = Lease(binding.Resource);
            var named = lease.Holders.Any(holder => holder.Token == binding.Token && holder.Keys?.ContainsKey(key) == true)
                || lease.Pending?.Exists(ended => ended.Token == binding.Token && ended.Keys.Contains(key)) == true;
            Assert.True(named, $"'{key}' is bound to token {binding.Token} of '{binding.Resource}', which does not know of it.");
        }
    }

    private ValueTask<T> Take<T>(bool isWrite, Func<T> perform)
        where T : notnull
    {
        var done = new TaskCompletionSource<T>();
        Held.Add(new Call(this, isWrite, () => perform(), result => done.SetResult((T)result), done.SetException));
        return new(done.Task);
    }

    /// <summary>One read or write.</summary>
    internal sealed class Call(HeldStore store, bool isWrite, Func<object> perform, Action<object> answer, Action<Exception> fail)
    {
        private object? _result;

        public bool IsWrite => isWrite;

        public bool MayLandYet => isWrite && _result is null;

        /// <summary>It happens; its answer is still on the way.</summary>
        public void Land() => _result ??= perform();

        public void Answer()
        {
            Land();
            store.Held.Remove(this);
            answer(_result!);
        }

        /// <summary>The caller hears nothing, whether it has happened, may happen yet or never does.</summary>
        public void Fail(bool mayLandYet)
        {
            if (mayLandYet && MayLandYet) store._strays.Add(this);
            store.Held.Remove(this);
            fail(new IOException("no answer"));
        }
    }
}
