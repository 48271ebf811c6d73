using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace OrleansLeases.Embedded;

/// <summary>The database file: how it is opened, and what is in it.</summary>
internal static class LeaseDatabase
{
    public const int Schema = 3;

    /// <summary>How many leases and keys have a record, as every transaction counts them.</summary>
    public const string ReadRecords = "SELECT value FROM meta WHERE name = 'records'";

    // "LEAS": what says in a file of SQLite's whose it is.
    private const int ApplicationId = 0x4C454153;

    // A commit writes every page it touches. Records are small and spread, so small pages keep a batch small. Decision small-pages.
    private const int PageSize = 1024;

    // Pages of the log after which a commit copies them into the file: everybody waits for that, so it is done in small
    // portions. No other connection may do it beside the writer: SQLite before 3.51.3 then loses commits.
    // Decision background-on-one-thread.
    private const int LongestLog = 2048;

    // Whether a resource has a holder, and a key a value, was in the records alone. What has a holder is due some time. A
    // record that is damaged counts as held: better one too many in a listing than one missing.
    private const string ToSchema2 = """
        ALTER TABLE lease ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
        UPDATE lease SET held = 1 WHERE due IS NOT NULL;
        ALTER TABLE keys ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
        UPDATE keys SET held = 1 WHERE CASE WHEN json_valid(state) THEN coalesce(json_type(state, '$.val'), 'null') <> 'null' ELSE 1 END;
        UPDATE meta SET value = 2 WHERE name = 'schema';
        """;

    // What is free counts as idle since the upgrade. A default is no write: the rows stay as they are.
    // No key of before has a time of its own.
    private static string ToSchema3(long now) => $"""
        ALTER TABLE lease ADD COLUMN idle INTEGER DEFAULT {now};
        ALTER TABLE keys ADD COLUMN idle INTEGER DEFAULT {now};
        ALTER TABLE keys ADD COLUMN due INTEGER;
        UPDATE meta SET value = 3 WHERE name = 'schema';
        """;

