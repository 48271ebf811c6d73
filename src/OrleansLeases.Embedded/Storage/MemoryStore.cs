using System.Collections.Concurrent;
using OrleansLeases.Core;

namespace OrleansLeases.Embedded;

/// <summary>Records that last as long as the process.</summary>
internal sealed class MemoryStore : IEmbeddedStore
{
    private readonly ConcurrentDictionary<string, LeaseState> _records = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, KeyState> _keys = new(StringComparer.Ordinal);
    private readonly NameIndex _names = new();
    private readonly NameIndex _held = new();
    private readonly NameIndex _heldKeys = new();

    public bool Durable => false;

    public Task<string> Lost { get; } = new TaskCompletionSource<string>().Task;

    public int Epoch => 0;

    public string? Trouble => null;

    ValueTask<LeaseState> IRecordStore<LeaseState>.LoadAsync(string resource) =>
        ValueTask.FromResult(_records.TryGetValue(resource, out var state) ? state : LeaseState.Unused);

    public ValueTask<SaveOutcome> SaveAsync(string resource, LeaseState previous, LeaseState next, bool background)
    {
        var saved = previous.Version == 0
            ? _records.TryAdd(resource, next)
            : _records.TryGetValue(resource, out var current) && current.Version == previous.Version && _records.TryUpdate(resource, next, current);
        // A record has one save at a time, so nobody is between the two.
        if (saved && previous.Version == 0) _names.Set(resource, present: true);
        if (saved && previous.Holders.IsEmpty != next.Holders.IsEmpty) _held.Set(resource, present: !next.Holders.IsEmpty);
        return ValueTask.FromResult(saved ? SaveOutcome.Saved : SaveOutcome.Conflict);
    }

    ValueTask<KeyState> IRecordStore<KeyState>.LoadAsync(string key) =>
        ValueTask.FromResult(_keys.TryGetValue(key, out var state) ? state : KeyState.Unused);

    public ValueTask<SaveOutcome> SaveAsync(string key, KeyState previous, KeyState next, bool background)
    {
        var saved = previous.Version == 0
            ? _keys.TryAdd(key, next)
            : _keys.TryGetValue(key, out var current) && current.Version == previous.Version && _keys.TryUpdate(key, next, current);
        if (saved && previous.Value is null != next.Value is null) _heldKeys.Set(key, present: next.Value is not null);
        return ValueTask.FromResult(saved ? SaveOutcome.Saved : SaveOutcome.Conflict);
    }

    public IEnumerable<(string Resource, LeaseState State)> ReadFrom(string from, bool held) =>
        (held ? _held : _names).From(from).Select(name => (name, _records[name]));

    public IEnumerable<(string Key, KeyState State)> ReadKeysFrom(string from) => _heldKeys.From(from).Select(name => (name, _keys[name]));

    public IReadOnlyList<DueRecord> DueAfter(DueRecord? last, TimeSpan until, int limit) => [];

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
