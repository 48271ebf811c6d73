using System.Text;
using OrleansLeases.Core;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Sqlite;

/// <summary>A listing of what is held costs what is held, however many names are free; in a file of before as well.</summary>
public sealed class HeldIndexTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatIsHeld_IsReadWithoutReadingWhatIsFree(bool durable)
    {
        IRecordStore store = durable ? SqliteStore.Open(_folder.Path) : new MemoryRecordStore();
        await using var leases = Engines.Over(store, _time);
        var grants = await Task.WhenAll(Enumerable.Range(0, 600).Select(i => leases.GrantAsync(By("ann", $"r/{i:000}"))));
        await Task.WhenAll(grants.Where((_, i) => i % 200 != 0).Select(grant => leases.ReleaseAsync(grant)));
        await Task.WhenAll(
            Enumerable.Range(0, 600).Select(i => leases.PutKeyAsync($"k/{i:000}", new PutKeyRequest { Value = "" }).AsTask()));
        await Task.WhenAll(Enumerable.Range(0, 599).Select(i => leases.DeleteKeyAsync($"k/{i:000}").AsTask()));
        // Held again, as a name that was free.
        await leases.GrantAsync(By("bob", "r/500"));

        Assert.Equal(["r/000", "r/200", "r/400", "r/500"], await store.NamesAsync(RecordKind.Lease, "", heldOnly: true));
        Assert.Equal(["r/400", "r/500"], await store.NamesAsync(RecordKind.Lease, "r/3", heldOnly: true));
        Assert.Equal(600, (await store.NamesAsync(RecordKind.Lease, "", heldOnly: false)).Count);
        Assert.Equal(["k/599"], await store.NamesAsync(RecordKind.Key, "", heldOnly: true));
        Assert.Equal(600, (await store.NamesAsync(RecordKind.Key, "", heldOnly: false)).Count);
    }

    [Theory]
    [InlineData(SqliteStore.ListHeld, "lease_held")]
    [InlineData(SqliteStore.ListKeys, "keys_held")]
    [InlineData(SqliteStore.ListAllKeys, "sqlite_autoindex_keys_1")]
    [InlineData(SqliteStore.ListAll, "sqlite_autoindex_lease_1")]
    [InlineData(SqliteStore.ListDue, "lease_due")]
    [InlineData(SqliteStore.ListIdleLeases, "lease_idle")]
    [InlineData(SqliteStore.ListIdleKeys, "keys_idle")]
    [InlineData(SqliteStore.ListDueKeys, "keys_due")]
    public async Task EveryListing_GoesAlongAnIndex(string sql, string index)
    {
        await using (SqliteStore.Open(_folder.Path))
        {
        }

        using var database = _folder.Connect();
        using var command = database.CreateCommand();
        command.CommandText = $"EXPLAIN QUERY PLAN {sql}";
        // A parameter counts by its number.
        for (var i = 1; i <= sql.Count(character => character == '?'); i++) command.Parameters.AddWithValue($"?{i}", 1L);
        using var plan = command.ExecuteReader();
        Assert.True(plan.Read());
        Assert.Matches($"^SEARCH lease|^SEARCH keys", plan.GetString(3));
        Assert.Contains($"INDEX {index} (", plan.GetString(3), StringComparison.Ordinal);
        Assert.False(plan.Read(), "It sorts as well.");
    }

    [Fact]
    public async Task AFolderOfSchema1_IsBroughtUpOnce_AndListsAsBefore()
    {
        await using (var leases = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time))
        {
            foreach (var name in new[] { "free", "held" }) await leases.GrantAsync(By("ann", name));
            await leases.ReleaseAsync(
                new ReleaseRequest { Resource = "free", Owner = "ann", Token = (await leases.GetAsync("free")).LastToken });
            foreach (var key in new[] { "deleted", "empty", "full" })
            {
                await leases.PutKeyAsync(key, new PutKeyRequest { Value = key == "empty" ? "" : key });
            }

            await leases.DeleteKeyAsync("deleted");
        }

        _folder.Execute(
            """
            DROP INDEX keys_due; ALTER TABLE keys DROP COLUMN due;
            DROP INDEX keys_idle; ALTER TABLE keys DROP COLUMN idle;
            DROP INDEX lease_idle; ALTER TABLE lease DROP COLUMN idle; DROP TABLE floor;
            DROP INDEX lease_held; ALTER TABLE lease DROP COLUMN held;
            DROP INDEX keys_held; ALTER TABLE keys DROP COLUMN held;
            UPDATE meta SET value = 1 WHERE name = 'schema';
            """);

        await using var after = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);
        Assert.Equal(3, _folder.Number("SELECT value FROM meta WHERE name = 'schema'"));
        Assert.Equal(["held"], (await after.ListAsync(new ListLeasesRequest())).Value.Leases.Select(lease => lease.Resource));
        Assert.Equal(
            ["free"],
            (await after.ListAsync(new ListLeasesRequest { State = LeaseFilter.Free })).Value.Leases.Select(lease => lease.Resource));
        Assert.Equal(["empty", "full"], (await after.ListKeysAsync(new ListKeysRequest())).Value.Keys.Select(key => key.Key));
        Assert.Equal(
            (1, 2), (_folder.Number("SELECT count(*) FROM lease WHERE held"), _folder.Number("SELECT count(*) FROM keys WHERE held")));
    }

    [Fact]
    public void TheOrderOfNames_IsThatOfTheirBytes()
    {
        string[] names = ["", "a", "aa", "b", "ä", "\uD7FF", "\uE000", "\uFFFD", "\U00010000", "\U0001F512", "\U0001F512a", "\U0010FFFF"];

        foreach (var one in names)
        {
            foreach (var other in names)
            {
                var bytes = Encoding.UTF8.GetBytes(one).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(other));
                Assert.Equal(Math.Sign(bytes), Math.Sign(Utf8Order.Instance.Compare(one, other)));
            }
        }
    }
}
