using OrleansLeases.Embedded.Tests.Hosting;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Folder;

/// <summary>A folder knows what was granted in it: with less than that it is refused, and every later token is greater.</summary>
public sealed class KnownLossTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public static TheoryData<string, Action<string>> Losses => new()
    {
        { "missing", file => File.Delete(file) },
        { "empty", file => File.WriteAllBytes(file, []) },
        { "older", file => File.Copy(file + ".old", file, overwrite: true) },
        { "another's", file => File.Copy(file + ".other", file, overwrite: true) },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Losses))]
    public async Task Database_WithLessThanTheFolderKnows_IsRefusedUntilTheEpochIsBumped(string how, Action<string> lose)
    {
        await MakeAnotherAsync();
        await GrantInAsync(_folder.Path, 1);
        File.Copy(_folder.Database, _folder.Database + ".old");
        var highest = await GrantInAsync(_folder.Path, 50);

        lose(_folder.Database);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => EmbeddedLeases.OpenAsync(_folder.Path));
        Assert.True(
            error.Message.Contains("leases restore", StringComparison.Ordinal)
                && error.Message.Contains("leases epoch bump", StringComparison.Ordinal), how);
        await Assert.ThrowsAsync<InvalidDataException>(() => EmbeddedLeases.OpenAsync(_folder.Path));
        Assert.Equal(1, DataFolder.BumpEpoch(_folder.Path));
        Assert.True(await GrantInAsync(_folder.Path, 1) > highest);
    }

    [Fact]
    public async Task LogThatWasCut_IsNamedWithWhatIsMissing()
    {
        using var crashed = new TestFolder();
        await using (var leases = await EmbeddedLeases.OpenAsync(_folder.Path))
        {
            for (var i = 0; i < 50; i++) await leases.GrantAsync(By("ann", $"r{i}"));
            CopyAsAfterACrash(crashed);
        }

        using (var log = new FileStream(crashed.Database + "-wal", FileMode.Open)) log.SetLength(log.Length / 2);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => EmbeddedLeases.OpenAsync(crashed.Path));
        Assert.Matches("end at change [1-9][0-9] of 50: [1-9][0-9] are missing", error.Message);
    }

    [Fact]
    public async Task FolderOfAKilledProcess_Opens()
    {
        using var crashed = new TestFolder();
        await using (var leases = await EmbeddedLeases.OpenAsync(_folder.Path))
        {
            for (var i = 0; i < 50; i++) await leases.GrantAsync(By("ann", $"r{i}"));
            CopyAsAfterACrash(crashed);
        }

        await using var after = await EmbeddedLeases.OpenAsync(crashed.Path);
        for (var i = 0; i < 50; i++) await after.RefusedAsync<Refusal.Held>(By("bob", $"r{i}"));
    }

    [Fact]
    public async Task MarkThatIsBehind_AsAfterALossOfPower_IsNoLoss()
    {
        await GrantInAsync(_folder.Path, 1);
        var behind = await File.ReadAllBytesAsync(FolderMark.FileOf(_folder.Path));
        await GrantInAsync(_folder.Path, 50);
        await File.WriteAllBytesAsync(FolderMark.FileOf(_folder.Path), behind);

        await GrantInAsync(_folder.Path, 1);
        Assert.Equal(_folder.Number("SELECT value FROM meta WHERE name = 'change'"), FolderMark.Read(_folder.Path)!.Value.Change);
    }

    [Fact]
    public async Task MarkWithOneTornRecord_IsReadByTheOther()
    {
        await GrantInAsync(_folder.Path, 3);
        var change = FolderMark.Read(_folder.Path)!.Value.Change;
        await using (var file = new FileStream(FolderMark.FileOf(_folder.Path), FileMode.Open))
        {
            file.Position = (change % 2 * 512) + 20;
            file.WriteByte(0xFF);
        }

        Assert.Equal(change - 1, FolderMark.Read(_folder.Path)!.Value.Change);
        await GrantInAsync(_folder.Path, 1);
    }

    [Fact]
    public async Task DatabaseOfBeforeThereWasAMark_IsTakenOver()
    {
        await GrantInAsync(_folder.Path, 3);
        _folder.Execute("DELETE FROM meta WHERE name IN ('store', 'change')");
        File.Delete(FolderMark.FileOf(_folder.Path));

        await GrantInAsync(_folder.Path, 1);

        Assert.Equal(_folder.Number("SELECT value FROM meta WHERE name = 'store'"), FolderMark.Read(_folder.Path)!.Value.Store);
    }

    private static async Task<long> GrantInAsync(string folder, int times)
    {
        await using var leases = await EmbeddedLeases.OpenAsync(folder);
        var token = 0L;
        for (var i = 0; i < times; i++)
        {
            var grant = await leases.GrantAsync(By("ann"));
            token = grant.Token;
            await leases.ReleaseAsync(grant);
        }

        return token;
    }

    // What a process that was killed leaves. Nobody writes meanwhile.
    private void CopyAsAfterACrash(TestFolder crashed)
    {
        foreach (var name in new[] { "leases.db", "leases.db-wal", "leases.mark" })
            File.Copy(Path.Combine(_folder.Path, name), Path.Combine(crashed.Path, name));
    }

    private async Task MakeAnotherAsync()
    {
        using var other = new TestFolder();
        await GrantInAsync(other.Path, 100);
        File.Copy(other.Database, _folder.Database + ".other");
    }
}
