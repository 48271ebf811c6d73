using Microsoft.Data.Sqlite;
using OrleansLeases.Storage;

namespace OrleansLeases.Embedded;

/// <summary>The statements that write one kind of record.</summary>
internal sealed class RecordTable : IDisposable
{
    private readonly Statement _insert;
    private readonly Statement _update;
    private readonly Statement _updateHeld;
    private readonly Statement? _updateIdle;
    private readonly Statement? _block;
    private readonly Statement? _drop;
    private readonly Statement? _dropBlocks;
    private readonly bool _hasDue;

    /// <param name="connection">The writer's connection.</param>
    /// <param name="table">The table.</param>
    /// <param name="name">Its column of names.</param>
    /// <param name="hasDue">Whether it has a column of what is due.</param>
    /// <param name="isDropped">Whether its records are dropped some time; then they have logs as well.</param>
    public RecordTable(SqliteConnection connection, string table, string name, bool hasDue, bool isDropped)
    {
        _hasDue = hasDue;
        var (dueColumn, due, setDue) = hasDue ? (", due", ", ?4", ", due = ?4") : ("", "", "");
        var (idleColumn, idle) = isDropped ? (", idle", ", ?6") : ("", "");
        const string Compared = "version = ?3";
        _insert = new Statement(
            connection,
            $"INSERT INTO {table} ({name}, version, state, held{dueColumn}{idleColumn}) VALUES (?1, ?3, ?2, ?5{due}{idle}) "
                + "ON CONFLICT DO NOTHING");
        _update = new Statement(
            connection, $"UPDATE {table} SET version = version + 1, state = ?2{setDue} WHERE {name} = ?1 AND {Compared}");
        _updateHeld = new Statement(
            connection, $"UPDATE {table} SET version = version + 1, state = ?2{setDue}, held = ?5 WHERE {name} = ?1 AND {Compared}");
        if (!isDropped) return;
        _updateIdle = new Statement(
            connection,
            $"UPDATE {table} SET version = version + 1, state = ?2{setDue}, held = ?5, idle = ?6 WHERE {name} = ?1 AND {Compared}");
        _block = new Statement(connection, $"INSERT OR REPLACE INTO {table}_log ({name}, slot, entries) VALUES (?1, ?2, ?3)");
        _drop = new Statement(connection, $"DELETE FROM {table} WHERE {name} = ?1 AND {Compared}");
        _dropBlocks = new Statement(connection, $"DELETE FROM {table}_log WHERE {name} = ?1");
    }

    public SaveOutcome Save(PendingSave save)
    {
        var write = save.Version == 0 ? _insert : !save.SameIdle ? _updateIdle! : save.SameHeld ? _update : _updateHeld;
        write.Bind(1, save.Name).Bind(2, save.State).Bind(3, save.Version == 0 ? save.FirstVersion : save.Version);
        if (_hasDue) write.Bind(4, save.Due);
        if (write != _update) write.Bind(5, save.Held ? 1L : 0L);
        if (write == _updateIdle || (write == _insert && _updateIdle is not null)) write.Bind(6, save.Idle);
        if (write.Run() == 0) return SaveOutcome.Conflict;
        foreach (var (slot, entries) in save.Blocks) _block!.Bind(1, save.Name).Bind(2, slot).Bind(3, entries.Span).Run();
        return SaveOutcome.Saved;
    }

    /// <summary>Drops a record and the blocks of its log.</summary>
    /// <returns>Whether it was there in that version.</returns>
    public bool Drop(PendingSave drop)
    {
        if (_drop!.Bind(1, drop.Name).Bind(3, drop.Version).Run() == 0) return false;
        _dropBlocks!.Bind(1, drop.Name).Run();
        return true;
    }

    public void Dispose()
    {
        foreach (var statement in new[] { _insert, _update, _updateHeld, _updateIdle, _block, _drop, _dropBlocks }) statement?.Dispose();
    }
}
