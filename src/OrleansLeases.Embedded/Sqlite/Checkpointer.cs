using Microsoft.Data.Sqlite;

namespace OrleansLeases.Embedded;

/// <summary>
/// Copies what was committed from the log into the file itself, on a thread of its own: a commit that had to do it would
/// keep everybody waiting for tens of milliseconds.
/// </summary>
/// <remarks>
/// It is passive: it waits for nobody, and nobody for it. The log starts over at the first write that finds all of it
/// copied. Under writes without a pause no write does; then the commit that finds the log very long copies the little
/// that is left. See https://sqlite.org/wal.html#ckpt.
/// </remarks>
internal sealed class Checkpointer : IDisposable
{
    // Pages written between two runs: few, since commits share the disk with a run and little should be left to the one
    // that finds the log long; and many enough that a page which changes often is not copied each time.
    private const int RunAfter = 1024;

    private readonly object _gate = new();
    private readonly string _file;
    private readonly Thread _thread;
    private int _pages;
    private bool _closing;

    public Checkpointer(string file)
    {
        _file = file;
        _thread = new Thread(Run) { IsBackground = true, Name = "lease checkpointer" };
        _thread.Start();
    }

    /// <summary>Tells of a commit.</summary>
    /// <param name="pages">How many pages it wrote to the log.</param>
    public void Committed(int pages)
    {
        lock (_gate)
        {
            _pages += pages;
            if (_pages >= RunAfter) Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits for the run under way, and closes the file.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _closing = true;
            Monitor.Pulse(_gate);
        }

        _thread.Join();
    }

    private void Run()
    {
        SqliteConnection? connection = null;
        while (IsDue())
        {
            try
            {
                connection ??= LeaseDatabase.Open(_file);
                LeaseDatabase.Execute(connection, "PRAGMA wal_checkpoint(PASSIVE)");
            }
            catch (SqliteException)
            {
                // Nothing is lost with it: what was committed is in the log. A disk that fails is told by the next commit.
                connection?.Dispose();
                connection = null;
            }
        }

        connection?.Dispose();
    }

    private bool IsDue()
    {
        lock (_gate)
        {
            while (_pages < RunAfter && !_closing) Monitor.Wait(_gate);
            _pages = 0;
            return !_closing;
        }
    }
}
