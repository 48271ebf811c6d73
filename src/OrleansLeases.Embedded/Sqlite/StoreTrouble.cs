using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using SQLitePCL;

namespace OrleansLeases.Embedded;

/// <summary>
/// The current problem of a data folder. Each kind of fault is logged once when it begins and once when it has ended, however many
/// calls fail meanwhile. Thread-safe.
/// </summary>
/// <param name="folder">The folder that the log names.</param>
/// <param name="logger">The log.</param>
internal sealed partial class StoreTrouble(string folder, ILogger logger)
{
    private const int NamedAtMost = 1000;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, bool> _named = new(StringComparer.Ordinal);
    private readonly Dictionary<StoreFault, Action?> _lasting = [];
    private volatile string? _current;

    /// <summary>What is wrong and what helps, in a sentence each; null where nothing is.</summary>
    public string? Current => _current;

    /// <summary>Called when a fault begins; it must return at once.</summary>
    public Action? Begun { get; set; }

    /// <summary>Notes what a call met.</summary>
    /// <param name="error">What SQLite said.</param>
    /// <param name="lookAgain">
    /// Throws for as long as it lasts; null where a write that succeeds shows that it is over. It is called as often as
    /// <see cref="LookAgain"/>.
    /// </param>
    public void Begin(SqliteException error, Action? lookAgain = null)
    {
        var fault = FaultOf(error);
        // Not every page is looked at again, so damage that a write met is not over with the next write.
        if (fault == StoreFault.Damaged) lookAgain ??= () => throw error;
        Begin(fault, $"{error.Message.TrimEnd('.')} ({error.SqliteExtendedErrorCode})", lookAgain);
    }

    /// <summary>Notes that the folder is not this process' any more, which never passes.</summary>
    /// <param name="reason">Why, and the remedy.</param>
    public void Lose(string reason) => LogLost(logger, folder, reason);

    /// <summary>Notes that another process has raised the restore epoch, which only a start reads.</summary>
    public void BeginOutdated() => Begin(StoreFault.Outdated, "the restore epoch was bumped", () => throw new InvalidOperationException());

    /// <summary>A write has succeeded: what does not look any better at another look goes on, and all else is over.</summary>
    public void LookAgain()
    {
        KeyValuePair<StoreFault, Action?>[] lasting;
        lock (_gate) lasting = [.. _lasting];
        foreach (var (fault, lookAgain) in lasting)
        {
            try
            {
                lookAgain?.Invoke();
                End(fault);
            }
            catch (Exception error) when (error is SqliteException or InvalidOperationException or InvalidDataException)
            {
            }
        }
    }

    /// <summary>Names a record that listings leave out. Nothing else is wrong with the folder.</summary>
    public void Name(string record, string reason)
    {
        if (_named.Count < NamedAtMost && _named.TryAdd(record, true)) LogUnreadable(logger, VisibleText.Show(record), folder, reason);
    }

    private static StoreFault FaultOf(SqliteException error) => error.SqliteErrorCode switch
    {
        raw.SQLITE_FULL => StoreFault.Full,
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => StoreFault.Locked,
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => StoreFault.Damaged,
        raw.SQLITE_CANTOPEN or raw.SQLITE_READONLY or raw.SQLITE_PERM or raw.SQLITE_AUTH => StoreFault.Closed,
        _ => StoreFault.Failing,
    };

    private static string RemedyOf(StoreFault fault) => fault switch
    {
        StoreFault.Full => "Free space on its disk.",
        StoreFault.Locked => "Another process has locked leases.db: find it with lsof, and end it.",
        StoreFault.Damaged => "leases.db is damaged: stop the server, and restore the folder from a backup.",
        StoreFault.Closed => "Let the server read and write the folder and its files; see its disk's mount, and the limit of open files.",
        StoreFault.Outdated => "Restart the server.",
        _ => "See the system's log for faults of the disk.",
    };

    // SQLite's own words are for the log.
    private static string ToldOf(StoreFault fault) => $"The data folder is in trouble ({fault}), and the log says more. {RemedyOf(fault)}";

    private void Begin(StoreFault fault, string reason, Action? lookAgain)
    {
        lock (_gate)
        {
            if (!_lasting.TryAdd(fault, lookAgain)) return;
            _current ??= ToldOf(fault);
            LogBegun(logger, folder, fault, reason, RemedyOf(fault));
        }

        Begun?.Invoke();
    }

    private void End(StoreFault fault)
    {
        lock (_gate)
        {
            if (!_lasting.Remove(fault)) return;
            LogEnded(logger, folder, fault);
            _current = _lasting.Count == 0 ? null : ToldOf(_lasting.Keys.First());
        }
    }

    [LoggerMessage(7201, LogLevel.Error, "The data folder {Folder} is in trouble ({Fault}), and calls are refused: {Reason}. {Remedy}")]
    private static partial void LogBegun(ILogger logger, string folder, StoreFault fault, string reason, string remedy);

    [LoggerMessage(7203, LogLevel.Critical, "The data folder {Folder} is lost, and nothing is granted or renewed any more: {Reason}")]
    private static partial void LogLost(ILogger logger, string folder, string reason);

    [LoggerMessage(7204, LogLevel.Error, "The record of '{Record}' in {Folder} is left out of listings, since it cannot be read. {Reason}")]
    private static partial void LogUnreadable(ILogger logger, string record, string folder, string reason);

    [LoggerMessage(7202, LogLevel.Warning, "The data folder {Folder} is well again ({Fault} is over).")]
    private static partial void LogEnded(ILogger logger, string folder, StoreFault fault);
}

/// <summary>The kinds of fault that a data folder can have.</summary>
internal enum StoreFault
{
    /// <summary>There is no room.</summary>
    Full,

    /// <summary>Another process keeps a lock on the database.</summary>
    Locked,

    /// <summary>What is in the file is no database, or not as it should be.</summary>
    Damaged,

    /// <summary>The files cannot be opened or written.</summary>
    Closed,

    /// <summary>The disk fails to read, to write or to sync.</summary>
    Failing,

    /// <summary>The folder has another restore epoch than this process.</summary>
    Outdated,
}
