using Microsoft.Data.Sqlite;
using OrleansLeases.Core;
using OrleansLeases.Storage;
using SQLitePCL;

namespace OrleansLeases.Embedded;

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
    private readonly FloorTable _floors;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<PendingSave> _foreground = new();
    private readonly Queue<PendingSave> _background = new();
    private readonly SaveOutcome[] _outcomes = new SaveOutcome[MaxBatch + MaxBackground];
    private WriterSession? _session;
    private long _tried;
    private bool _writing;
    private bool _closing;

    public GroupCommitWriter(HeldFolder folder, FolderMark mark, int epoch, int? maxPages, StoreTrouble trouble, FloorTable floors)
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
        _floors = floors;
        _session = new WriterSession(folder.Database, maxPages, floors);
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
            _session ??= new WriterSession(_folder.Database, _maxPages, _floors);
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
            if (batch.Count(static save => save.Drops) is > 0 and var dropped) _session.GiveBack(dropped);
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
            _session ??= new WriterSession(_folder.Database, _maxPages, _floors);
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
}
