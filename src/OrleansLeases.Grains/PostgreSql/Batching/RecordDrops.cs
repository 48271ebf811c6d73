using Npgsql;
using NpgsqlTypes;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>Drops rows in batches, and knows the floors that they leave. Rows of either way are dropped so. Thread-safe.</summary>
internal sealed class RecordDrops
{
    // One at a time: nobody waits for it.
    private const int BatchesAtOnce = 1;
    private const int MaxDrops = 100;
    private const NpgsqlDbType Texts = NpgsqlDbType.Array | NpgsqlDbType.Text;

    private readonly FloorTable _floors = new();
    private readonly NpgsqlDataSource _database;
    private readonly string _serviceId;
    private readonly Batcher<PendingDrop> _drops;

    public RecordDrops(NpgsqlDataSource database, string serviceId)
    {
        (_database, _serviceId) = (database, serviceId);
        _drops = new(BatchesAtOnce, MaxDrops, keysApart: true, DropAsync);
    }

    /// <summary>The floor of a name's shard, so far as it is known here.</summary>
    public RecordFloor FloorOf(RecordKind kind, string name) => _floors.Of(kind, name);

    /// <summary>Drops a record.</summary>
    /// <returns>Whether it was there, in that version and under that epoch.</returns>
    public Task<bool> DropAsync(int epoch, StoredRecord record)
    {
        var drop = new PendingDrop(epoch, record);
        _drops.Add(drop, background: true);
        return drop.Task;
    }

    /// <summary>Reads the floors of all shards, or of a name's alone.</summary>
    public async Task ReadFloorsAsync(CancellationToken cancellationToken, string? name = null)
    {
        await using var command = _database.CreateCommand(
            "select kind, shard, token, sequence from lease_floor where service_id = $1 and ($2 is null or shard = $2)");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _serviceId });
        command.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = name is null ? null : RecordFloor.ShardOf(name) });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            _floors.Raise(RowKind.KindOf(reader.GetString(0)), reader.GetInt32(1), new(reader.GetInt64(2), reader.GetInt64(3)));
    }

    private async Task DropAsync(List<PendingDrop> batch)
    {
        // In the order of their keys at every silo.
        PendingDrop[] drops = [.. batch.OrderBy(drop => drop.Key.Kind).ThenBy(drop => drop.Key.Name, StringComparer.Ordinal)];
        await using var command = _database.CreateCommand("select kind, name from drop_lease_records($1, $2, $3, $4, $5, $6, $7, $8)");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _serviceId });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = drops[0].Epoch });
        command.Parameters.Add(new NpgsqlParameter<string[]>
        {
            TypedValue = [.. drops.Select(drop => RowKind.Of(drop.Key.Kind))], NpgsqlDbType = Texts,
        });
        command.Parameters.Add(new NpgsqlParameter<string[]>
        {
            TypedValue = [.. drops.Select(drop => drop.Key.Name)], NpgsqlDbType = Texts,
        });
        command.Parameters.Add(new NpgsqlParameter<int?[]> { TypedValue = [.. drops.Select(drop => drop.Expected)] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. drops.Select(drop => drop.Shard)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. drops.Select(drop => drop.Leaves.Token)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. drops.Select(drop => drop.Leaves.Sequence)] });
        var dropped = new HashSet<(RecordKind, string)>();
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync()) dropped.Add((RowKind.KindOf(reader.GetString(0)), reader.GetString(1)));
            // The rows come before the commit, and what comes after them may be that it failed.
            await reader.NextResultAsync();
        }

        foreach (var drop in batch)
        {
            if (dropped.Contains(drop.Key)) _floors.Raise(drop.Key.Kind, drop.Shard, drop.Leaves);
            drop.TrySetResult(dropped.Contains(drop.Key));
        }
    }

    private sealed class PendingDrop(int epoch, StoredRecord record) : TaskCompletionSource<bool>, IBatchItem
    {
        public (RecordKind Kind, string Name) Key { get; } = (record.Kind, record.Name);

        public int Epoch => epoch;

        public int? Expected { get; } = StoredRow.VersionOf(record.Tag);

        public int Shard { get; } = RecordFloor.ShardOf(record.Name);

        public RecordFloor Leaves { get; } = record.FloorAfter;
    }
}