    public static SqliteConnection Open(string file, bool readOnly = false)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Mode = readOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWrite,
            // A closed connection must be closed: the file is given back to the next process, or reopened after a fault.
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString());
        connection.Open();
        if (readOnly)
        {
            // Nobody but the writer copies the log, and a reader that closes last not either.
            raw.sqlite3_db_config(connection.Handle, raw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, out _);
            Execute(connection, "PRAGMA busy_timeout = 5000; PRAGMA cache_size = -4096");
            return connection;
        }

        Execute(connection, $"""
            PRAGMA page_size = {PageSize};
            PRAGMA auto_vacuum = INCREMENTAL;
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            PRAGMA busy_timeout = 5000;
            PRAGMA cache_size = -8192;
            PRAGMA wal_autocheckpoint = {LongestLog};
            """);
        return connection;
    }

    /// <summary>
    /// Writes the commits of the log into the file and empties the log, before anything is read: a process that was killed, or whose
    /// sync failed, may have left commits there that are in the system's cache and not on the disk. If responses relied on them, a
    /// loss of power would undo them, and cut off what was written after them.
    /// Decision log-is-emptied-at-open.
    /// </summary>
    /// <exception cref="SqliteException">It failed, or other connections read the log.</exception>
    public static void Settle(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
        if ((long)command.ExecuteScalar()! != 0) throw new SqliteException("The log is being read.", raw.SQLITE_BUSY);
    }

    /// <summary>Reads what a file is without changing it; null where there is no database yet.</summary>
    /// <exception cref="InvalidDataException">It is something else, or a newer version made it.</exception>
    /// <exception cref="SqliteException">It is damaged, or cannot be read.</exception>
    public static FolderState? Inspect(string file)
    {
        if (Directory.Exists(file)) throw new InvalidDataException($"'{file}' is a folder and has to be a file.");
        if (new FileInfo(file) is not { Exists: true, Length: > 0 })
        {
            // SQLite would throw that log away.
            if (new FileInfo(file + "-wal") is { Exists: true, Length: > 0 })
                throw new InvalidDataException(
                    $"'{file}' is missing or empty, but its log '{file}-wal' is there. Put the file back, or restore a backup.");
            return null;
        }

        using var connection = Open(file, readOnly: true);
        var application = Number(connection, "PRAGMA application_id");
        if (application == 0 && Number(connection, "SELECT count(*) FROM sqlite_schema") == 0) return null;
        if (application is not (0 or ApplicationId) || !HasMeta(connection)
            || Number(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'lease'") == 0)
            throw new InvalidDataException($"'{file}' is a database of something else. Name another folder.");
        CheckedSchema(connection);
        return ReadState(connection);
    }

    public static FolderState ReadState(SqliteConnection connection) =>
        new(ReadMeta(connection, "store", missing: 0), ReadMeta(connection, "change", missing: 0), ReadMeta(connection, "epoch"));

    /// <summary>Looks at every page and every index of a database.</summary>
    /// <exception cref="InvalidDataException">Something is wrong; the message has the first of it.</exception>
    public static void Verify(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA integrity_check(1)";
        if (command.ExecuteScalar() is not "ok" and var found) throw new InvalidDataException($"The database is damaged: {found}");
    }

    /// <summary>Makes what is missing, and refuses what a newer version made.</summary>
    public static void Prepare(SqliteConnection connection)
    {
        // Looked at first: a file that is refused is not written to.
        var found = HasMeta(connection) ? CheckedSchema(connection) : Schema;
        Settle(connection);
        Execute(connection, $"""
            BEGIN IMMEDIATE;
            {(found < 2 ? ToSchema2 : "")}
            {(found < 3 ? ToSchema3(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()) : "")}
            CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
            INSERT OR IGNORE INTO meta VALUES ('schema', {Schema}), ('epoch', 0), ('change', 0), ('store', random() & 0x7FFFFFFFFFFFFFFF);
            CREATE TABLE IF NOT EXISTS lease (
                id INTEGER PRIMARY KEY,
                resource TEXT NOT NULL UNIQUE,
                version INTEGER NOT NULL,
                due INTEGER,
                state TEXT NOT NULL,
                held INTEGER NOT NULL DEFAULT 0,
                idle INTEGER);
            CREATE INDEX IF NOT EXISTS lease_due ON lease (due) WHERE due IS NOT NULL;
            CREATE INDEX IF NOT EXISTS lease_idle ON lease (idle) WHERE idle IS NOT NULL;
            CREATE INDEX IF NOT EXISTS lease_held ON lease (resource) WHERE held;
            CREATE TABLE IF NOT EXISTS lease_log (
                resource TEXT NOT NULL,
                slot INTEGER NOT NULL,
                entries TEXT NOT NULL,
                PRIMARY KEY (resource, slot)) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS keys (
                id INTEGER PRIMARY KEY,
                name TEXT NOT NULL UNIQUE,
                version INTEGER NOT NULL,
                state TEXT NOT NULL,
                held INTEGER NOT NULL DEFAULT 0,
                idle INTEGER,
                due INTEGER);
            CREATE INDEX IF NOT EXISTS keys_held ON keys (name) WHERE held;
            CREATE INDEX IF NOT EXISTS keys_idle ON keys (idle) WHERE idle IS NOT NULL AND NOT held;
            CREATE INDEX IF NOT EXISTS keys_due ON keys (due) WHERE due IS NOT NULL;
            CREATE TABLE IF NOT EXISTS floor (
                kind INTEGER NOT NULL,
                shard INTEGER NOT NULL,
                token INTEGER NOT NULL,
                sequence INTEGER NOT NULL,
                PRIMARY KEY (kind, shard)) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS service (
                id INTEGER PRIMARY KEY,
                name TEXT NOT NULL UNIQUE,
                version INTEGER NOT NULL,
                state TEXT NOT NULL,
                held INTEGER NOT NULL DEFAULT 0);
            CREATE TABLE IF NOT EXISTS trial (block BLOB NOT NULL);
            CREATE TABLE IF NOT EXISTS keys_log (
                name TEXT NOT NULL,
                slot INTEGER NOT NULL,
                entries TEXT NOT NULL,
                PRIMARY KEY (name, slot)) WITHOUT ROWID;
            INSERT INTO meta SELECT 'records', (SELECT count(*) FROM lease) + (SELECT count(*) FROM keys)
            WHERE NOT EXISTS (SELECT 1 FROM meta WHERE name = 'records');
            COMMIT;
            """);
        if (Number(connection, "PRAGMA application_id") != ApplicationId) Execute(connection, $"PRAGMA application_id = {ApplicationId}");
    }

    private static bool HasMeta(SqliteConnection connection) =>
        Number(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'") == 1;

    private static long CheckedSchema(SqliteConnection connection)
    {
        var schema = ReadMeta(connection, "schema");
        return schema is > 0 and <= Schema ? schema : throw new InvalidDataException(
            $"The data folder has schema {schema}; this version reads up to {Schema}. Run the version that wrote it, or a newer one.");
    }

    public static long ReadMeta(SqliteConnection connection, string name, long? missing = null)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT value FROM meta WHERE name = $name";
        command.Parameters.AddWithValue("$name", name);
        return command.ExecuteScalar() as long? ?? missing
            ?? throw new InvalidDataException($"'{connection.DataSource}' lacks its {name}; it is not a lease database.");
    }

    public static long Number(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Every statement is a constant of this assembly.
        command.CommandText = sql;
#pragma warning restore CA2100
        return (long)command.ExecuteScalar()!;
    }

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Every statement is a constant of this file.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
