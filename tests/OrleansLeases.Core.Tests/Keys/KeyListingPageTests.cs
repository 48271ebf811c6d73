using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>A page of keys: where it begins, which names it takes, where it ends early.</summary>
public sealed class KeyListingPageTests
{
    private static readonly KeyState Absent = KeyState.Unused;
    private static readonly KeyState Present = KeyState.Unused with { Value = "x" };

    [Theory]
    [InlineData(null, null, "")]
    [InlineData("b", null, "b")]
    [InlineData("b", "a", "b")]
    [InlineData("b", "bc", "bc")]
    [InlineData(null, "c", "c")]
    public void Page_BeginsAtItsPrefix_OrWhereTheLastOneEnded(string? prefix, string? after, string from) =>
        Assert.Equal(from, Page(prefix, after).From);

    [Fact]
    public async Task Page_HasTheNamesOfItsPrefixThatHaveAValue()
    {
        var page = Page("b", after: "ba");

        Assert.True(page.Add("ba", Present));
        Assert.True(page.Add("bb", Present));
        Assert.True(page.Add("bc", Absent));
        Assert.False(page.Add("c", Present));

        var listed = await ListAsync(page);
        Assert.Equal(["bb"], listed.Keys.Select(key => key.Key));
        Assert.Null(listed.Next);
    }

    [Fact]
    public async Task Page_ThatIsFull_EndsAtItsLastName()
    {
        var page = Page(pageSize: 2);

        Assert.True(page.Add("a", Present));
        Assert.True(page.Add("b", Present));
        Assert.True(Page(pageSize: 2).Add("c", Present));
        Assert.False(page.Add("c", Present));

        Assert.Equal("b", (await ListAsync(page)).Next);
    }

    [Fact]
    public async Task Page_OfLargeValues_EndsOnceItHasAMebibyte()
    {
        var page = Page();
        var half = Present with { Value = new string('ä', 256 * 1024) };

        Assert.True(page.Add("a", half));
        Assert.True(page.Add("b", half));
        Assert.False(page.Add("c", half));

        Assert.Equal("b", (await ListAsync(page)).Next);
    }

    [Fact]
    public async Task Page_OfNamesWithoutAValue_EndsAfterTwentyThousand()
    {
        var page = Page();
        for (var i = 0; i < 20_000; i++) Assert.True(page.Add($"{i:D5}", Absent));

        Assert.False(page.Add("x", Present));

        var listed = await ListAsync(page);
        Assert.Empty(listed.Keys);
        Assert.Equal("19999", listed.Next);
    }

    [Fact]
    public async Task Page_LeavesOutTheKeysOfLeasesThatHaveEnded()
    {
        var page = Page();
        page.Add("free", Present);
        page.Add("of 7", Present with { Binding = new("r", "me", 7) });
        page.Add("of 8", Present with { Binding = new("r", "me", 8) });

        Assert.Equal(["free", "of 8"], (await ListAsync(page, new FakeKeepers { InForce = [8] })).Keys.Select(key => key.Key));
    }

    [Fact]
    public async Task Page_WithAKeyWhoseLeaseDoesNotAnswer_IsRefused()
    {
        var page = Page();
        page.Add("of 7", Present with { Binding = new("r", "me", 7) });
        var unavailable = new Refusal.Unavailable(TimeSpan.Zero, "away");

        var listed = await page.ToPageAsync(new FakeKeepers { OfLease = _ => unavailable }, new ManualTimeProvider());

        Assert.Same(unavailable, listed.Refusal);
    }

    private static KeyListingPage Page(string? prefix = null, string? after = null, int pageSize = 1_000) =>
        new(new ListKeysRequest { Prefix = prefix, After = after, PageSize = pageSize }, default, MachineFixture.NewRules());

    private static async Task<KeyPage> ListAsync(KeyListingPage page, FakeKeepers? keepers = null) =>
        (await page.ToPageAsync(keepers ?? new FakeKeepers(), new ManualTimeProvider())).Value;
}
