using System.Diagnostics;
using Microsoft.Data.Sqlite;
using OrleansLeases.Core;
using OrleansLeases.Storage;
using SQLitePCL;

namespace OrleansLeases.Embedded;

/// <summary>One record to be stored if its version is still the expected one.</summary>
internal sealed class PendingSave(StoredRecord previous, StoredRecord next, (long Slot, ReadOnlyMemory<byte> Entries)[] blocks)
    // Not asynchronous: a keeper's next turn then joins the very next batch. Callers of keepers never run here.
    : TaskCompletionSource<SaveOutcome>
{
    // On the keeper's thread: the writer has enough to do.
    private readonly byte[] _state = next.Encode();

    public RecordKind Kind => next.Kind;

    public string Name => next.Name;

    public long Version => previous.Version;

    public bool Held => next.IsHeld;

    /// <summary>Whether it is held or not as before, and so stands in the index of what is held or not as before.</summary>
    public bool SameHeld => previous.IsHeld == next.IsHeld;

    public long? Due => next.Due;

    public byte[] State => _state;

    /// <summary>The span that it is part of, if there is one.</summary>
    public Activity? Caller { get; } = LeaseTracing.IsOn ? Activity.Current : null;

    public (long Slot, ReadOnlyMemory<byte> Entries)[] Blocks => blocks;
}

/// <summary>
/// The only writer of the file: a thread that puts the saves of many keepers into one transaction and answers after
/// its commit. While one batch is being synced the next one gathers.
/// </summary>
internal sealed class GroupCommitWriter : IAsyncDisposable
{
    private const int MaxBatch = 512;
    private const int MaxBackground = 32;
    private const int MaxBackgroundAlone = 256;

    // How often a failing store is tried, with or without calls: a load balancer sends none to a server that is not ready.
    // Decision trouble-is-tried-by-the-writer.
    private static readonly TimeSpan TryEvery = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private readonly HeldFolder _folder;
    private readonly FolderMark _mark;
    private readonly StoreTrouble _trouble;
    private readonly int _epoch;
    private readonly int? _maxPages;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<PendingSave> _foreground = new();
    private readonly Queue<PendingSave> _background = new();
    private readonly SaveOutcome[] _outcomes = new SaveOutcome[MaxBatch + MaxBackground];
    private Session? _session;
    private long _tried;
    private bool _writing;
    private bool _closing;

    public GroupCommitWriter(HeldFolder folder, FolderMark mark, int epoch, int? maxPages, StoreTrouble trouble)
    {
        _folder = folder;
        _mark = mark;
        _trouble = trouble;
        // A read may meet it while this thread has nothing to do.
        trouble.Begun = () =>
        {
            lock (_gate) Monitor.Pulse(_gate);
        };
        _epoch = epoch;
        _maxPages = maxPages;
        _session = new Session(folder.Database, maxPages);
        new Thread(Run) { IsBackground = true, Name = "lease writer" }.UnsafeStart();
    }

    /// <summary>Counts the batches; null where nobody can ask.</summary>
    public StoreMetrics? Metrics { get; set; }

    public Task<SaveOutcome> Submit(PendingSave save, bool background)
    {
        lock (_gate)
        {
            if (_closing) return Task.FromResult(SaveOutcome.NotSaved);
            (background ? _background : _foreground).Enqueue(save);
            Monitor.Pulse(_gate);
        }

        return save.Task;
    }

