using Npgsql;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>
/// Rows in batches: what the grains of a silo load and save at the same time goes to the database in one statement, and is durable by
/// one commit. Decision rows-go-in-batches.
/// </summary>
internal sealed class BatchedRows : IRecordRows, IAsyncDisposable
{
    // Two: while one is at the database, what its callers make of the other gathers. With more the batches are smaller, and cost more.
    private const int BatchesAtOnce = 2;
    private const int MaxSaves = 500;

    // Of long logs, a record with its older blocks has some 100 KiB.
    private const int MaxLoads = 100;

    private readonly RecordStatements _statements;
    private readonly Batcher<PendingLoad> _loads;
    private readonly Batcher<PendingSave> _saves;

    public BatchedRows(NpgsqlDataSource database, string serviceId, StoreMetrics? metrics = null)
    {
        _statements = new(database, serviceId, metrics);
        _loads = new(BatchesAtOnce, MaxLoads, keysApart: false, _statements.LoadAsync);
        _saves = new(BatchesAtOnce, MaxSaves, keysApart: true, _statements.SaveAsync);
    }

    public bool CanAddOrLoad => true;

    public async Task<LoadedRecord?> LoadAsync(RecordKind kind, string name)
    {
        var load = new PendingLoad(kind, name);
        _loads.Add(load);
        return await load.Task is var (epoch, row) ? new(epoch, row.Read(kind, name)) : null;
    }

    public async Task<bool> SaveAsync(int epoch, StoredRecord previous, StoredRecord next, bool background) =>
        (await WriteAsync(epoch, previous, next, background)).Version is not null;

    public async Task<(bool Saved, StoredRecord? Found)> AddOrLoadAsync(int epoch, StoredRecord first, bool background)
    {
        var (version, found) = await WriteAsync(epoch, StoredRecord.None(first.Kind, first.Name), first, background);
        if (version is not null) return (true, null);
        try
        {
            return (false, found?.Read(first.Kind, first.Name));
        }
        catch (InvalidDataException)
        {
            return default;
        }
    }

    public ValueTask DisposeAsync() => _statements.DisposeAsync();

    private async Task<SavedRow> WriteAsync(int epoch, StoredRecord previous, StoredRecord next, bool background)
    {
        var save = new PendingSave(epoch, previous, next);
        _saves.Add(save, background);
        var saved = await save.Task;
        if (saved.Version is { } version) next.Tag = StoredRow.TagOf(version);
        return saved;
    }
}
