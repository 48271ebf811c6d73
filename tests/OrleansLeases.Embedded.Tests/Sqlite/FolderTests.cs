using OrleansLeases.Embedded.Tests.Hosting;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Sqlite;

/// <summary>One service has a folder; and what is no folder of this version is refused with the remedy.</summary>
public sealed class FolderTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task SecondOpen_IsRefusedByNameWithTheRemedy()
    {
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path);

        var error = await Assert.ThrowsAsync<DataFolderInUseException>(() => EmbeddedLeases.OpenAsync(_folder.Path));

        Assert.Equal(
            $"The data folder '{_folder.Path}' is in use by another process. Stop that process, or name another folder.", error.Message);
        await leases.GrantAsync(By("ann"));
    }

    [Fact]
    public async Task FolderThatDoesNotExist_IsMade()
    {
        var inside = Path.Combine(_folder.Path, "a", "b");
        await using var leases = await EmbeddedLeases.OpenAsync(inside);

        await leases.GrantAsync(By("ann"));

        Assert.True(File.Exists(Path.Combine(inside, "leases.db")));
    }

    [Fact]
    public async Task NewerSchema_IsRefusedAndLeftAlone()
    {
        await using (await EmbeddedLeases.OpenAsync(_folder.Path))
        {
        }

        _folder.Execute("UPDATE meta SET value = 99 WHERE name = 'schema'");

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => EmbeddedLeases.OpenAsync(_folder.Path));

        Assert.Contains("schema 99", error.Message, StringComparison.Ordinal);
        Assert.Contains("newer", error.Message, StringComparison.Ordinal);
        Assert.Equal(99, _folder.Number("SELECT value FROM meta WHERE name = 'schema'"));
        Assert.Throws<InvalidDataException>(() => DataFolder.BumpEpoch(_folder.Path));
        // The refusal let go of the folder.
        _folder.Execute("UPDATE meta SET value = 3 WHERE name = 'schema'");
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path);
    }

    [Fact]
    public async Task Failure_OfSqlite_IsToldWithoutItsWords()
    {
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path);
        await leases.GrantAsync(By("ann"));
        _folder.Execute("ALTER TABLE lease RENAME TO elsewhere");

        var listing = (await leases.ListAsync(new ListLeasesRequest())).Refusal;
        var read = (await leases.GetAsync(new GetLeaseRequest { Resource = "another" })).Refusal;
        _folder.Execute("ALTER TABLE elsewhere RENAME TO lease");

        foreach (var refusal in new[] { listing, read })
        {
            var told = Assert.IsType<Refusal.Unavailable>(refusal).Detail;
            Assert.DoesNotContain("SQLite", told, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("table", told, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task RecordOfANewerSchema_IsUnavailableAndLeftAlone()
    {
        await using (var before = await EmbeddedLeases.OpenAsync(_folder.Path)) await before.GrantAsync(By("ann"));
        _folder.Execute("UPDATE lease SET state = replace(state, '\"v\":1', '\"v\":99')");
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path);

        var refusal = await leases.RefusedAsync<Refusal.Unavailable>(By("bob"));

        Assert.Contains("schema 99", refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(1, _folder.Number("SELECT count(*) FROM lease WHERE state LIKE '%\"v\":99%'"));
        await leases.GrantAsync(By("bob", "another"));
    }

    [Fact]
    public async Task FileThatIsNoDatabase_IsRefused()
    {
        await File.WriteAllTextAsync(_folder.Database, new string('x', 4096));

        var error = await Assert.ThrowsAsync<IOException>(() => EmbeddedLeases.OpenAsync(_folder.Path));

        Assert.Contains(_folder.Path, error.Message, StringComparison.Ordinal);
        Assert.Equal(new string('x', 4096), await File.ReadAllTextAsync(_folder.Database));
    }

    [Fact]
    public async Task Backup_ByCopyOfAClosedFolder_OpensWithEverything()
    {
        using var copy = new TestFolder();
        LeaseGrant grant;
        await using (var before = await EmbeddedLeases.OpenAsync(_folder.Path)) grant = await before.GrantAsync(By("ann"));
        File.Copy(_folder.Database, copy.Database);
        await using var after = await EmbeddedLeases.OpenAsync(copy.Path);

        Assert.Equal(grant.Token, (await after.RenewAsync(grant)).Value.Token);
    }
}
