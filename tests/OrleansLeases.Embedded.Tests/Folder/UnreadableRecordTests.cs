using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Folder;

/// <summary>One record that is damaged, or of a newer version, is nobody's trouble but its own.</summary>
public sealed class UnreadableRecordTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("replace(state, '\"v\":1', '\"v\":99')")]
    [InlineData("'{'")]
    [InlineData("''")]
    public async Task Listing_LeavesItOut_NamesItOnce_AndHasTheOthers(string damage)
    {
        await using (var before = await EmbeddedLeases.OpenAsync(_folder.Path))
        {
            foreach (var name in new[] { "a", "b", "c" })
            {
                await before.GrantAsync(By("ann", name));
                Assert.Null((await before.PutKeyAsync(name, new PutKeyRequest { Value = "x" })).Refusal);
            }
        }

        _folder.Execute($"UPDATE lease SET state = {damage} WHERE resource = 'b'; UPDATE keys SET state = {damage} WHERE name = 'b'");
        var log = new LogLines();
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path, new EmbeddedLeaseOptions { Logger = log });

        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(["a", "c"], (await leases.ListAsync(new ListLeasesRequest())).Value.Leases.Select(lease => lease.Resource));
            Assert.Equal(["a", "c"], (await leases.ListKeysAsync(new ListKeysRequest())).Value.Keys.Select(key => key.Key));
        }

        Assert.Equal(2, log.Of(7204).Count);
        Assert.Contains(log.Of(7204), line => line.Contains("'b'", StringComparison.Ordinal));
        await leases.RefusedAsync<Refusal.Unavailable>(By("bob", "b"));
        Assert.Null((await leases.InfoAsync()).Refusal);
    }

    // Who reads a log on a terminal must not have its text turned round, nor take the name for another.
    [Fact]
    public async Task Log_ShowsANameThatWouldNotShowAsItself_WithEscapes()
    {
        const string Name = "a\u202Eb\u200B";
        await using (var before = await EmbeddedLeases.OpenAsync(_folder.Path)) await before.GrantAsync(By("ann", Name));
        _folder.Execute("UPDATE lease SET state = '{'");
        var log = new LogLines();
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path, new EmbeddedLeaseOptions { Logger = log });

        await leases.ListAsync(new ListLeasesRequest());

        Assert.Contains(@"'a\u202eb\u200b'", Assert.Single(log.Of(7204)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sweep_EndsTheOthers()
    {
        var time = new ManualTimeProvider();
        await using (var before = await EmbeddedLeases.OpenAsync(_folder.Path, time: time))
            foreach (var name in new[] { "a", "b", "c" }) await before.GrantAsync(By("ann", name));
        _folder.Execute("UPDATE lease SET state = '{', due = 0 WHERE resource = 'b'");

        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path, time: time);
        await leases.GrantAsync(By("ann", "watched by nobody"));

        // Nobody asks for them: only the sweep can have stored that they ended.
        for (var i = 0; _folder.Number("SELECT count(*) FROM lease WHERE resource IN ('a', 'c') AND due IS NULL") < 2; i++)
        {
            Assert.True(i < 20_000, "The sweep did not end the others.");
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }
}
