using Microsoft.Data.Sqlite;
using OrleansLeases.Embedded.Tests.Hosting;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Sqlite;

/// <summary>What was committed gets from the log into the file without a commit that does it.</summary>
public sealed class CheckpointerTests : IDisposable
{
    private const int Enough = 1024;

    private readonly TestFolder _folder = new();

    [Fact]
    public async Task LogThatGrew_IsCopied()
    {
        using var writer = Prepare();
        var before = new FileInfo(_folder.Database).Length;
        using var checkpointer = new Checkpointer(_folder.Database);

        Write(writer, Enough);
        checkpointer.Committed(Enough);

        await UntilAsync(() => Task.FromResult(new FileInfo(_folder.Database).Length > before + (Enough * 1024)));
    }

    [Fact]
    public async Task FileThatCannotBeRead_IsTriedAgain()
    {
        using (var writer = Prepare()) Write(writer, Enough);
        var elsewhere = _folder.Database + ".elsewhere";
        File.Move(_folder.Database, elsewhere);
        Directory.CreateDirectory(_folder.Database);
        using var checkpointer = new Checkpointer(_folder.Database);
        checkpointer.Committed(Enough);

        Directory.Delete(_folder.Database);
        File.Move(elsewhere, _folder.Database);
        using var later = Prepare();
        var before = new FileInfo(_folder.Database).Length;
        Write(later, Enough);

        await UntilAsync(() =>
        {
            checkpointer.Committed(Enough);
            return Task.FromResult(new FileInfo(_folder.Database).Length > before);
        });
    }

    public void Dispose() => _folder.Dispose();

    private SqliteConnection Prepare()
    {
        var connection = LeaseDatabase.Open(_folder.Database);
        connection.Run("PRAGMA wal_autocheckpoint = 0; CREATE TABLE IF NOT EXISTS page (content BLOB)");
        return connection;
    }

    private static void Write(SqliteConnection connection, int pages) =>
        connection.Run($"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {pages}) INSERT INTO page SELECT randomblob(1200) FROM n");
}
