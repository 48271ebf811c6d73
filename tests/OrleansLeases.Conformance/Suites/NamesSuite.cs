using System.Text;

namespace OrleansLeases.Conformance.Suites;

/// <summary>Names of resources and owners: 1 to 512 bytes of UTF-8, compared byte by byte, taken as they are.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class NamesSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    public static TheoryData<string> Names => new(
        "a", " ", "a b", "a/b/c", "a%2Fb", "a%252Fb", "a+b", "a?b=c&d", "a#b", "a\\b", "a:b", "a\"b", "a'b", "...", ".a", "a..", "a.b/..c",
        "木/🔒", "é", "e\u0301", "\uE000", "\U0010FFFF", "null", "0", "00000000-0000-0000-0000-000000000000", "r:a", new string('x', 512),
        string.Concat(Enumerable.Repeat("木", 170)) + "ab");

    [Theory]
    [MemberData(nameof(Names))]
    public async Task EveryCall_WithAName_TakesItAsItIs(string name)
    {
        var grant = await GrantAsync(By(name, name));
        Assert.Equal(name, grant.Resource);
        Assert.Equal(name, grant.Owner);
        Assert.Equal(name, (await RenewAsync(grant)).Value.Resource);

        var info = await GetAsync(name, consistent: true);
        Assert.Equal(name, info.Resource);
        Assert.Equal(name, Assert.Single(info.Holders).Owner);
        Assert.Equal(name, Assert.Single((await HistoryAsync(name)).Events).Owner);
        Assert.Equal(name, Assert.Single((await RefusedAsync<Refusal.Held>(By("other", name))).Holders).Owner);
        var page = (await Leases.ListAsync(new ListLeasesRequest { Prefix = name, Owner = name })).Value;
        Assert.Equal(name, Assert.Single(page.Leases).Resource);
        var passedOn = (await TransferAsync(grant, name)).Value;
        Assert.Equal(name, passedOn.Owner);
        Assert.Equal(name, (await ReleaseAsync(passedOn)).Value.Resource);
    }

    [Fact]
    public async Task Names_ThatDifferInBytes_AreDifferent()
    {
        string[] alike = ["a", "A", "a ", " a", "a/a", "a%2Fa", "a%252Fa", "é", "e\u0301", "\u00C9", "ß", "ss", "ı", "i", "I", "İ"];
        foreach (var name in alike) await GrantAsync(By("ann", name));

        foreach (var owner in alike) await RefusedAsync<Refusal.Held>(By(owner, alike[0]));
        Assert.Equal(
            alike.OrderBy(Encoding.UTF8.GetBytes, Comparer<byte[]>.Create((one, other) => one.AsSpan().SequenceCompareTo(other))),
            (await Leases.ListAsync(new ListLeasesRequest())).Value.Leases.Select(lease => lease.Resource));
    }

    [Fact]
    public async Task Owners_ThatDifferInBytes_AreDifferent()
    {
        var grant = await GrantAsync("é");

        var refusal = NotHolder(await RenewAsync(grant with { Owner = "e\u0301" }), NotHolderReason.NeverHeld);

        Assert.Equal(grant.Token, refusal.LastToken);
        Assert.False((await RefusedAsync<Refusal.Held>(By("E\u0301"))).SameOwner);
    }
}
