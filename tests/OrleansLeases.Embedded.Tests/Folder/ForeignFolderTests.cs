using Microsoft.Data.Sqlite;
using OrleansLeases.Embedded.Tests.Hosting;

namespace OrleansLeases.Embedded.Tests.Folder;

/// <summary>What is no lease database is refused in one sentence and left as it was, by whatever opens it.</summary>
public sealed class ForeignFolderTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public static TheoryData<string> Foreign => new()
    {
        "CREATE TABLE songs (name TEXT)",
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL); INSERT INTO meta VALUES ('schema', 'x'), ('epoch', 'y')",
        "CREATE TABLE meta (a, b); CREATE TABLE lease (c)",
        "CREATE TABLE meta (name, value); CREATE TABLE lease (c); INSERT INTO meta VALUES ('schema', 'x')",
        "PRAGMA application_id = 1; CREATE TABLE meta (name TEXT, value INTEGER); CREATE TABLE lease (c); INSERT INTO meta VALUES "
            + "('schema', 1), ('epoch', 0)",
        "PRAGMA application_id = 1",
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Foreign))]
    public async Task DatabaseOfSomethingElse_IsRefusedAndNotChanged(string sql)
    {
        using (var connection = new SqliteConnection($"Data Source={_folder.Database};Pooling=False"))
        {
            connection.Open();
            connection.Run(sql);
        }

        var before = await File.ReadAllBytesAsync(_folder.Database);

        await RefusedAsync();
        Assert.Equal(before, await File.ReadAllBytesAsync(_folder.Database));
    }

    [Fact]
    public async Task DamagedDatabase_IsRefusedAndNotChanged()
    {
        await (await EmbeddedLeases.OpenAsync(_folder.Path)).DisposeAsync();
        var bytes = await File.ReadAllBytesAsync(_folder.Database);
        Array.Fill(bytes, (byte)0xAA, 100, 900);
        await File.WriteAllBytesAsync(_folder.Database, bytes);

        await RefusedAsync();
        Assert.Equal(bytes, await File.ReadAllBytesAsync(_folder.Database));
    }

    [Fact]
    public async Task FolderInThePlaceOfTheDatabase_IsRefused()
    {
        Directory.CreateDirectory(_folder.Database);
        await RefusedAsync();
    }

    [Fact]
    public async Task FolderInThePlaceOfTheLock_IsRefused()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "leases.lock"));
        await Assert.ThrowsAsync<IOException>(() => EmbeddedLeases.OpenAsync(_folder.Path));
    }

    [Fact]
    public async Task LinkToNothing_IsRefused()
    {
        File.CreateSymbolicLink(_folder.Database, Path.Combine(_folder.Path, "nothing"));
        Assert.True(await Record.ExceptionAsync(() => EmbeddedLeases.OpenAsync(_folder.Path)) is IOException);
        Assert.False(File.Exists(Path.Combine(_folder.Path, "nothing")));
    }

    [Fact]
    public async Task LogWithoutItsDatabase_IsNotThrownAway()
    {
        await File.WriteAllTextAsync(_folder.Database + "-wal", "the last commits");
        await RefusedAsync();
        Assert.Equal("the last commits", await File.ReadAllTextAsync(_folder.Database + "-wal"));
    }

    private async Task RefusedAsync()
    {
        foreach (var open in new Func<Task>[]
        {
            () => EmbeddedLeases.OpenAsync(_folder.Path),
            () => Task.Run(() => DataFolder.ReadEpoch(_folder.Path)),
            () => Task.Run(() => DataFolder.BumpEpoch(_folder.Path)),
        })
        {
            var error = await Record.ExceptionAsync(open);
            Assert.True(error is IOException or InvalidDataException, $"{error}");
            Assert.Contains(_folder.Path, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }
    }
}
