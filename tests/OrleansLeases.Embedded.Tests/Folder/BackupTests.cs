using System.Runtime.Versioning;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Folder;

/// <summary>A copy of a folder in use, and a folder out of such a copy, with tokens that go on growing.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class BackupTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly TestFolder _copies = new();

    private string Backup => Path.Combine(_copies.Path, "backup.db");

    public void Dispose()
    {
        _folder.Dispose();
        _copies.Dispose();
    }

    [Fact]
    public async Task Backup_WhileOthersGrant_HasWhatWasGrantedBefore()
    {
        using var restored = new TestFolder();
        await using (var leases = await EmbeddedLeases.OpenAsync(_folder.Path))
        {
            for (var i = 0; i < 200; i++) await leases.GrantAsync(By("ann", $"before/{i}"));
            using var stop = new CancellationTokenSource();
            var busy = Task.Run(async () =>
            {
                for (var i = 0; !stop.IsCancellationRequested; i++) await leases.GrantAsync(By("ann", $"meanwhile/{i}"));
            });
            await Task.Run(() => DataFolder.BackUp(_folder.Path, Backup));
            await stop.CancelAsync();
            await busy;
            // It is not in anybody's way.
            await leases.GrantAsync(By("ann", "after"));
        }

        Assert.Equal([Backup], Directory.GetFiles(_copies.Path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Backup));
        DataFolder.Restore(Backup, restored.Path);
        await using var after = await EmbeddedLeases.OpenAsync(restored.Path);
        for (var i = 0; i < 200; i++) await after.RefusedAsync<Refusal.Held>(By("bob", $"before/{i}"));
    }

    [Fact]
    public async Task Backup_LeavesTheLogOfAKilledServerAlone()
    {
        using var crashed = new TestFolder();
        await using (var leases = await EmbeddedLeases.OpenAsync(_folder.Path))
        {
            await leases.GrantAsync(By("ann"));
            foreach (var name in new[] { "leases.db", "leases.db-wal", "leases.mark" })
            {
                File.Copy(Path.Combine(_folder.Path, name), Path.Combine(crashed.Path, name));
            }
        }

        var log = await File.ReadAllBytesAsync(crashed.Database + "-wal");
        DataFolder.BackUp(crashed.Path, Backup);

        Assert.Equal(log, await File.ReadAllBytesAsync(crashed.Database + "-wal"));
        await using var after = await EmbeddedLeases.OpenAsync(crashed.Path);
        await after.RefusedAsync<Refusal.Held>(By("bob"));
    }

    [Fact]
    public async Task Backup_OverAFile_IsRefused()
    {
        await (await EmbeddedLeases.OpenAsync(_folder.Path)).DisposeAsync();
        await File.WriteAllTextAsync(Backup, "mine");

        Assert.Contains(
            Backup, Assert.Throws<IOException>(() => DataFolder.BackUp(_folder.Path, Backup)).Message, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(Backup));
    }

    [Fact]
    public async Task Backup_OfDamagedRecords_IsRefusedAndLeavesNothing()
    {
        await using (var leases = await EmbeddedLeases.OpenAsync(_folder.Path))
            for (var i = 0; i < 200; i++) await leases.GrantAsync(By("ann", $"r/{i}"));
        await using (var file = new FileStream(_folder.Database, FileMode.Open))
        {
            file.Position = file.Length / 2;
            file.Write(Enumerable.Repeat((byte)0xAA, 4096).ToArray());
        }

        Assert.True(Record.Exception(() => DataFolder.BackUp(_folder.Path, Backup)) is IOException or InvalidDataException);
        Assert.Empty(Directory.GetFiles(_copies.Path));
    }

    [Fact]
    public async Task Restore_MakesEveryTokenGreater_AndKeepsWhatWasThere()
    {
        await GrantAsync();
        DataFolder.BackUp(_folder.Path, Backup);
        var highest = 0L;
        for (var i = 0; i < 5; i++) highest = await GrantAsync();

        var restored = DataFolder.Restore(Backup, _folder.Path, new ManualTimeProvider());

        Assert.Equal(1, restored.Epoch);
        Assert.True(await GrantAsync() > highest);
        // What was kept is a data folder itself.
        await using var aside = await EmbeddedLeases.OpenAsync(restored.Aside!);
        Assert.Equal(0, (await aside.InfoAsync()).Value.Epoch);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Restore_IntoAFolderWhoseDatabaseIsGone_KnowsItsEpoch(bool missing)
    {
        await GrantAsync();
        DataFolder.BackUp(_folder.Path, Backup);
        Assert.Equal(1, DataFolder.BumpEpoch(_folder.Path));
        var highest = await GrantAsync();
        if (missing) File.Delete(_folder.Database);
        else await File.WriteAllTextAsync(_folder.Database, "no database");

        Assert.Equal(2, DataFolder.Restore(Backup, _folder.Path).Epoch);
        Assert.True(await GrantAsync() > highest);
    }

    [Fact]
    public async Task Restore_UnderARunningService_IsRefused()
    {
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path);
        await leases.GrantAsync(By("ann"));
        DataFolder.BackUp(_folder.Path, Backup);

        Assert.Throws<DataFolderInUseException>(() => DataFolder.Restore(Backup, _folder.Path));
        await leases.RefusedAsync<Refusal.Held>(By("bob"));
    }

    [Fact]
    public async Task Restore_OfWhatIsNoBackup_ChangesNothing()
    {
        await GrantAsync();
        await File.WriteAllTextAsync(Backup, new string('x', 4096));

        Assert.Throws<IOException>(() => DataFolder.Restore(Backup, _folder.Path));
        Assert.Throws<FileNotFoundException>(() => DataFolder.Restore(Backup + ".none", _folder.Path));
        await GrantAsync();
        Assert.Equal(0, DataFolder.ReadEpoch(_folder.Path));
    }

    private async Task<long> GrantAsync()
    {
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path);
        var grant = await leases.GrantAsync(By("ann"));
        await leases.ReleaseAsync(grant);
        return grant.Token;
    }
}
