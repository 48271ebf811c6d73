using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Embedded;

/// <summary>
/// Records in one SQLite file. A record's row has its newest block of the log; older blocks, which no longer change,
/// have rows of their own, so that a busy resource does not rewrite its history with every grant. Decision blocks-have-rows.
/// </summary>
internal sealed class SqliteStore : IRecordStore, IMeasuredStore, IAsyncDisposable
{
    // An index that is missing fails here, rather than make every listing slow.
    internal const string ListHeld =
        "SELECT resource, state FROM lease INDEXED BY lease_held WHERE held AND resource >= ?1 ORDER BY resource";
    internal const string ListAll = "SELECT resource, state FROM lease WHERE resource >= ?1 ORDER BY resource";
    internal const string ListKeys = "SELECT name, state FROM keys INDEXED BY keys_held WHERE held AND name >= ?1 ORDER BY name";
    internal const string ListAllKeys = "SELECT name, state FROM keys WHERE name >= ?1 ORDER BY name";

    internal const string ListService = "SELECT name, state FROM service WHERE held AND name >= ?1 ORDER BY name";
    internal const string ListAllService = "SELECT name, state FROM service WHERE name >= ?1 ORDER BY name";

    internal const string ListDue = """
        SELECT resource, due, id FROM lease WHERE due IS NOT NULL AND (due, id) > (?1, ?2) AND due <= ?3 ORDER BY due, id LIMIT ?4
        """;

    internal const string ListDueKeys = """
        SELECT name, due, id FROM keys WHERE due IS NOT NULL AND (due, id) > (?1, ?2) AND due <= ?3 ORDER BY due, id LIMIT ?4
        """;

    // A lease keeps the time at which it was idle last while it is held: see PendingSave.
    internal const string ListIdleLeases = """
        SELECT resource, idle, id FROM lease INDEXED BY lease_idle
        WHERE idle IS NOT NULL AND (idle, id) > (?1, ?2) AND idle <= ?3 AND NOT held AND due IS NULL ORDER BY idle, id LIMIT ?4
        """;

    internal const string ListIdleKeys = """
        SELECT name, idle, id FROM keys INDEXED BY keys_idle
        WHERE idle IS NOT NULL AND NOT held AND (idle, id) > (?1, ?2) AND idle <= ?3 ORDER BY idle, id LIMIT ?4
        """;

    // Records that a listing reads in one transaction: while one lasts, the log cannot start over in its file.
    private const int Portion = 128;

    // In the byte order of names, what is no name stands right behind each.
    private const char FirstAfter = '\0';

    private readonly HeldFolder _folder;
    private readonly FolderMark _mark;
    private readonly string _file;
    private readonly GroupCommitWriter _writer;
    private readonly SqliteConnection _reader;
    private readonly Lock _readerGate = new();
    private readonly Table _leases;
    private readonly Table _keys;
    private readonly Table _service;
    private readonly Statement _due;
    private readonly Statement _dueKeys;
    private readonly Statement _idleLeases;
    private readonly Statement _idleKeys;
    private readonly Statement _records;
    private readonly FloorTable _floors = new();
    private IdleRounding _rounding = new(Retention.ForEver);
    private readonly StoreTrouble _trouble;
    private bool _isClosed;

