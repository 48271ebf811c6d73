using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>Records that last as long as the process they are in, and as its silos of one cluster: for development and tests.</summary>
internal sealed class MemoryLeaseStorage : ILeaseStorage, IGrainStorage
{
    // By the grain's key: its prefix tells the kinds apart.
    private readonly ConcurrentDictionary<string, Stored> _records = new(StringComparer.Ordinal);

    public bool Durable => false;

    public int Epoch => 0;

    public string? Trouble => null;

    public string? Away => null;

    public string? Blind => null;

    public IGrainStorage Grains => this;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public bool SurelyNotWritten(Exception error) => false;

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (_records.TryGetValue(grainId.Key.ToString()!, out var stored))
        {
            grainState.State = (T)(object)stored.Record;
            grainState.ETag = stored.Version.ToString(CultureInfo.InvariantCulture);
            grainState.RecordExists = true;
        }

        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var next = new Stored((GrainRecord)(object)grainState.State!, grainState.ETag is null ? 1 : long.Parse(grainState.ETag, CultureInfo.InvariantCulture) + 1);
        var key = grainId.Key.ToString()!;
        var written = next.Version == 1
            ? _records.TryAdd(key, next)
            : _records.TryGetValue(key, out var current) && current.Version == next.Version - 1 && _records.TryUpdate(key, next, current);
        if (!written) throw new InconsistentStateException($"'{key}' has changed since it was read.");
        grainState.ETag = next.Version.ToString(CultureInfo.InvariantCulture);
        grainState.RecordExists = true;
        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        throw new NotSupportedException("A cleared record would forget its token counter.");

    public async IAsyncEnumerable<(string Resource, LeaseState State)> ReadFromAsync(
        string from, LeaseFilter state, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var (resource, record) in InOrder<LeaseRecord>(LeaseGrainKey.ResourceOf, from, record => state != LeaseFilter.Held || !record.Lease.Holders.IsEmpty))
            yield return (resource, record.Lease);
    }

    public async IAsyncEnumerable<(string Key, KeyState State)> ReadKeysFromAsync(string from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var (key, record) in InOrder<KeyRecord>(KeyGrainKey.NameOf, from, record => record.Key.Value is not null)) yield return (key, record.Key);
    }

    public Task<IReadOnlyList<DueRecord>> DueAfterAsync(int shard, int shards, DueRecord? last, TimeSpan until, int limit)
    {
        IEnumerable<DueRecord> due =
            from record in Of<LeaseRecord>(LeaseGrainKey.ResourceOf)
            where (uint)string.GetHashCode(record.Name, StringComparison.Ordinal) % shards == shard
            let at = LeaseMachine.DueWall(record.Record.Lease)
            where at <= until && (last is null || at > last.Due || (at == last.Due && Utf8Order.Instance.Compare(record.Name, last.Resource) > 0))
            orderby at
            select new DueRecord(record.Name, at.Value);
        return Task.FromResult<IReadOnlyList<DueRecord>>([.. due.Take(limit)]);
    }

    private IEnumerable<(string Name, T Record)> InOrder<T>(Func<string, string> nameOf, string from, Func<T, bool> matches) => Of<T>(nameOf)
        .Where(record => matches(record.Record) && Utf8Order.Instance.Compare(record.Name, from) >= 0)
        .OrderBy(record => record.Name, Utf8Order.Instance);

    private IEnumerable<(string Name, T Record)> Of<T>(Func<string, string> nameOf)
    {
        foreach (var (key, stored) in _records)
            if (stored.Record is T record) yield return (nameOf(key), record);
    }

    private sealed record Stored(GrainRecord Record, long Version);
}
