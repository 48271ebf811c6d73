using Microsoft.Data.Sqlite;
using OrleansLeases.Core;
using OrleansLeases.Storage;
using SQLitePCL;

namespace OrleansLeases.Embedded;

/// <summary>The writer's connection with its statements, dropped as a whole after a fault.</summary>
internal sealed class WriterSession : IDisposable
{
    // Free pages up to these stay in the file, for what comes next.
    private const long LeastFreePages = 128;
    private const long FreePart = 32;

    private readonly SqliteConnection _connection;
    private readonly FloorTable _floors;
    private readonly Statement _state;
    private readonly Statement _count;
    private readonly Statement _countRecords;
    private readonly Statement _raise;
    private readonly Statement _pages;
    private readonly Statement _freePages;
    private readonly RecordTable _leases;
    private readonly RecordTable _keys;
    private readonly RecordTable _service;

    // In this transaction, less those that were dropped.
    private long _made;

    public WriterSession(string file, int? maxPages, FloorTable floors)
    {
        _floors = floors;
        _connection = LeaseDatabase.Open(file);
        try
        {
            LeaseDatabase.Settle(_connection);
        }
        catch (SqliteException)
        {
            _connection.Dispose();
            throw;
        }

        if (maxPages is { } pages) LeaseDatabase.Execute(_connection, $"PRAGMA max_page_count = {pages}");
        Begin = new Statement(_connection, "BEGIN IMMEDIATE");
        Commit = new Statement(_connection, "COMMIT");
        Rollback = new Statement(_connection, "ROLLBACK");
        Fill = new Statement(_connection, "INSERT INTO trial (block) VALUES (zeroblob(65536))");
        Empty = new Statement(_connection, "DELETE FROM trial");
        _state = new Statement(_connection, "SELECT value FROM meta WHERE name IN ('change', 'epoch') ORDER BY name");
        _count = new Statement(_connection, "UPDATE meta SET value = ?1 WHERE name = 'change'");
        _countRecords = new Statement(_connection, "UPDATE meta SET value = value + ?1 WHERE name = 'records'");
        _raise = new Statement(
            _connection,
            """
            INSERT INTO floor (kind, shard, token, sequence) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET token = max(token, excluded.token), sequence = max(sequence, excluded.sequence)
            WHERE token < excluded.token OR sequence < excluded.sequence
            """);
        _pages = new Statement(_connection, "PRAGMA page_count");
        _freePages = new Statement(_connection, "PRAGMA freelist_count");
        _leases = new RecordTable(_connection, "lease", "resource", hasDue: true, isDropped: true);
        _keys = new RecordTable(_connection, "keys", "name", hasDue: true, isDropped: true);
        _service = new RecordTable(_connection, "service", "name", hasDue: false, isDropped: false);
    }

    public Statement Begin { get; }

    public Statement Commit { get; }

    public Statement Rollback { get; }

    public Statement Fill { get; }

    public Statement Empty { get; }

    public bool InTransaction => raw.sqlite3_get_autocommit(_connection.Handle) == 0;

    public (long Epoch, long Change) ReadState()
    {
        // Read as the transaction begins.
        _made = 0;
        var change = _state.Next() ? _state.Int64(0) : -1;
        var epoch = _state.Next() ? _state.Int64(0) : -1;
        _state.Reset();
        return (epoch, change);
    }

    /// <summary>Numbers the change, so that a loss can be noticed when the folder is opened; and counts the records.</summary>
    public void Count(long change)
    {
        _count.Bind(1, change).Run();
        if (_made != 0) _countRecords.Bind(1, _made).Run();
    }

    public SaveOutcome Save(PendingSave save)
    {
        var table = save.Kind switch
        {
            RecordKind.Lease => _leases,
            RecordKind.Key => _keys,
            _ => _service,
        };
        if (save.Drops) return Drop(table, save);
        // It was made above a floor that has risen since: its own name may have been dropped meanwhile.
        if (save.Version == 0 && !save.Floor.Covers(_floors.Of(save.Kind, save.Name))) return SaveOutcome.Conflict;
        var outcome = table.Save(save);
        if (outcome == SaveOutcome.Saved && save.Version == 0 && save.Kind != RecordKind.Service) _made++;
        return outcome;
    }

    /// <summary>Gives pages back to the file system, a few for each record that was dropped.</summary>
    public void GiveBack(int dropped)
    {
        var free = Number(_freePages);
        var tooMany = free - LeastFreePages - (Number(_pages) / FreePart);
        if (tooMany <= 0) return;
        using var vacuum = new Statement(_connection, $"PRAGMA incremental_vacuum({Math.Min(tooMany, (4 * dropped) + 16)})");
        while (vacuum.Next())
        {
        }
    }

    public void Dispose()
    {
        foreach (var statement in new[] { Begin, Commit, Rollback, Fill, Empty, _state, _count, _countRecords, _raise, _pages, _freePages })
            statement.Dispose();
        _leases.Dispose();
        _keys.Dispose();
        _service.Dispose();
        _connection.Dispose();
    }

    private SaveOutcome Drop(RecordTable table, PendingSave save)
    {
        if (!table.Drop(save)) return SaveOutcome.Conflict;
        _made--;
        var (shard, floor) = (RecordFloor.ShardOf(save.Name), save.FloorAfter);
        // Written though it may seem to be that high: what is known here may be of a transaction that was rolled back.
        _raise.Bind(1, (long)save.Kind).Bind(2, shard).Bind(3, floor.Token).Bind(4, floor.Sequence).Run();
        // Before the commit, and for those behind it in the batch: a floor that is taken for higher than it is does no harm.
        _floors.Raise(save.Kind, shard, floor);
        return SaveOutcome.Saved;
    }

    private static long Number(Statement pragma)
    {
        var number = pragma.Next() ? pragma.Int64(0) : 0;
        pragma.Reset();
        return number;
    }
}
