using System.Text;

namespace OrleansLeases.Conformance.Suites;

/// <summary>GET /v1/leases: pages of resources in the byte order of their names, read from stored records.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class ListingSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Fact]
    public async Task List_OfNothing_IsAnEmptyLastPage()
    {
        var page = await ListAsync(new());

        Assert.Empty(page.Leases);
        Assert.Null(page.Next);
    }

    [Fact]
    public async Task List_OfAHeldLease_TellsIt()
    {
        var grant = await GrantAsync(By("ann") with { Metadata = new Dictionary<string, string> { ["host"] = "node-7" } });
        await PassAsync(T(10));

        var lease = Assert.Single((await ListAsync(new())).Leases);

        Assert.Equal(R, lease.Resource);
        Assert.Equal(LeaseStatus.Held, lease.State);
        Assert.Equal(grant.Token, lease.LastToken);
        Assert.Equal(1, lease.Sequence);
        Assert.Null(lease.Waiters);
        var holder = Assert.Single(lease.Holders);
        Assert.Equal(("ann", grant.Token, LeaseMode.Exclusive, T(30)), (holder.Owner, holder.Token, holder.Mode, holder.Ttl));
        Assert.Equal("node-7", holder.Metadata["host"]);
        // An upper bound: the stored horizon and the skew may lie beyond the deadline, never before it.
        Assert.True(holder.Remaining >= T(20) - World.Blur);
        var info = (await Leases.InfoAsync()).Value;
        Assert.True(holder.Remaining <= T(30) + info.Grace);
    }

    [Fact]
    public async Task List_ByState_ShowsHeldUnlessToldOtherwise()
    {
        await GrantAsync(By("ann", "held"));
        await ReleaseAsync(await GrantAsync(By("ann", "released")));
        await GetAsync("only-asked-about");

        Assert.Equal(["held"], await NamesAsync(new()));
        Assert.Equal(["held"], await NamesAsync(new() { State = LeaseFilter.Held }));
        Assert.Equal(["released"], await NamesAsync(new() { State = LeaseFilter.Free }));
        Assert.Equal(["held", "released"], await NamesAsync(new() { State = LeaseFilter.Any }));
    }

    [Fact]
    public async Task List_ByOwner_ShowsWhatItHolds()
    {
        await GrantAsync(By("ann", "a"));
        await GrantAsync(By("bob", "b"));
        await GrantAsync(By("ann", "c") with { Mode = LeaseMode.Shared });
        await GrantAsync(By("bob", "c") with { Mode = LeaseMode.Shared });
        await ReleaseAsync(await GrantAsync(By("ann", "d")));

        Assert.Equal(["a", "c"], await NamesAsync(new() { Owner = "ann" }));
        Assert.Equal(["b", "c"], await NamesAsync(new() { Owner = "bob", State = LeaseFilter.Any }));
        Assert.Empty(await NamesAsync(new() { Owner = "cid" }));
        Assert.Empty(await NamesAsync(new() { Owner = "ann", State = LeaseFilter.Free }));
    }

    [Fact]
    public async Task List_ByPrefix_ShowsNamesThatStartWithIt()
    {
        foreach (var name in new[] { "a", "a/1", "a/2", "ab", "b", "á/1", "%/1", "A/1" }) await GrantAsync(By("ann", name));

        Assert.Equal(["a/1", "a/2"], await NamesAsync(new() { Prefix = "a/" }));
        Assert.Equal(["a", "a/1", "a/2", "ab"], await NamesAsync(new() { Prefix = "a" }));
        Assert.Equal(["%/1"], await NamesAsync(new() { Prefix = "%" }));
        Assert.Equal(["á/1"], await NamesAsync(new() { Prefix = "á" }));
        Assert.Empty(await NamesAsync(new() { Prefix = "c" }));
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
        foreach (var name in names) await GrantAsync(By("ann", name));
        var ordered =
            names.OrderBy(Encoding.UTF8.GetBytes, Comparer<byte[]>.Create((one, other) => one.AsSpan().SequenceCompareTo(other))).ToList();

        foreach (var pageSize in new[] { 1, 7, 33, 34, 35, 1000 })
        {
            var seen = new List<string>();
            string? after = null;
            do
            {
                var page = await ListAsync(new() { PageSize = pageSize, After = after });
                Assert.InRange(page.Leases.Count, page.Next is null ? 0 : 1, pageSize);
                seen.AddRange(page.Leases.Select(lease => lease.Resource));
                after = page.Next;
            }
            while (after is not null);

            Assert.Equal(ordered, seen);
        }
    }

    [Fact]
    public async Task List_WithoutAPageSize_ShowsAHundred()
    {
        await Task.WhenAll(Enumerable.Range(0, 101).Select(i => GrantAsync(By("ann", $"fleet/{i:000}"))));

        var page = await ListAsync(new());

        Assert.Equal(100, page.Leases.Count);
        Assert.Equal(["fleet/100"], await NamesAsync(new() { After = page.Next }));
    }

    [Fact]
    public async Task List_AfterANameThatIsGone_GoesOnBehindIt()
    {
        foreach (var name in new[] { "a", "c" }) await GrantAsync(By("ann", name));

        Assert.Equal(["c"], await NamesAsync(new() { After = "b" }));
        Assert.Equal(["a", "c"], await NamesAsync(new() { After = "A", Prefix = "" }));
        Assert.Equal(["c"], await NamesAsync(new() { After = "a", Prefix = "c" }));
        Assert.Empty(await NamesAsync(new() { After = "c" }));
        Assert.Empty(await NamesAsync(new() { After = "b", Prefix = "a" }));
    }

    [Fact]
    public async Task List_SaysWhenItWasRead()
    {
        var before = (await ListAsync(new())).AsOf;
        await PassAsync(T(12));

        AssertSince(T(12), (await ListAsync(new())).AsOf - before);
        Assert.Equal(TimeSpan.Zero, before.Offset);
    }

    [Fact]
    public async Task List_OfALeaseInItsLockDelay_CallsItDelayed()
    {
        await GrantAsync(By("ann") with { LockDelay = T(9) });
        await BreakAsync(TimeSpan.Zero, force: true);

        var lease = Assert.Single((await ListAsync(new() { State = LeaseFilter.Free })).Leases);

        Assert.Equal(LeaseStatus.Delayed, lease.State);
        Assert.True(lease.AvailableIn >= T(9) - World.Blur);
    }

    private async Task<LeasePage> ListAsync(ListLeasesRequest request) => (await Leases.ListAsync(request)).Value;

    private async Task<IEnumerable<string>> NamesAsync(ListLeasesRequest request) =>
        (await ListAsync(request)).Leases.Select(lease => lease.Resource);
}
