using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLeases.Core;

namespace OrleansLeases.Embedded;

/// <summary>
/// Records in one SQLite file. A record's row has its newest block of the log; older blocks, which no longer change,
/// have rows of their own, so that a busy resource does not rewrite its history with every grant.
/// </summary>
internal sealed class SqliteStore : IEmbeddedStore
{
    // An index that is missing fails here, rather than make every listing slow.
    internal const string ListHeld = "SELECT resource, state FROM lease INDEXED BY lease_held WHERE held AND resource >= ?1 ORDER BY resource";
    internal const string ListAll = "SELECT resource, state FROM lease WHERE resource >= ?1 ORDER BY resource";
    internal const string ListKeys = "SELECT name, state FROM keys INDEXED BY keys_held WHERE held AND name >= ?1 ORDER BY name";

    internal const string ListDue = """
        SELECT resource, due, id FROM lease WHERE due IS NOT NULL AND (due, id) > (?1, ?2) AND due <= ?3 ORDER BY due, id LIMIT ?4
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
    private readonly Statement _load;
    private readonly Statement _loadKey;
    private readonly BlockRing _blocks;
    private readonly BlockRing _keyBlocks;
    private readonly Statement _due;

    private readonly StoreTrouble _trouble;

    private SqliteStore(HeldFolder folder, int? maxPages, ILogger logger)
    {
        _folder = folder;
        _trouble = new StoreTrouble(folder.Folder, logger);
        _ = folder.Lost.ContinueWith(lost => _trouble.Lose(lost.Result), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _file = folder.Database;
        folder.Admit();
        folder.MakeDatabase();
        using (var connection = LeaseDatabase.Open(_file))
        {
            LeaseDatabase.Prepare(connection);
            var state = LeaseDatabase.ReadState(connection);
            Epoch = (int)state.Epoch;
            _mark = FolderMark.Open(folder.Folder, state);
        }

        _writer = new GroupCommitWriter(folder, _mark, Epoch, maxPages, _trouble);
        _reader = LeaseDatabase.Open(_file, readOnly: true);
        _load = new Statement(_reader, "SELECT state FROM lease WHERE resource = ?1");
        _loadKey = new Statement(_reader, "SELECT state FROM keys WHERE name = ?1");
        _blocks = new BlockRing(new Statement(_reader, "SELECT entries FROM lease_log WHERE resource = ?1 AND slot = ?2"), LeaseRules.DefaultLogLength, slots: 64);
        _keyBlocks = new BlockRing(new Statement(_reader, "SELECT entries FROM keys_log WHERE name = ?1 AND slot = ?2"), KeyState.LogLength, slots: 128);
        _due = new Statement(_reader, ListDue);
        folder.Remember();
    }

    public bool Durable => true;

    public Task<string> Lost => _folder.Lost;

    public int Epoch { get; }

    public string? Trouble => _trouble.Current;

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

    ValueTask<LeaseState> IRecordStore<LeaseState>.LoadAsync(string resource) => ValueTask.FromResult(Watched(() => Load(resource)));

    ValueTask<KeyState> IRecordStore<KeyState>.LoadAsync(string key) => ValueTask.FromResult(Watched(() => LoadKey(key)));

    private LeaseState Load(string resource)
    {
        lock (_readerGate)
        {
            LeaseState state;
            try
            {
                _load.Bind(1, resource);
                if (!_load.Next()) return LeaseState.Unused;
                state = RecordCodec.Lease.Decode(_load.Utf8(0));
            }
            finally
            {
                _load.Reset();
            }

            return state with { Log = state.Log.WithOlder(_blocks.Read(resource, state.Log.Last, RecordCodec.Lease.DecodeBlock)) };
        }
    }

    private KeyState LoadKey(string key)
    {
        lock (_readerGate)
        {
            KeyState state;
            try
            {
                _loadKey.Bind(1, key);
                if (!_loadKey.Next()) return KeyState.Unused;
                state = RecordCodec.Key.Decode(_loadKey.Utf8(0));
            }
            finally
            {
                _loadKey.Reset();
            }

            return state with { Log = state.Log.WithOlder(_keyBlocks.Read(key, state.Log.Last, RecordCodec.Key.DecodeBlock)) };
        }
    }

    public ValueTask<SaveOutcome> SaveAsync(string resource, LeaseState previous, LeaseState next, bool background)
    {
        var save = new PendingSave(
            RecordKind.Lease,
            resource,
            previous.Version,
            wasHeld: !previous.Holders.IsEmpty,
            held: !next.Holders.IsEmpty,
            LeaseMachine.DueWall(next) is { } due ? due.Ticks / TimeSpan.TicksPerMillisecond : null,
            RecordCodec.Lease.Encode(next with { Log = next.Log.WithoutFinished() }),
            _blocks.FinishedBy(previous.Log, next.Log, RecordCodec.Lease.EncodeBlock));
        return new(_writer.Submit(save, background));
    }

    public ValueTask<SaveOutcome> SaveAsync(string key, KeyState previous, KeyState next, bool background)
    {
        var save = new PendingSave(
            RecordKind.Key,
            key,
            previous.Version,
            wasHeld: previous.Value is not null,
            held: next.Value is not null,
            due: null,
            RecordCodec.Key.Encode(next with { Log = next.Log.WithoutFinished() }),
            _keyBlocks.FinishedBy(previous.Log, next.Log, RecordCodec.Key.EncodeBlock));
        return new(_writer.Submit(save, background));
    }

    public IEnumerable<(string Resource, LeaseState State)> ReadFrom(string from, bool held) =>
        Read(held ? ListHeld : ListAll, from, RecordCodec.Lease.Decode);

    public IEnumerable<(string Key, KeyState State)> ReadKeysFrom(string from) => Read(ListKeys, from, RecordCodec.Key.Decode);

    public IReadOnlyList<DueRecord> DueAfter(DueRecord? last, TimeSpan until, int limit) => Watched(() => ReadDue(last, until, limit));

    private List<DueRecord> ReadDue(DueRecord? last, TimeSpan until, int limit)
    {
        var due = new List<DueRecord>();
        // Whoever looks every second sees that the folder is gone though nobody writes.
        if (!_folder.IsOurs()) return due;
        lock (_readerGate)
        {
            try
            {
                _due.Bind(1, last is null ? long.MinValue : last.Due.Ticks / TimeSpan.TicksPerMillisecond).Bind(2, last?.Id ?? 0)
                    .Bind(3, until.Ticks / TimeSpan.TicksPerMillisecond).Bind(4, limit);
                while (_due.Next()) due.Add(new(_due.Text(0), TimeSpan.FromMilliseconds(_due.Int64(1)), _due.Int64(2)));
            }
            finally
            {
                _due.Reset();
            }
        }

        return due;
    }

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync().ConfigureAwait(false);
        lock (_readerGate)
        {
            _load.Dispose();
            _loadKey.Dispose();
            _blocks.Dispose();
            _keyBlocks.Dispose();
            _due.Dispose();
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

    private delegate T Decoder<T>(ReadOnlySpan<byte> utf8);

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

    private IEnumerable<(string Name, T State)> Read<T>(string sql, string from, Decoder<T> decode)
    {
        // A connection of its own: a long listing must not keep loads waiting.
        using var connection = LeaseDatabase.Open(_file, readOnly: true);
        using var list = new Statement(connection, sql);
        list.Bind(1, from);
        for (var read = 1; Next(list); read++)
        {
            var name = list.Text(0);
            if (TryDecode(name, decode, list.Utf8(1), out var state)) yield return (name, state);
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

    // All others are listed, and this one is named once; whoever asks for it is told why it cannot be had.
    private bool TryDecode<T>(string name, Decoder<T> decode, ReadOnlySpan<byte> utf8, [MaybeNullWhen(false)] out T state)
    {
        try
        {
            state = decode(utf8);
            return true;
        }
        catch (InvalidDataException error)
        {
            _trouble.Name(typeof(T) == typeof(KeyState) ? $"key {name}" : name, error.Message);
            state = default;
            return false;
        }
    }

    /// <summary>
    /// The finished blocks of one kind of log, each in a row of its own: a ring with room for all that a log remembers
    /// beside its newest block. Reading needs the lock of the connection.
    /// </summary>
    private sealed class BlockRing(Statement read, int logLength, int slots) : IDisposable
    {
        private readonly int _kept = (logLength / BlockLog.BlockLength) - 1;

        /// <summary>The blocks that a save finishes. The record itself is stored without any.</summary>
        public List<(long Slot, byte[] Entries)>? FinishedBy<TEntry>(
            BlockLog<TEntry> previous, BlockLog<TEntry> next, Func<TEntry[], byte[]> encode)
            where TEntry : struct, ILogEntry
        {
            List<(long Slot, byte[] Entries)>? finished = null;
            for (var block = BlockLog.BlockOf(previous.Last); block < BlockLog.BlockOf(next.Last); block++)
            {
                if (block >= BlockLog.BlockOf(next.First)) (finished ??= []).Add((block % slots, encode(next.Finished(block))));
            }

            return finished;
        }

        public List<TEntry[]> Read<TEntry>(string name, long last, Decoder<TEntry[]> decode)
            where TEntry : struct, ILogEntry
        {
            var blocks = new List<TEntry[]>();
            var tail = BlockLog.BlockOf(last);
            for (var block = Math.Max(0, tail - _kept); block < tail; block++)
            {
                try
                {
                    read.Bind(1, name).Bind(2, block % slots);
                    if (read.Next()) blocks.Add(decode(read.Utf8(0)));
                    else blocks.Clear();
                }
                finally
                {
                    // A statement left open would hold the connection at an old snapshot, for every later load.
                    read.Reset();
                }
            }

            return blocks;
        }

        public void Dispose() => read.Dispose();
    }
}
