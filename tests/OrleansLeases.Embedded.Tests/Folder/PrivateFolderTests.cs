using System.Runtime.Versioning;
using OrleansLeases.Embedded.Tests.Hosting;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Folder;

/// <summary>Other users cannot open what is in the folder: a lock that they took would stop all writes, or the start.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class PrivateFolderTests : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode All =
        Owner | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead
            | UnixFileMode.OtherExecute;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task NewFolder_AndEveryFileInIt_IsItsOwnersAlone()
    {
        var folder = Path.Combine(_folder.Path, "made");
        await using var leases = await EmbeddedLeases.OpenAsync(folder);
        await leases.GrantAsync(By("ann"));

        Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        AllAreTheOwners(folder);
    }

    [Fact]
    public async Task FolderOfAnEarlierVersion_IsNarrowed()
    {
        await (await EmbeddedLeases.OpenAsync(_folder.Path)).DisposeAsync();
        foreach (var file in Directory.GetFiles(_folder.Path)) File.SetUnixFileMode(file, All);
        File.SetUnixFileMode(_folder.Path, All);

        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path);
        await leases.GrantAsync(By("ann"));

        Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder.Path));
        AllAreTheOwners(_folder.Path);
    }

    [Fact]
    public async Task FolderWithSomethingElseInIt_KeepsItsMode_AndTheFilesAreClosed()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "notes.txt"), "");
        File.SetUnixFileMode(_folder.Path, All);

        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path);
        await leases.GrantAsync(By("ann"));

        Assert.Equal(All, File.GetUnixFileMode(_folder.Path));
        AllAreTheOwners(_folder.Path);
    }

    private static void AllAreTheOwners(string folder)
    {
        var files = Directory.GetFiles(folder, "leases.*").Order().ToArray();
        Assert.Equal(["leases.db", "leases.db-shm", "leases.db-wal", "leases.lock", "leases.mark"], files.Select(Path.GetFileName));
        Assert.All(files, file => Assert.Equal(Owner, File.GetUnixFileMode(file) & ~UnixFileMode.UserExecute));
    }
}
