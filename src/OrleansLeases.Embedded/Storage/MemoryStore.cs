using System.Collections.Concurrent;
using OrleansLeases.Core;

namespace OrleansLeases.Embedded;

/// <summary>Records that last as long as the process.</summary>
internal sealed class MemoryStore : IEmbeddedStore
{
    private readonly ConcurrentDictionary<string, LeaseState> _records = new(StringComparer.Ordinal);

    public bool Durable => false;

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

    public IEnumerable<(string Resource, LeaseState State)> ReadFrom(string from) =>
        _records
            .Where(record => Utf8Order.Instance.Compare(record.Key, from) >= 0)
            .OrderBy(record => record.Key, Utf8Order.Instance)
            .Select(record => (record.Key, record.Value));

    public IReadOnlyList<DueRecord> DueAfter(DueRecord? last, TimeSpan until, int limit) => [];

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
