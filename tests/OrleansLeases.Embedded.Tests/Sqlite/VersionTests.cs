using OrleansLeases.Embedded.Tests.Hosting;

namespace OrleansLeases.Embedded.Tests.Sqlite;

/// <summary>The SQLite that the packages bring along: before 3.51.3 two connections could lose commits (decision 75).</summary>
public sealed class VersionTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Sqlite_LosesNoCommitsWhereTwoConnectionsMeet()
    {
        await using (await EmbeddedLeases.OpenAsync(_folder.Path)) { }

        using var connection = _folder.Connect();
        var version = (string)connection.Run("SELECT sqlite_version()")!;

        Assert.True(Version.Parse(version) >= new Version(3, 51, 3), $"SQLite is {version}; https://sqlite.org/wal.html#walresetbug");
    }
}
