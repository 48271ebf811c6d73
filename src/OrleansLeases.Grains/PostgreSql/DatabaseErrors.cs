using System.Net.Sockets;
using Npgsql;

namespace OrleansLeases.Grains;

/// <summary>What an error of the database says about a write. Decision only-errors-are-certain.</summary>
internal static class DatabaseErrors
{
    private const string OutOfMemory = "53200";
    private const string LockNotAvailable = "55P03";

    // Npgsql has no code for these. The second and the third are of several hosts, the next two of a data source's own passwords, the
    // last two of TLS.
    private static readonly string[] NoConnection =
    [
        "Failed to connect to ",
        "Unable to connect to a suitable host",
        "No suitable host was found",
        "An exception was thrown from the password provider",
        "An exception was thrown from the periodic password provider",
        "The connection pool has been exhausted",
        "SSL connection requested.",
        "Exception while performing SSL handshake",
    ];

    /// <summary>Whether a write that failed with this error certainly changed nothing.</summary>
    /// <param name="error">What the provider threw.</param>
    /// <returns>False where it may have been written, or may yet be.</returns>
    // A statement that the server refuses is rolled back whole. Not so where it ended the session or itself (FATAL, PANIC):
    // that may be after the commit. 40003 and 25P04 say that the outcome is open; classes 08 and 57 are about the connection.
    public static bool SurelyNotWritten(Exception error) => IsNotConnected(error)
        || (RefusalOf(error) is { } state
            && (state[..2] is "22" or "23" or "25" or "40" or "42" or "53" or "54" or "P0" || state == LockNotAvailable));

    /// <summary>
    /// Whether a statement certainly changed nothing because of something that one of its rows, or its size, may have brought about:
    /// the others may fare better without that row.
    /// </summary>
    /// <param name="error">What the provider threw.</param>
    /// <returns>False where the outcome is open, and where no row would fare better by itself.</returns>
    public static bool MayBeOfOneRow(Exception error) =>
        RefusalOf(error) is { } state && (state[..2] is "22" or "23" or "40" or "54" or "P0" || state is OutOfMemory or LockNotAvailable);

    /// <summary>Whether of two that met one was undone: it lost its compare-and-swap.</summary>
    /// <param name="error">What the provider threw.</param>
    /// <returns>True for what isolation and deadlocks undo.</returns>
    // That is how a database says it that makes more of isolation.
    public static bool WasUndone(Exception error) => error is PostgresException { SqlState: "40001" or "40P01" };

    private static string? RefusalOf(Exception error) =>
        error is PostgresException { InvariantSeverity: "ERROR", SqlState: { Length: 5 } state } && state is not ("40003" or "25P04")
            ? state
            : null;

    // Nothing was sent. The server says so before a session begins: no connection is left, it starts up or shuts down, the user or
    // the database is none of its. Npgsql says it where it reaches no server, has no password, or has no connection to spare in its pool.
    private static bool IsNotConnected(Exception error) => error switch
    {
        PostgresException { InvariantSeverity: "FATAL", SqlState: { Length: 5 } state } =>
            state is "53300" or "57P03" or "3D000" || state[..2] == "28",
        NpgsqlException => Array.Exists(NoConnection, start => error.Message.StartsWith(start, StringComparison.Ordinal))
            || IsNameNotFound(error.InnerException),
        _ => IsNameNotFound(error),
    };

    private static bool IsNameNotFound(Exception? error) =>
        error is SocketException { StackTrace: { } trace } && trace.Contains("System.Net.Dns.", StringComparison.Ordinal);
}
