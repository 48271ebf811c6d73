using Npgsql;
using NpgsqlTypes;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>The two statements that load and save a batch of records.</summary>
internal sealed class RecordStatements(NpgsqlDataSource database, string serviceId, StoreMetrics? metrics) : IAsyncDisposable
{
    private const NpgsqlDbType Texts = NpgsqlDbType.Array | NpgsqlDbType.Text;

    private readonly KeptConnections _connections = new(database);

    public Task LoadAsync(List<PendingLoad> batch) => _connections.UseAsync(connection => LoadAsync(batch, connection));

    public Task SaveAsync(List<PendingSave> batch) => _connections.UseAsync(connection => SaveAsync(batch, connection));

    public ValueTask DisposeAsync() => _connections.DisposeAsync();

    private async Task LoadAsync(List<PendingLoad> batch, NpgsqlConnection connection)
    {
        metrics?.Batched(StoreMetrics.Load, batch.Count);
        using var span = LeaseTracing.StartTogether("leases.store.batch", batch, static load => load.Caller);
        await using var command =
            new NpgsqlCommand("select place, epoch, version, payload, older from load_lease_records($1, $2, $3)", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = serviceId });
        Add(command, [.. batch.Select(load => RowKind.Of(load.Key.Kind))]);
        Add(command, [.. batch.Select(load => load.Key.Name)]);
        var found = new (int Epoch, StoredRow Row)?[batch.Count];
        await using (var reader = await command.ExecuteReaderAsync())
            while (await reader.ReadAsync()) found[reader.GetInt32(0) - 1] = (reader.GetInt32(1), await RowOfAsync(reader, 2));
        for (var i = 0; i < batch.Count; i++) batch[i].TrySetResult(found[i]);
    }

    private async Task SaveAsync(List<PendingSave> batch, NpgsqlConnection connection)
    {
        metrics?.Batched(StoreMetrics.Save, batch.Count);
        using var span = LeaseTracing.StartTogether("leases.store.batch", batch, static save => save.Caller);
        await using var command = CommandOf(batch, connection);
        var answers = new Dictionary<(RecordKind, string), SavedRow>(batch.Count);
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                answers[(RowKind.KindOf(reader.GetString(0)), reader.GetString(1))] =
                    reader.IsDBNull(3) ? new(reader.GetInt32(2)) : new(null, await RowOfAsync(reader, 2));
            }

            // The rows come before the commit, and what comes after them may be that it failed.
            await reader.NextResultAsync();
        }

        foreach (var save in batch) save.TrySetResult(answers.GetValueOrDefault(save.Key));
    }

    private NpgsqlCommand CommandOf(List<PendingSave> batch, NpgsqlConnection connection)
    {
        // In the order of their keys at every silo.
        PendingSave[] saves = [.. batch.OrderBy(save => save.Key.Kind).ThenBy(save => save.Key.Name, StringComparer.Ordinal)];
        (PendingSave Of, LogBlock Block)[] finished = [.. saves.SelectMany(save => save.Finished, (save, block) => (save, block))];
        var command = new NpgsqlCommand(
            """
            select kind, name, version, payload, older
            from store_lease_records($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
            """,
            connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = serviceId });
        // A store has one epoch for as long as it lives.
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = saves[0].Epoch });
        Add(command, [.. saves.Select(save => RowKind.Of(save.Key.Kind))]);
        Add(command, [.. saves.Select(save => save.Key.Name)]);
        command.Parameters.Add(new NpgsqlParameter<int?[]> { TypedValue = [.. saves.Select(save => save.Expected)] });
        command.Parameters.Add(new NpgsqlParameter<long?[]> { TypedValue = [.. saves.Select(save => save.Due)] });
        command.Parameters.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. saves.Select(save => save.IsHeld)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. saves.Select(save => save.Block)] });
        Add(command, [.. saves.Select(save => save.Payload)]);
        Add(command, [.. finished.Select(item => RowKind.Of(item.Of.Key.Kind))]);
        Add(command, [.. finished.Select(item => item.Of.Key.Name)]);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. finished.Select(item => item.Block.Number)] });
        Add(command, [.. finished.Select(item => item.Block.Entries.ToArray())]);
        command.Parameters.Add(new NpgsqlParameter<long?[]> { TypedValue = [.. saves.Select(save => save.IdleSince)] });
        AddFirsts(command, saves);
        return command;
    }

    private static void AddFirsts(NpgsqlCommand command, PendingSave[] saves)
    {
        if (!Array.Exists(saves, save => save.IsFirst)) saves = [];
        command.Parameters.Add(new NpgsqlParameter<int?[]> { TypedValue = OfFirsts(saves, static save => save.First) });
        command.Parameters.Add(new NpgsqlParameter<int?[]>
        {
            TypedValue = OfFirsts(saves, static save => RecordFloor.ShardOf(save.Key.Name)),
        });
        command.Parameters.Add(new NpgsqlParameter<long?[]> { TypedValue = OfFirsts(saves, static save => save.Floor.Token) });
        command.Parameters.Add(new NpgsqlParameter<long?[]> { TypedValue = OfFirsts(saves, static save => save.Floor.Sequence) });

        static T?[] OfFirsts<T>(PendingSave[] saves, Func<PendingSave, T> value)
            where T : struct => Array.ConvertAll(saves, save => save.IsFirst ? value(save) : (T?)null);
    }

    // The record is UTF-8 already, as is what the database keeps.
    private static void Add<T>(NpgsqlCommand command, T[] texts) =>
        command.Parameters.Add(new NpgsqlParameter<T[]> { TypedValue = texts, NpgsqlDbType = Texts });

    private static async Task<StoredRow> RowOfAsync(NpgsqlDataReader reader, int first) => new(
        reader.GetInt32(first),
        await reader.GetFieldValueAsync<byte[]>(first + 1),
        await reader.IsDBNullAsync(first + 2) ? null : await reader.GetFieldValueAsync<byte[]>(first + 2));
}
