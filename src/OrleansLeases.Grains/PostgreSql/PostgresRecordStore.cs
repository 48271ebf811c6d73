using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans.Configuration;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>
/// Records on PostgreSQL. How their rows are read and written is one of two ways; listings and sweeps ask the same table.
/// </summary>
internal sealed partial class PostgresRecordStore : IRecordStore, IAsyncDisposable
{
    private const int PageSize = 500;

    // Under stricter isolation writes of other rows undo this one, again and again where many write at once.
    private const int MostUndone = 10;

    // Of keys fewer: each may have 64 KiB.
    private const int KeyPageSize = 50;

    private readonly CancellationTokenSource _stop = new();
    private readonly IRecordRows _rows;
    private readonly RecordDrops _drops;
    private readonly NpgsqlDataSource _database;
    private readonly ILogger<PostgresRecordStore> _logger;
    private readonly string _serviceId;
    private readonly DatabaseWatch _watch;

    public PostgresRecordStore(
        IRecordRows rows, LeaseDatabase database, IOptions<LeaseSiloOptions> options, IOptions<ClusterOptions> cluster, TimeProvider time,
        LeaseClock clock, ILogger<PostgresRecordStore> logger)
    {
        _rows = rows;
        _database = database.Source;
        _serviceId = cluster.Value.ServiceId;
        _drops = new(_database, _serviceId);
        _logger = logger;
        _watch = new(new WatchedPostgres(_database), options.Value.ClockSkew, time, clock, logger);
    }

    public bool IsDurable => true;

    public int Epoch => _watch.Epoch;

    public StorageTrouble? Trouble => _watch.Trouble;

    /// <summary>How far the silo's clock is ahead of the database's, by the last look; null before the first.</summary>
    public TimeSpan? ClockOffset => _watch.ClockOffset;

    public bool CanAddOrLoad => _rows.CanAddOrLoad;

