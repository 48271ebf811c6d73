using System.Text;
using Microsoft.Data.Sqlite;
using OrleansLeases.Core;

namespace OrleansLeases.Embedded;

/// <summary>
/// Records in one SQLite file. A record's row has its newest block of the log; older blocks, which no longer change,
/// have rows of their own, so that a busy resource does not rewrite its history with every grant.
/// </summary>
internal sealed class SqliteStore : IEmbeddedStore
{
    // Finished blocks are kept in a ring with room for all that a log remembers beside its newest one.
    private const int KeptBlocks = (LeaseRules.DefaultLogLength / LeaseLog.BlockLength) - 1;
    private const int Slots = 64;

    private readonly FileStream _held;
    private readonly string _file;
    private readonly GroupCommitWriter _writer;
    private readonly SqliteConnection _reader;
    private readonly Lock _readerGate = new();
    private readonly Statement _load;
    private readonly Statement _block;
    private readonly Statement _due;

    private SqliteStore(FileStream held, string file, int? maxPages)
    {
        _held = held;
        _file = file;
        using (var connection = LeaseDatabase.Open(file))
        {
            LeaseDatabase.Prepare(connection);
            Epoch = (int)LeaseDatabase.ReadMeta(connection, "epoch");
        }

        _writer = new GroupCommitWriter(file, Epoch, maxPages);
        _reader = LeaseDatabase.Open(file, readOnly: true);
        _load = new Statement(_reader, "SELECT state FROM lease WHERE resource = ?1");
        _block = new Statement(_reader, "SELECT entries FROM lease_log WHERE resource = ?1 AND slot = ?2");
        _due = new Statement(_reader, "SELECT resource, due, id FROM lease WHERE due IS NOT NULL AND (due, id) > (?1, ?2) AND due <= ?3 ORDER BY due, id LIMIT ?4");
    }

    public bool Durable => true;

    public int Epoch { get; }

    /// <summary>Opens a folder, which this process then has to itself.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="maxPages">For tests: the size at which the disk is full.</param>
    public static SqliteStore Open(string folder, int? maxPages = null)
    {
        var held = DataFolder.Take(folder);
        try
        {
            return new SqliteStore(held, DataFolder.DatabaseFile(folder), maxPages);
        }
        catch (Exception error)
        {
            held.Dispose();
            if (error is SqliteException) throw new IOException($"The lease database in '{folder}' cannot be opened: {error.Message}", error);
            throw;
        }
    }

    public ValueTask<LeaseState> LoadAsync(string resource)
    {
        lock (_readerGate)
        {
            LeaseState state;
            try
            {
                _load.Bind(1, resource);
                if (!_load.Next()) return ValueTask.FromResult(LeaseState.Unused);
                state = LeaseCodec.Decode(_load.Utf8(0));
            }
            finally
            {
                _load.Reset();
            }

            return ValueTask.FromResult(state with { Log = state.Log.WithOlder(FinishedBlocks_NeedsLock(resource, state.Log)) });
        }
    }

    public ValueTask<SaveOutcome> SaveAsync(string resource, LeaseState previous, LeaseState next, bool background)
    {
        // The blocks that this save finishes, and the record without any finished one.
        List<(int Slot, byte[] Entries)>? blocks = null;
        for (var block = LeaseLog.BlockOf(previous.Log.Last); block < LeaseLog.BlockOf(next.Log.Last); block++)
        {
            if (block >= LeaseLog.BlockOf(next.Log.First)) (blocks ??= []).Add(((int)(block % Slots), LeaseCodec.EncodeBlock(next.Log.Finished(block))));
        }

        var save = new PendingSave(
            resource,
            previous.Version,
            LeaseMachine.DueWall(next) is { } due ? due.Ticks / TimeSpan.TicksPerMillisecond : null,
            LeaseCodec.Encode(next with { Log = next.Log.WithoutFinished() }),
            blocks);
        return new(_writer.Submit(save, background));
    }

    public IEnumerable<(string Resource, LeaseState State)> ReadFrom(string from)
    {
        // A connection of its own: a long listing must not keep loads waiting.
        using var connection = LeaseDatabase.Open(_file, readOnly: true);
        using var list = new Statement(connection, "SELECT resource, state FROM lease WHERE resource >= ?1 ORDER BY resource");
        list.Bind(1, from);
        while (list.Next())
        {
            var resource = list.Text(0);
            yield return (resource, Decode(resource, list.Utf8(1)));
        }
    }

    public IReadOnlyList<DueRecord> DueAfter(DueRecord? last, TimeSpan until, int limit)
    {
        var due = new List<DueRecord>();
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
            _block.Dispose();
            _due.Dispose();
            _reader.Dispose();
        }

        // The last connection to close moves the write-ahead log into the file, if it may write: then leases.db alone is
        // a whole backup.
        try
        {
            LeaseDatabase.Open(_file).Dispose();
        }
        finally
        {
            await _held.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static LeaseState Decode(string resource, ReadOnlySpan<byte> utf8)
    {
        try
        {
            return LeaseCodec.Decode(utf8);
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"The record of '{resource}' is not readable. {error.Message}", error);
        }
    }

    private List<LogEntry[]> FinishedBlocks_NeedsLock(string resource, LeaseLog log)
    {
        var blocks = new List<LogEntry[]>();
        var tail = LeaseLog.BlockOf(log.Last);
        for (var block = Math.Max(0, tail - KeptBlocks); block < tail; block++)
        {
            try
            {
                _block.Bind(1, resource).Bind(2, block % Slots);
                if (_block.Next()) blocks.Add(LeaseCodec.DecodeBlock(_block.Utf8(0)));
                else blocks.Clear();
            }
            finally
            {
                // A statement left open would hold the connection at an old snapshot, for every later load.
                _block.Reset();
            }
        }

        return blocks;
    }
}
