using OrleansLeases.Embedded.Tests.Disk;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Sqlite;

/// <summary>
/// The log names a folder in trouble: once when it begins, with the remedy, in the service's info while it lasts, and once when it is
/// over.
/// </summary>
public sealed class TroubleTests : IDisposable
{
    private const int Begun = 7201;
    private const int Ended = 7202;

    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();
    private readonly LogLines _log = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AFullDisk_IsToldOnce_AndItsEndWithoutAnybodyCalling()
    {
        await (await OpenAsync()).DisposeAsync();
        _folder.Execute("CREATE TABLE ballast (block BLOB); INSERT INTO ballast VALUES (randomblob(200000))");
        await using var leases = Engines.Over(SqliteStore.Open(_folder.Path, (int)_folder.Number("PRAGMA page_count"), _log), _time);

        var refused = 0;
        for (var i = 0; refused < 5; i++)
        {
            var big = By("ann", $"r/{i}") with { Metadata = new Dictionary<string, string> { ["note"] = new('n', 2000) } };
            if ((await leases.AcquireAsync(big)).Refusal is Refusal.Unavailable) refused++;
        }

        await AssertInTroubleAsync(leases, "Free space");
        _folder.Execute("DROP TABLE ballast");
        await AssertWellAgainAsync(leases, "Full");
    }

    [Fact]
    public async Task ADiskThatFailsToSync_IsToldOnce_AndItsEnd()
    {
        using var disk = new UnreliableDisk(_folder.Path);
        await using var leases = await OpenAsync();
        disk.FailingSyncs = int.MaxValue;

        for (var i = 0; i < 5; i++) Assert.NotNull((await leases.AcquireAsync(By("ann", $"r/{i}"))).Refusal);

        await AssertInTroubleAsync(leases, "faults of the disk");
        disk.FailingSyncs = 0;
        await AssertWellAgainAsync(leases, "Failing");
    }

    [Fact]
    public async Task ALockOfAnotherProcess_IsToldOnce_AndItsEnd()
    {
        await using var leases = await OpenAsync();
        using (var other = _folder.Connect())
        {
            other.Run("BEGIN IMMEDIATE");
            Assert.NotNull((await leases.AcquireAsync(By("ann"))).Refusal);

            await AssertInTroubleAsync(leases, "lsof");
            other.Run("ROLLBACK");
        }

        await AssertWellAgainAsync(leases, "Locked");
    }

    [Fact]
    public async Task DamageInTheMiddleOfTheFile_IsToldOnce_AndNotTakenForOver()
    {
        await using (var before = await OpenAsync())
        {
            for (var i = 0; i < 200; i++) await before.GrantAsync(By("ann", $"r/{i:000}"));
        }

        var root = (int)_folder.Number("SELECT rootpage FROM sqlite_schema WHERE name = 'lease'");
        var page = (int)_folder.Number("PRAGMA page_size");
        await using (var file = new FileStream(_folder.Database, FileMode.Open, FileAccess.Write))
        {
            file.Position = (root - 1) * page;
            file.Write(Enumerable.Repeat((byte)0xA5, page).ToArray());
        }

        await using var leases = await OpenAsync();
        for (var i = 0; i < 5; i++) Assert.NotNull((await leases.AcquireAsync(By("bob", $"r/{i:000}"))).Refusal);

        await AssertInTroubleAsync(leases, "restore the folder from a backup");
    }

    private Task<EmbeddedLeases> OpenAsync() => EmbeddedLeases.OpenAsync(_folder.Path, new EmbeddedLeaseOptions { Logger = _log }, _time);

    private async Task AssertInTroubleAsync(EmbeddedLeases leases, string remedy)
    {
        Assert.Contains(remedy, Assert.IsType<Refusal.Unavailable>((await leases.InfoAsync()).Refusal).Detail, StringComparison.Ordinal);
        Assert.Contains(remedy, Assert.Single(_log.Of(Begun)), StringComparison.Ordinal);
        Assert.Empty(_log.Of(Ended));
    }

    private async Task AssertWellAgainAsync(EmbeddedLeases leases, string fault)
    {
        await UntilAsync(async () => (await leases.InfoAsync()).Refusal is null);
        Assert.Contains(fault, Assert.Single(_log.Of(Ended)), StringComparison.Ordinal);
        Assert.Single(_log.Of(Begun));
        await leases.GrantAsync(By("ann", "after"));
    }
}
