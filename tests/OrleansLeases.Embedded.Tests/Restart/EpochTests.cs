using OrleansLeases.Core;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Restart;

/// <summary>The restore epoch: bumped after a backup was restored, it makes every later token greater than any before.</summary>
public sealed class EpochTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bump_AfterARestoredBackup_MakesEveryTokenGreater()
    {
        var backup = Path.Combine(_folder.Path, "backup.db");
        await using (var leases = await OpenAsync()) await leases.ReleaseAsync(await leases.GrantAsync(By("ann")));
        File.Copy(_folder.Database, backup);
        var highest = 0L;
        await using (var leases = await OpenAsync())
        {
            for (var i = 0; i < 100; i++)
            {
                var grant = await leases.GrantAsync(By("ann"));
                highest = grant.Token;
                await leases.ReleaseAsync(grant);
            }
        }

        File.Copy(backup, _folder.Database, overwrite: true);
        Assert.Equal(1, DataFolder.BumpEpoch(_folder.Path));
        await using var restored = await OpenAsync();

        Assert.True((await restored.GrantAsync(By("bob"))).Token > highest);
        Assert.True((await restored.GrantAsync(By("bob", "never used before"))).Token > highest);
        Assert.Equal(1, (await restored.InfoAsync()).Value.Epoch);
    }

    [Fact]
    public async Task Bump_LeavesHoldersTheirTokens()
    {
        LeaseGrant grant;
        await using (var before = await OpenAsync()) grant = await before.GrantAsync(By("ann"));
        DataFolder.BumpEpoch(_folder.Path);
        await using var after = await OpenAsync();

        Assert.Equal(grant.Token, (await after.RenewAsync(grant)).Value.Token);
    }

    [Fact]
    public async Task Bump_WhileAServiceRuns_IsRefused()
    {
        await using var leases = await OpenAsync();

        var error = Assert.Throws<DataFolderInUseException>(() => DataFolder.BumpEpoch(_folder.Path));

        Assert.Contains(_folder.Path, error.Message, StringComparison.Ordinal);
        Assert.Equal(0, DataFolder.ReadEpoch(_folder.Path));
    }

    [Fact]
    public async Task Bump_BehindTheBackOfAService_StopsItsGrants()
    {
        await using var leases = await OpenAsync();
        var grant = await leases.GrantAsync(By("ann"));
        _folder.Execute("UPDATE meta SET value = value + 1 WHERE name = 'epoch'");

        await leases.RefusedAsync<Refusal.Unavailable>(By("ann", "another"));
        Assert.IsType<Refusal.Unavailable>((await leases.ReleaseAsync(grant)).Refusal);
    }

    [Fact]
    public async Task Tokens_OfTheLastEpoch_StayWithinWhatJsonReads()
    {
        await using (await OpenAsync())
        {
        }

        _folder.Execute($"UPDATE meta SET value = {LeaseRules.MaxEpoch} WHERE name = 'epoch'");
        Assert.Contains(
            $"{LeaseRules.MaxEpoch}", Assert.Throws<InvalidOperationException>(() => DataFolder.BumpEpoch(_folder.Path)).Message,
            StringComparison.Ordinal);
        await using var leases = await OpenAsync();

        Assert.InRange((await leases.GrantAsync(By("ann"))).Token, 1, (1L << 53) - 1);
    }

    [Fact]
    public void Epoch_OfAFolderWithoutLeases_IsNotMade()
    {
        Assert.Contains(
            _folder.Path, Assert.Throws<DirectoryNotFoundException>(() => DataFolder.ReadEpoch(_folder.Path)).Message,
            StringComparison.Ordinal);
        Assert.Throws<DirectoryNotFoundException>(() => DataFolder.BumpEpoch(_folder.Path));
        Assert.False(File.Exists(_folder.Database));
    }

    private Task<EmbeddedLeases> OpenAsync() => EmbeddedLeases.OpenAsync(_folder.Path, time: _time);
}