    public bool CanDrop => true;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _watch.StartAsync(cancellationToken);
        await _drops.ReadFloorsAsync(cancellationToken);
    }

    public async ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name) =>
        await _rows.LoadAsync(kind, name) is { } loaded ? Checked(loaded) : StoredRecord.None(kind, name);

    public async ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background)
    {
        for (var undone = 0; ; undone++)
        {
            try
            {
                if (await _rows.SaveAsync(Epoch, previous, next, background)) return SaveOutcome.Saved;
                if (previous.Version == 0) await LearnFloorAsync(next.Name);
                return SaveOutcome.Conflict;
            }
            catch (Exception error) when (undone < MostUndone && DatabaseErrors.WasUndone(error))
            {
                // It was not written, and says nothing of this row's version.
            }
            catch (Exception error) when (OutcomeOf(error) is not SaveOutcome.Unknown)
            {
                return OutcomeOf(error);
            }
        }
    }

    public async ValueTask<AddOrLoad> AddOrLoadAsync(StoredRecord first, bool background)
    {
        for (var undone = 0; ; undone++)
        {
            try
            {
                var (saved, found) = await _rows.AddOrLoadAsync(Epoch, first, background);
                if (!saved && found is null) await LearnFloorAsync(first.Name);
                return saved ? new(SaveOutcome.Saved) : new(SaveOutcome.Conflict, found);
            }
            catch (Exception error) when (undone < MostUndone && DatabaseErrors.WasUndone(error))
            {
                // As a save.
            }
            catch (Exception error) when (OutcomeOf(error) is not SaveOutcome.Unknown)
            {
                return new(OutcomeOf(error));
            }
        }
    }

    public RecordFloor FloorOf(RecordKind kind, string name) => _drops.FloorOf(kind, name);

    public async ValueTask<SaveOutcome> DropAsync(StoredRecord record)
    {
        for (var undone = 0; ; undone++)
        {
            try
            {
                return await _drops.DropAsync(Epoch, record) ? SaveOutcome.Saved : SaveOutcome.Conflict;
            }
            catch (Exception error) when (undone < MostUndone && DatabaseErrors.WasUndone(error))
            {
                // As a save.
            }
            catch (Exception error) when (OutcomeOf(error) is not SaveOutcome.Unknown)
            {
                return OutcomeOf(error);
            }
        }
    }

    public ValueTask<IReadOnlyList<DueRecord>> IdleAsync(RecordKind kind, DueQuery query, CancellationToken cancellationToken) =>
        ReadAsync(kind, "idle", "idle is not null and not held and due is null", query, cancellationToken);

    public IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
        ReadAsync(kind, from, heldOnly, kind == RecordKind.Key ? KeyPageSize : PageSize, cancellationToken);

    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
        ReadAsync(query.Kind, "due", "due is not null", query, cancellationToken);

    private async ValueTask<IReadOnlyList<DueRecord>> ReadAsync(
        RecordKind kind, string time, string indexed, DueQuery query, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        await using var command = _database.CreateCommand(
            $"""
            select name, {time} from lease_record
            where service_id = $1 and kind = $2 and {indexed} and ({time}, name) > ($3, $4) and {time} <= $5
              and (hashtext(name) & 2147483647) % $6 = $7
            order by {time}, name limit $8
            """);
        command.Parameters.Add(new() { Value = _serviceId });
        command.Parameters.Add(new() { Value = RowKind.Of(kind) });
        command.Parameters.Add(new() { Value = query.After?.At ?? long.MinValue });
        command.Parameters.Add(new() { Value = query.After?.Name ?? "" });
        command.Parameters.Add(new() { Value = query.Until });
        command.Parameters.Add(new() { Value = query.Shards });
        command.Parameters.Add(new() { Value = query.Shard });
        command.Parameters.Add(new() { Value = query.Limit });
        var due = new List<DueRecord>();
        await using var reader = await command.ExecuteReaderAsync(either.Token);
        while (await reader.ReadAsync(either.Token)) due.Add(new(reader.GetString(0), reader.GetInt64(1)));
        return due;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watch.DisposeAsync();
        _stop.Dispose();
    }

    // A first record was not written: another is there, or the floor has risen since it was last known here.
    private async Task LearnFloorAsync(string name)
    {
        try
        {
            await _drops.ReadFloorsAsync(_stop.Token, name);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // Nothing was written all the same, and the next conflict asks again.
        }
    }

    // An error that leaves the outcome open goes on to the keeper, to which an exception means just that.
    private static SaveOutcome OutcomeOf(Exception error) =>
        DatabaseErrors.WasUndone(error) ? SaveOutcome.Conflict
        : DatabaseErrors.SurelyNotWritten(error) ? SaveOutcome.NotSaved
        : SaveOutcome.Unknown;

    private StoredRecord Checked(LoadedRecord loaded) => loaded.Epoch == Epoch
        ? loaded.Record
        : throw new StoreUnreadableException(_watch.OtherEpoch(loaded.Epoch));

    private async IAsyncEnumerable<StoredRecord> ReadAsync(
        RecordKind kind, string from, bool held, int portion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // In portions, so that a page that ends early has not read much more than it needs.
        string? after = null;
        var more = true;
        while (more)
        {
            await using var command = _database.CreateCommand(
                $"""
                select name, payload from lease_record
                where service_id = $1 and kind = $2 and name {(after is null ? ">=" : ">")} $3{(held ? " and held" : "")}
                order by name limit {portion}
                """);
            command.Parameters.Add(new() { Value = _serviceId });
            command.Parameters.Add(new() { Value = RowKind.Of(kind) });
            command.Parameters.Add(new() { Value = after ?? from });
            var read = new List<(string Name, string Payload)>(portion);
            await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
                while (await reader.ReadAsync(cancellationToken)) read.Add((reader.GetString(0), reader.GetString(1)));

            foreach (var (name, payload) in read)
            {
                after = name;
                if (TryRead(kind, name, payload, out var record)) yield return record;
            }

            more = read.Count == portion;
        }
    }
}
