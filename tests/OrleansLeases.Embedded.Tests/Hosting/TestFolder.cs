using Microsoft.Data.Sqlite;

namespace OrleansLeases.Embedded.Tests.Hosting;

/// <summary>A data folder of its own for a test, with a way into its database beside the service.</summary>
internal sealed class TestFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("orleans-leases-");

    public string Path => _folder.FullName;

    public string Database => HeldFolder.DatabaseOf(Path);

    /// <summary>A connection as another program would open it.</summary>
    public SqliteConnection Connect()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Database, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    public void Execute(string sql)
    {
        using var connection = Connect();
        connection.Run(sql);
    }

    public long Number(string sql)
    {
        using var connection = Connect();
        return (long)connection.Run(sql)!;
    }

    /// <summary>Counts the transactions in the write-ahead log: the frames that end one.</summary>
    public int CommitsInLog()
    {
        const int headerLength = 32;
        const int frameHeaderLength = 24;
        using var file = new FileStream(Database + "-wal", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var log = new BinaryReader(file);
        var header = log.ReadBytes(headerLength);
        if (header.Length < headerLength) return 0;
        var pageSize = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(8));
        var commits = 0;
        while (log.ReadBytes(frameHeaderLength) is { Length: frameHeaderLength } frame && log.ReadBytes(pageSize).Length == pageSize)
        {
            // The size of the database after the transaction; 0 in a frame that does not end one. A salt of its own marks old frames.
            var current = frame.AsSpan(8, 8).SequenceEqual(header.AsSpan(16, 8));
            if (current && System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(4)) != 0) commits++;
        }

        return commits;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

internal static class Sql
{
    public static object? Run(this SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Tests write their statements themselves.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }
}
