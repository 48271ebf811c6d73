using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace OrleansLeases.Embedded;

/// <summary>
/// A prepared statement on a connection of Microsoft.Data.Sqlite, used without its per-call command and reader objects:
/// the writer runs tens of thousands a second. Not thread-safe.
/// </summary>
internal sealed class Statement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    public Statement(SqliteConnection connection, string sql)
    {
        _database = connection.Handle ?? throw new InvalidOperationException("The connection is not open.");
        Check(raw.sqlite3_prepare_v2(_database, sql, out _statement));
    }

    public Statement Bind(int index, long value)
    {
        Check(raw.sqlite3_bind_int64(_statement, index, value));
        return this;
    }

    public Statement Bind(int index, long? value)
    {
        Check(value is { } number ? raw.sqlite3_bind_int64(_statement, index, number) : raw.sqlite3_bind_null(_statement, index));
        return this;
    }

    public Statement Bind(int index, string value)
    {
        Span<byte> utf8 = stackalloc byte[Encoding.UTF8.GetMaxByteCount(value.Length) <= 2048 ? 2048 : Encoding.UTF8.GetByteCount(value)];
        return Bind(index, utf8[..Encoding.UTF8.GetBytes(value, utf8)]);
    }

    public Statement Bind(int index, ReadOnlySpan<byte> utf8)
    {
        Check(raw.sqlite3_bind_text(_statement, index, utf8));
        return this;
    }

    /// <summary>Runs a statement that returns no rows, and makes it ready to be used again.</summary>
    /// <returns>How many rows it changed.</returns>
    public int Run()
    {
        var code = raw.sqlite3_step(_statement);
        raw.sqlite3_reset(_statement);
        if (code != raw.SQLITE_DONE) Check(code);
        return raw.sqlite3_changes(_database);
    }

    /// <summary>Goes to the next row; where there is none, the statement is ready to be used again.</summary>
    public bool Next()
    {
        var code = raw.sqlite3_step(_statement);
        if (code == raw.SQLITE_ROW) return true;
        raw.sqlite3_reset(_statement);
        if (code != raw.SQLITE_DONE) Check(code);
        return false;
    }

    /// <summary>Leaves the rows that are left.</summary>
    public void Reset() => raw.sqlite3_reset(_statement);

    public long Int64(int column) => raw.sqlite3_column_int64(_statement, column);

    public string Text(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string();

    public ReadOnlySpan<byte> Utf8(int column) => raw.sqlite3_column_blob(_statement, column);

    public void Dispose() => _statement.Dispose();

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK) SqliteException.ThrowExceptionForRC(code, _database);
    }
}