    private SqliteStore(HeldFolder folder, int? maxPages, ILogger logger)
    {
        _folder = folder;
        _trouble = new StoreTrouble(folder.Folder, logger);
        _ = folder.Lost.ContinueWith(
            lost => _trouble.Lose(lost.Result), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _file = folder.Database;
        folder.Admit();
        folder.MakeDatabase();
        using (var connection = LeaseDatabase.Open(_file))
        {
            LeaseDatabase.Prepare(connection);
            var state = LeaseDatabase.ReadState(connection);
            Epoch = (int)state.Epoch;
            _mark = FolderMark.Open(folder.Folder, state);
            ReadFloors(connection);
        }

        _writer = new GroupCommitWriter(folder, _mark, Epoch, maxPages, _trouble, _floors);
        _reader = LeaseDatabase.Open(_file, readOnly: true);
        _leases = new Table(
            RecordKind.Lease,
            new Statement(_reader, "SELECT state FROM lease WHERE resource = ?1"),
            new Statement(_reader, "SELECT entries FROM lease_log WHERE resource = ?1 AND slot = ?2"),
            slots: 64);
        _keys = new Table(
            RecordKind.Key,
            new Statement(_reader, "SELECT state FROM keys WHERE name = ?1"),
            new Statement(_reader, "SELECT entries FROM keys_log WHERE name = ?1 AND slot = ?2"),
            slots: 128);
        _service = new Table(
            RecordKind.Service, new Statement(_reader, "SELECT state FROM service WHERE name = ?1"), loadBlock: null, slots: 1);
        _due = new Statement(_reader, ListDue);
        _dueKeys = new Statement(_reader, ListDueKeys);
        _idleLeases = new Statement(_reader, ListIdleLeases);
        _idleKeys = new Statement(_reader, ListIdleKeys);
        _records = new Statement(_reader, LeaseDatabase.ReadRecords);
        folder.Remember();
    }

    public bool IsDurable => true;

    /// <summary>Counts the batches; null where nobody can ask.</summary>
    public StoreMetrics? Metrics { set => _writer.Metrics = value; }

    /// <summary>Ends once another process may have the folder, with the reason and the remedy: nothing is saved from then on.</summary>
    public Task<string> Lost => _folder.Lost;

    /// <summary>How long names are kept; for ever until it is set.</summary>
    public Retention Retention { set => _rounding = new(value); }

    public int Epoch { get; }

    public bool CanDrop => true;

    public StorageTrouble? Trouble => _trouble.Current is { } reason ? new(StorageTroubleKind.Away, reason) : null;

    /// <summary>Opens a folder, which this process then has to itself.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="maxPages">For tests: the size at which the disk is full.</param>
    /// <param name="logger">Told of faults of the folder; nobody where left out.</param>
    public static SqliteStore Open(string folder, int? maxPages = null, ILogger? logger = null)
    {
        var held = HeldFolder.Take(folder);
        try
        {
            return DataFolder.Told(folder, () => new SqliteStore(held, maxPages, logger ?? NullLogger.Instance));
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    public ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name) =>
        ValueTask.FromResult(Watched(() => Load(TableOf(kind), name)));

    public ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background)
    {
        var finished = next.FinishedSince(previous);
        var save = new PendingSave(previous, next, finished.Count == 0 ? [] : TableOf(next.Kind).SlotsOf(finished), _rounding);
        return new(_writer.Submit(save, background));
    }

    public RecordFloor FloorOf(RecordKind kind, string name) => _floors.Of(kind, name);

    public ValueTask<SaveOutcome> DropAsync(StoredRecord record) => new(_writer.Submit(new PendingSave(record), background: true));

    public ValueTask<IReadOnlyList<DueRecord>> IdleAsync(RecordKind kind, DueQuery query, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<DueRecord>>(
            Watched(() => Read(kind == RecordKind.Lease ? _idleLeases : _idleKeys, query)));

    public StoreSize? Measure()
    {
        try
        {
            lock (_readerGate)
            {
                if (_isClosed) return null;
                try
                {
                    return _records.Next() ? new(_records.Int64(0), LengthOf(_file) + LengthOf(_file + "-wal")) : null;
                }
                finally
                {
                    _records.Reset();
                }
            }
        }
        catch (Exception error) when (error is SqliteException or IOException)
        {
            // Who looks at how much there is learns of trouble elsewhere.
            return null;
        }
    }

    public async IAsyncEnumerable<StoredRecord> RangeAsync(
        RecordKind kind, string from, bool heldOnly, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // The caller gives it a thread: SQLite has none of its own.
        await Task.CompletedTask.ConfigureAwait(false);
        var sql = (kind, heldOnly) switch
        {
            (RecordKind.Lease, true) => ListHeld,
            (RecordKind.Lease, false) => ListAll,
            (RecordKind.Key, true) => ListKeys,
            (RecordKind.Key, false) => ListAllKeys,
            (_, true) => ListService,
            _ => ListAllService,
        };
        foreach (var record in Read(kind, sql, from))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return record;
        }
    }

    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<DueRecord>>(Watched(() => Read(query.Kind == RecordKind.Lease ? _due : _dueKeys, query)));

    private static long LengthOf(string file) => new FileInfo(file) is { Exists: true } found ? found.Length : 0;

    private Table TableOf(RecordKind kind) => kind switch
    {
        RecordKind.Lease => _leases,
        RecordKind.Key => _keys,
        _ => _service,
    };

    private StoredRecord Load(Table table, string name)
    {
        lock (_readerGate) return table.Load(name);
    }

    private void ReadFloors(SqliteConnection connection)
    {
        using var read = new Statement(connection, "SELECT kind, shard, token, sequence FROM floor");
        while (read.Next())
            _floors.Raise((RecordKind)read.Int64(0), (int)read.Int64(1), new RecordFloor(read.Int64(2), read.Int64(3)));
    }

    private List<DueRecord> Read(Statement page, DueQuery query)
    {
        // One process has the folder, and sweeps it whole.
        if (query.Shards != 1)
        {
            throw new ArgumentException($"The query is for one of {query.Shards} shards; a folder has one.", nameof(query));
        }

        var due = new List<DueRecord>();
        // The sweeper looks every second, and so sees that the folder is gone though nobody writes.
        if (!_folder.IsOurs()) return due;
        lock (_readerGate)
        {
            try
            {
                page.Bind(1, query.After?.At ?? long.MinValue).Bind(2, query.After?.Id ?? 0).Bind(3, query.Until).Bind(4, query.Limit);
                while (page.Next()) due.Add(new(page.Text(0), page.Int64(1), page.Int64(2)));
            }
            finally
            {
                page.Reset();
            }
        }

        return due;
    }

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync().ConfigureAwait(false);
        lock (_readerGate)
        {
            _isClosed = true;
            _leases.Dispose();
            _keys.Dispose();
            _service.Dispose();
            _due.Dispose();
            _dueKeys.Dispose();
            _idleLeases.Dispose();
            _idleKeys.Dispose();
            _records.Dispose();
            _reader.Dispose();
        }

        // The last connection to close moves the write-ahead log into the file, if it may write: then leases.db alone is
        // a whole backup.
        try
        {
            if (_folder.IsOurs()) LeaseDatabase.Open(_file).Dispose();
        }
        finally
        {
            _mark.Dispose();
            _folder.Dispose();
        }
    }

