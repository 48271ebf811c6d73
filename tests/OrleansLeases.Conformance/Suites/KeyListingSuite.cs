using System.Text;

namespace OrleansLeases.Conformance.Suites;

/// <summary>GET /v1/keys: prefix, byte order, paging, and nothing of leases that have ended.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class KeyListingSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Fact]
    public async Task List_WhereNothingIs_IsEmpty()
    {
        var page = (await Leases.ListKeysAsync(new())).Value;

        Assert.Empty(page.Keys);
        Assert.Null(page.Next);
    }

    [Fact]
    public async Task List_ByPrefix_ShowsNamesThatStartWithIt()
    {
        foreach (var name in new[] { "a", "a/1", "a/2", "ab", "b", "á/1", "%/1", "A/1" }) await PutAsync(name, "1");

        Assert.Equal(["a/1", "a/2"], await KeysAsync("a/"));
        Assert.Equal(["a", "a/1", "a/2", "ab"], await KeysAsync("a"));
        Assert.Equal(["%/1"], await KeysAsync("%"));
        Assert.Equal(["á/1"], await KeysAsync("á"));
        Assert.Empty(await KeysAsync("c"));
    }

    [Fact]
    public async Task List_PageByPage_ShowsEverythingOnceInByteOrder()
    {
        // Where surrogates meet U+E000 and above, the order of bytes is not that of UTF-16.
        string[] names =
        [
            .. Enumerable.Range(0, 23).Select(i => $"n/{i}"), "\uE000", "\uFFFD", "\U00010000", "\U0010FFFF", "é", "z", "Z", "~", "a/b",
            "a-b", "a",
        ];
        foreach (var name in names) await PutAsync(name, "1");
        foreach (var name in new[] { "gone", "n/gone" })
        {
            await PutAsync(name, "1");
            await Leases.DeleteKeyAsync(name);
        }

        var ordered =
            names.OrderBy(Encoding.UTF8.GetBytes, Comparer<byte[]>.Create((one, other) => one.AsSpan().SequenceCompareTo(other))).ToList();
        foreach (var pageSize in new[] { 1, 7, 33, 34, 35, 1000 }) Assert.Equal(ordered, await AllAsync(pageSize));
    }

    [Fact]
    public async Task List_OfKeysWhoseLeasesHaveEnded_LeavesThemOut()
    {
        var ann = await GrantAsync(By("ann", "ann"));
        var bob = await GrantAsync(By("bob", "bob"));
        var cid = await GrantAsync(By("cid", "cid") with { Ttl = T(5) });
        for (var i = 0; i < 30; i++) await PutAsync($"k/{i:00}", "1", (i % 4) switch { 0 => ann, 1 => bob, 2 => cid, _ => null });
        await ReleaseAsync(ann);
        await PassAsync(T(5));

        foreach (var pageSize in new[] { 1, 4, 30 })
            Assert.Equal(Enumerable.Range(0, 30).Where(i => i % 4 is 1 or 3).Select(i => $"k/{i:00}"), await AllAsync(pageSize));
    }

    [Fact]
    public async Task List_OfLargeValues_EndsPagesEarly()
    {
        for (var i = 0; i < 40; i++) await PutAsync($"k/{i:00}", new string('x', 64_000));

        var page = (await Leases.ListKeysAsync(new())).Value;

        Assert.InRange(page.Keys.Count, 1, 39);
        Assert.NotNull(page.Next);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"k/{i:00}"), await AllAsync(1000));
    }

    [Fact]
    public async Task List_AfterANameThatIsGone_GoesOnBehindIt()
    {
        foreach (var name in new[] { "a", "c" }) await PutAsync(name, "1");

        Assert.Equal(["c"], (await Leases.ListKeysAsync(new() { After = "b" })).Value.Keys.Select(key => key.Key));
        Assert.Empty((await Leases.ListKeysAsync(new() { After = "b", Prefix = "a" })).Value.Keys);
    }

    private async Task<List<string>> AllAsync(int pageSize)
    {
        var seen = new List<string>();
        string? after = null;
        do
        {
            var page = (await Leases.ListKeysAsync(new() { PageSize = pageSize, After = after })).Value;
            Assert.InRange(page.Keys.Count, 0, pageSize);
            seen.AddRange(page.Keys.Select(key => key.Key));
            after = page.Next;
        }
        while (after is not null);

        return seen;
    }
}