    /// <summary>Writes what was submitted, refuses what comes after, and closes the file.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _closing = true;
            Monitor.Pulse(_gate);
        }

        return new(_stopped.Task);
    }

    private void Run()
    {
        var batch = new List<PendingSave>();
        while (Take(batch))
        {
            if (batch.Count > 0) Write(batch);
            batch.Clear();
            if (_trouble.Current is not null && TimeProvider.System.GetElapsedTime(_tried) >= TryEvery) Try();
        }

        _session?.Dispose();
        _stopped.SetResult();
    }

    private bool Take(List<PendingSave> batch)
    {
        lock (_gate)
        {
            while (_foreground.Count == 0 && _background.Count == 0)
            {
                if (_closing) return false;
                if (_trouble.Current is null) Monitor.Wait(_gate);
                else if (!Monitor.Wait(_gate, TryEvery)) return true;
            }

            while (batch.Count < MaxBatch && _foreground.TryDequeue(out var save)) batch.Add(save);
            // Saves without a caller join a commit in small portions, and in larger ones while no caller waits at all.
            var room = batch.Count > 0 ? MaxBackground : MaxBackgroundAlone;
            for (var i = 0; i < room && _background.TryDequeue(out var save); i++) batch.Add(save);
            return true;
        }
    }

    private void Write(List<PendingSave> batch)
    {
        using var span = LeaseTracing.StartTogether("leases.store.batch", batch, static save => save.Caller);
        Metrics?.Batched(StoreMetrics.Save, batch.Count);
        if (TryWrite(batch) is not { } failed)
        {
            for (var i = 0; i < batch.Count; i++) batch[i].SetResult(_outcomes[i]);
        }
        else if (failed == SaveOutcome.NotSaved && _writing && batch.Count > 1)
        {
            // One save the file has no room for must not take the others with it.
            foreach (var save in batch) save.SetResult(TryWrite([save]) ?? _outcomes[0]);
        }
        else
        {
            foreach (var save in batch) save.SetResult(failed);
        }
    }

    /// <summary>Tries one transaction; the answer is null where it was committed, else what became of all its saves.</summary>
    private SaveOutcome? TryWrite(List<PendingSave> batch)
    {
        var committing = false;
        _writing = false;
        try
        {
            // What would be written to a file that nobody will read again is not written at all.
            if (!_folder.IsOurs()) return SaveOutcome.NotSaved;
            _session ??= new Session(_folder.Database, _maxPages);
            _session.Begin.Run();
            var (epoch, change) = _session.ReadState();
            if (epoch != _epoch)
            {
                // The epoch was bumped under a running service: nothing it grants may be believed.
                _session.Rollback.Run();
                _trouble.BeginOutdated();
                return SaveOutcome.NotSaved;
            }

            _writing = true;
            for (var i = 0; i < batch.Count; i++) _outcomes[i] = _session.Save(batch[i]);
            _session.Count(++change);
            committing = true;
            _session.Commit.Run();
            // Checked again before the saves are acknowledged: a commit into files that were removed meanwhile may be lost.
            // Decision folder-is-known-by-its-files.
            if (!_folder.IsOurs()) return SaveOutcome.Unknown;
            _mark.Advance(change);
            return null;
        }
        catch (SqliteException error)
        {
            return AfterError(committing, error);
        }
    }

    /// <summary>Writes, syncs and takes back as much as the largest record has, and looks again at what was wrong.</summary>
    private void Try()
    {
        var committing = false;
        try
        {
            if (!_folder.IsOurs()) return;
            _session ??= new Session(_folder.Database, _maxPages);
            _session.Begin.Run();
            _session.Fill.Run();
            _session.Empty.Run();
            committing = true;
            _session.Commit.Run();
            _trouble.LookAgain();
        }
        catch (SqliteException error)
        {
            AfterError(committing, error);
        }

        _tried = TimeProvider.System.GetTimestamp();
    }

    private SaveOutcome AfterError(bool committing, SqliteException error)
    {
        if (_trouble.Current is null) _tried = TimeProvider.System.GetTimestamp();
        _trouble.Begin(error);
        // A commit that found the file busy or the disk full did not write its last frame, and so did not happen. Any
        // other error while committing leaves open whether the commit is on disk; before that, nothing can be.
        var refused = error.SqliteErrorCode is raw.SQLITE_BUSY or raw.SQLITE_FULL;
        var unknown = committing && !refused;
        try
        {
            if (_session is { InTransaction: true }) _session.Rollback.Run();
            if (refused) return SaveOutcome.NotSaved;
        }
        catch (SqliteException)
        {
            // The session is dropped below.
        }

        _session?.Dispose();
        _session = null;
        return unknown ? SaveOutcome.Unknown : SaveOutcome.NotSaved;
    }

    /// <summary>A connection with its statements, dropped as a whole after a fault.</summary>
    private sealed class Session : IDisposable
    {
        private readonly SqliteConnection _connection;
        private readonly Statement _state;
        private readonly Statement _count;
        private readonly Table _leases;
        private readonly Table _keys;
        private readonly Table _service;

        public Session(string file, int? maxPages)
        {
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
            _leases = new Table(
                new Statement(
                    _connection,
                    "INSERT INTO lease (resource, version, state, due, held) VALUES (?1, 1, ?2, ?4, ?5) ON CONFLICT DO NOTHING"),
                new Statement(
                    _connection, "UPDATE lease SET version = version + 1, state = ?2, due = ?4 WHERE resource = ?1 AND version = ?3"),
                new Statement(
                    _connection,
                    "UPDATE lease SET version = version + 1, state = ?2, due = ?4, held = ?5 WHERE resource = ?1 AND version = ?3"),
                new Statement(_connection, "INSERT OR REPLACE INTO lease_log (resource, slot, entries) VALUES (?1, ?2, ?3)"),
                hasDue: true);
            _keys = new Table(
                new Statement(_connection, "INSERT INTO keys (name, version, state, held) VALUES (?1, 1, ?2, ?5) ON CONFLICT DO NOTHING"),
                new Statement(_connection, "UPDATE keys SET version = version + 1, state = ?2 WHERE name = ?1 AND version = ?3"),
                new Statement(_connection, "UPDATE keys SET version = version + 1, state = ?2, held = ?5 WHERE name = ?1 AND version = ?3"),
                new Statement(_connection, "INSERT OR REPLACE INTO keys_log (name, slot, entries) VALUES (?1, ?2, ?3)"),
                hasDue: false);
            _service = new Table(
                new Statement(
                    _connection, "INSERT INTO service (name, version, state, held) VALUES (?1, 1, ?2, ?5) ON CONFLICT DO NOTHING"),
                new Statement(_connection, "UPDATE service SET version = version + 1, state = ?2 WHERE name = ?1 AND version = ?3"),
                new Statement(
                    _connection, "UPDATE service SET version = version + 1, state = ?2, held = ?5 WHERE name = ?1 AND version = ?3"),
                block: null,
                hasDue: false);
        }

        public Statement Begin { get; }

        public Statement Commit { get; }

        public Statement Rollback { get; }

        public Statement Fill { get; }

        public Statement Empty { get; }

        public bool InTransaction => raw.sqlite3_get_autocommit(_connection.Handle) == 0;

        public (long Epoch, long Change) ReadState()
        {
            var change = _state.Next() ? _state.Int64(0) : -1;
            var epoch = _state.Next() ? _state.Int64(0) : -1;
            _state.Reset();
            return (epoch, change);
        }

        /// <summary>Numbers the change, so that a loss can be noticed when the folder is opened.</summary>
        public void Count(long change) => _count.Bind(1, change).Run();

        public SaveOutcome Save(PendingSave save) => save.Kind switch
        {
            RecordKind.Lease => _leases.Save(save),
            RecordKind.Key => _keys.Save(save),
            _ => _service.Save(save),
        };

        public void Dispose()
        {
            foreach (var statement in new[] { Begin, Commit, Rollback, Fill, Empty, _state, _count }) statement.Dispose();
            _leases.Dispose();
            _keys.Dispose();
            _service.Dispose();
            _connection.Dispose();
        }
    }

    /// <summary>The statements that write one kind of record.</summary>
    private sealed class Table(Statement insert, Statement update, Statement updateHeld, Statement? block, bool hasDue) : IDisposable
    {
        public SaveOutcome Save(PendingSave save)
        {
            var write = save.Version == 0 ? insert : (save.SameHeld ? update : updateHeld).Bind(3, save.Version);
            if (hasDue) write.Bind(4, save.Due);
            if (write != update) write.Bind(5, save.Held ? 1L : 0L);
            if (write.Bind(1, save.Name).Bind(2, save.State).Run() == 0) return SaveOutcome.Conflict;
            foreach (var (slot, entries) in save.Blocks) block!.Bind(1, save.Name).Bind(2, slot).Bind(3, entries.Span).Run();
            return SaveOutcome.Saved;
        }

        public void Dispose()
        {
            insert.Dispose();
            update.Dispose();
            updateHeld.Dispose();
            block?.Dispose();
        }
    }
}