    // What a read meets is looked at again by the same read: where one page is bad, all others can be read.
    private T Watched<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SqliteException error)
        {
            _trouble.Begin(error, () => read());
            throw;
        }
    }

    private IEnumerable<StoredRecord> Read(RecordKind kind, string sql, string from)
    {
        // A connection of its own: a long listing must not keep loads waiting.
        using var connection = LeaseDatabase.Open(_file, readOnly: true);
        using var list = new Statement(connection, sql);
        list.Bind(1, from);
        for (var read = 1; Next(list); read++)
        {
            var name = list.Text(0);
            if (TryRead(kind, name, list.Utf8(1), out var record)) yield return record;
            if (read % Portion != 0) continue;
            list.Reset();
            list.Bind(1, name + FirstAfter);
        }
    }

    // Met by a listing alone, and by its own connection: it is over with the next write, and begins again with the next listing.
    private bool Next(Statement list)
    {
        try
        {
            return list.Next();
        }
        catch (SqliteException error)
        {
            _trouble.Begin(error);
            throw;
        }
    }

    // All others are listed, and this one is named once; a caller that asks for it hears why it cannot be had.
    // Decision listings-leave-out-what-they-cannot-read.
    private bool TryRead(RecordKind kind, string name, ReadOnlySpan<byte> utf8, [MaybeNullWhen(false)] out StoredRecord record)
    {
        try
        {
            record = StoredRecord.Read(kind, name, utf8);
            return true;
        }
        catch (InvalidDataException error)
        {
            _trouble.Name(kind == RecordKind.Lease ? name : $"{kind.ToString().ToLowerInvariant()} {name}", error.Message);
            record = null;
            return false;
        }
    }

    /// <summary>
    /// Reads one kind of record. Its finished blocks are each in a row of their own: a ring with room for all that a log remembers
    /// beside its newest block. Reading needs the lock of the connection.
    /// </summary>
    private sealed class Table(RecordKind kind, Statement load, Statement? loadBlock, int slots) : IDisposable
    {
        public StoredRecord Load(string name)
        {
            StoredRecord record;
            try
            {
                load.Bind(1, name);
                if (!load.Next()) return StoredRecord.None(kind, name);
                record = StoredRecord.Read(kind, name, load.Utf8(0));
            }
            finally
            {
                load.Reset();
            }

            return record.Block == record.FirstBlock ? record : record.WithBlocks(BlocksOf(record));
        }

        /// <summary>Where the blocks go that a save finishes.</summary>
        public (long Slot, ReadOnlyMemory<byte> Entries)[] SlotsOf(IReadOnlyList<LogBlock> finished) =>
            [.. finished.Select(block => (block.Number % slots, block.Entries))];

        public void Dispose()
        {
            load.Dispose();
            loadBlock?.Dispose();
        }

        private List<ReadOnlyMemory<byte>> BlocksOf(StoredRecord record)
        {
            if (loadBlock is null) return [];
            var blocks = new List<ReadOnlyMemory<byte>>();
            for (var block = record.FirstBlock; block < record.Block; block++)
            {
                try
                {
                    loadBlock.Bind(1, record.Name).Bind(2, block % slots);
                    if (loadBlock.Next()) blocks.Add(loadBlock.Utf8(0).ToArray());
                    else blocks.Clear();
                }
                finally
                {
                    // A statement left open would hold the connection at an old snapshot, for every later load.
                    loadBlock.Reset();
                }
            }

            return blocks;
        }
    }
}
