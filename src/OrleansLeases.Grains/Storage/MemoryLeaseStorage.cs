using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>Records that last as long as the one silo they are in: for development and tests.</summary>
internal sealed class MemoryLeaseStorage : ILeaseStorage, IGrainStorage
{
    private readonly ConcurrentDictionary<string, Stored> _records = new(StringComparer.Ordinal);

    public bool Durable => false;

    public int Epoch => 0;

    public string? Trouble => null;

    public IGrainStorage Grains => this;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public bool SurelyNotWritten(Exception error) => false;

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (_records.TryGetValue(NameOf(grainId), out var stored))
        {
            grainState.State = (T)(object)stored.Record;
            grainState.ETag = stored.Version.ToString(CultureInfo.InvariantCulture);
            grainState.RecordExists = true;
        }

        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var record = (LeaseRecord)(object)grainState.State!;
        var next = new Stored(record, grainState.ETag is null ? 1 : long.Parse(grainState.ETag, CultureInfo.InvariantCulture) + 1);
        var name = NameOf(grainId);
        var written = next.Version == 1
            ? _records.TryAdd(name, next)
            : _records.TryGetValue(name, out var current) && current.Version == next.Version - 1 && _records.TryUpdate(name, next, current);
        if (!written) throw new InconsistentStateException($"'{name}' has changed since it was read.");
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
        foreach (var (name, stored) in _records.Where(record => Utf8Order.Instance.Compare(record.Key, from) >= 0).OrderBy(record => record.Key, Utf8Order.Instance))
            yield return (name, stored.Record.Lease);
    }

    public Task<IReadOnlyList<DueRecord>> DueAfterAsync(int shard, int shards, DueRecord? last, TimeSpan until, int limit)
    {
        IEnumerable<DueRecord> due =
            from record in _records
            where (uint)string.GetHashCode(record.Key, StringComparison.Ordinal) % shards == shard
            let at = LeaseMachine.DueWall(record.Value.Record.Lease)
            where at <= until && (last is null || at > last.Due || (at == last.Due && Utf8Order.Instance.Compare(record.Key, last.Resource) > 0))
            orderby at
            select new DueRecord(record.Key, at.Value);
        return Task.FromResult<IReadOnlyList<DueRecord>>([.. due.Take(limit)]);
    }

    private static string NameOf(GrainId grain) => LeaseGrainKey.ResourceOf(grain.Key.ToString()!);

    private sealed record Stored(LeaseRecord Record, long Version);
}
