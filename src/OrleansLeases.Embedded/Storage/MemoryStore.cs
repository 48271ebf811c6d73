using System.Collections.Concurrent;
using OrleansLeases.Core;

namespace OrleansLeases.Embedded;

/// <summary>Records that last as long as the process.</summary>
internal sealed class MemoryStore : IEmbeddedStore
{
    private readonly ConcurrentDictionary<string, LeaseState> _records = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, KeyState> _keys = new(StringComparer.Ordinal);

    public bool Durable => false;

    public Task<string> Lost { get; } = new TaskCompletionSource<string>().Task;

    public int Epoch => 0;

    public ValueTask<LeaseState> LoadAsync(string resource) =>
        ValueTask.FromResult(_records.TryGetValue(resource, out var state) ? state : LeaseState.Unused);

    public ValueTask<SaveOutcome> SaveAsync(string resource, LeaseState previous, LeaseState next, bool background)
    {
        var saved = previous.Version == 0
            ? _records.TryAdd(resource, next)
            : _records.TryGetValue(resource, out var current) && current.Version == previous.Version && _records.TryUpdate(resource, next, current);
        return ValueTask.FromResult(saved ? SaveOutcome.Saved : SaveOutcome.Conflict);
    }

    public ValueTask<KeyState> LoadKeyAsync(string key) =>
        ValueTask.FromResult(_keys.TryGetValue(key, out var state) ? state : KeyState.Unused);

    public ValueTask<SaveOutcome> SaveKeyAsync(string key, KeyState previous, KeyState next, bool background)
    {
        var saved = previous.Version == 0
            ? _keys.TryAdd(key, next)
            : _keys.TryGetValue(key, out var current) && current.Version == previous.Version && _keys.TryUpdate(key, next, current);
        return ValueTask.FromResult(saved ? SaveOutcome.Saved : SaveOutcome.Conflict);
    }

    public IEnumerable<(string Resource, LeaseState State)> ReadFrom(string from) => InOrder(_records, from);

    public IEnumerable<(string Key, KeyState State)> ReadKeysFrom(string from) => InOrder(_keys, from);

    public IReadOnlyList<DueRecord> DueAfter(DueRecord? last, TimeSpan until, int limit) => [];

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static IEnumerable<(string Name, T State)> InOrder<T>(ConcurrentDictionary<string, T> records, string from) => records
        .Where(record => Utf8Order.Instance.Compare(record.Key, from) >= 0)
        .OrderBy(record => record.Key, Utf8Order.Instance)
        .Select(record => (record.Key, record.Value));
}
