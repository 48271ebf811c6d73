using OrleansLeases.Embedded.Tests.Hosting;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Folder;

/// <summary>
/// Once the files at the path are not the ones that were opened, another service can have them: nothing is granted any more.
/// </summary>
public sealed class LostFolderTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public static TheoryData<string, Action<string>> Losses => new()
    {
        { "removed", folder => Directory.Delete(folder, recursive: true) },
        { "moved", folder => Directory.Move(folder, folder + ".away") },
        { "lock removed", folder => File.Delete(Path.Combine(folder, "leases.lock")) },
        { "log removed", folder => File.Delete(Path.Combine(folder, "leases.db-wal")) },
        { "index of the log removed", folder => File.Delete(Path.Combine(folder, "leases.db-shm")) },
        { "replaced", folder => Replace(Path.Combine(folder, "leases.db")) },
        { "lock replaced", folder => Replace(Path.Combine(folder, "leases.lock")) },
        {
            "replaced by a link to another folder", folder =>
            {
                Directory.Move(folder, folder + ".away");
                Directory.CreateDirectory(folder + ".other");
                Directory.CreateSymbolicLink(folder, folder + ".other");
            }
        },
    };

    public void Dispose()
    {
        // A folder that was lost is not there for TestFolder to remove.
        if (new DirectoryInfo(_folder.Path).LinkTarget is not null) Directory.Delete(_folder.Path);
        foreach (var folder in new[] { _folder.Path, _folder.Path + ".away", _folder.Path + ".other" })
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public async Task Folder_LostUnderAService_EndsItsGrantsAndRenewals(string how, Action<string> lose)
    {
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path);
        var grant = await leases.GrantAsync(By("ann"));

        lose(_folder.Path);
        Assert.IsType<Refusal.Unavailable>((await leases.AcquireAsync(By("bob", "another"))).Refusal);
        var refusal = (await leases.AcquireAsync(By("bob", "another"))).Refusal;

        Assert.True(
            refusal is Refusal.Unavailable { Detail: var detail } && detail.Contains("start again", StringComparison.Ordinal),
            $"{how}: {refusal}");
        Assert.IsType<Refusal.Unavailable>((await leases.RenewAsync(grant)).Refusal);
        Assert.IsType<Refusal.Unavailable>((await leases.ReleaseAsync(grant)).Refusal);
        Assert.IsType<Refusal.Unavailable>((await leases.ListAsync(new ListLeasesRequest())).Refusal);
        Assert.IsType<Refusal.Unavailable>((await leases.InfoAsync()).Refusal);
    }

    [Fact]
    public async Task Folder_LostUnderAServiceThatNobodyCalls_IsNoticed()
    {
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path);
        var grant = await leases.GrantAsync(By("ann"));
        var waiting = leases.AcquireAsync(By("bob") with { Wait = TimeSpan.FromSeconds(25) });

        File.Delete(Path.Combine(_folder.Path, "leases.lock"));

        // Whoever waits is answered then, and not when the wait is over.
        Assert.IsType<Refusal.Unavailable>((await waiting).Refusal);
        Assert.IsType<Refusal.Unavailable>((await leases.RenewAsync(grant)).Refusal);
    }

    [Fact]
    public async Task SecondService_OnTheEmptiedPath_IsLeftAloneByTheFirst()
    {
        var first = await EmbeddedLeases.OpenAsync(_folder.Path);
        await first.GrantAsync(By("ann"));
        foreach (var file in Directory.GetFiles(_folder.Path)) File.Delete(file);

        await using var second = await EmbeddedLeases.OpenAsync(_folder.Path);
        var grant = await second.GrantAsync(By("bob", "another"));
        Assert.IsType<Refusal.Unavailable>((await first.AcquireAsync(By("ann", "another"))).Refusal);
        await first.DisposeAsync();

        Assert.Equal(grant.Token, (await second.RenewAsync(grant)).Value.Token);
        await second.GrantAsync(By("bob", "a third"));
    }

    private static void Replace(string file)
    {
        using (File.Create(file + ".other"))
        {
        }

        File.Move(file + ".other", file, overwrite: true);
    }
}
