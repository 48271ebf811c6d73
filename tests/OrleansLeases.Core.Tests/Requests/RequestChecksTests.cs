using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>Every bound of a request, on both sides of its edge.</summary>
public sealed class RequestChecksTests
{
    private static readonly LeaseLimits Limits = new();
    private readonly RequestChecks _checks = new(Limits);

    public static TheoryData<string, bool> Names => new()
    {
        { "", false },
        { "n", true },
        { new string('n', 512), true },
        { new string('n', 513), false },
        { new string('ä', 256), true },
        { new string('ä', 256) + "n", false },
        { "new\nline", false },
        { "nul\0", false },
        { "\u0080", false },
        { "a b/c.d:e%20", true },
        { "😀", true },
    };

    public static TheoryData<string, bool> Paths => new()
    {
        { "a/b", true },
        { "a/.b/..c/...", true },
        { "/a", false },
        { "a/", false },
        { "a//b", false },
        { ".", false },
        { "a/./b", false },
        { "a/..", false },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void Name_WhenChecked_TakesOneTo512BytesOfText(string name, bool fine)
    {
        Expect(fine, "owner", _checks.Check(Ask() with { Owner = name }));
        Expect(fine, "owner", _checks.Check(Renewal() with { Owner = name }));
        Expect(fine, "owner", RequestChecks.Check(Release() with { Owner = name }));
        Expect(fine, "owner", _checks.Check(Transfer() with { Owner = name }));
        Expect(fine, "newOwner", _checks.Check(Transfer() with { NewOwner = name }));
        Expect(fine, "reason", _checks.Check(Break() with { Reason = name }));
        Expect(fine, "resource", RequestChecks.CheckResource(name));
    }

    [Fact]
    public void Name_WhenItHasHalfASurrogatePair_IsNamed()
    {
        // Not as theory data, which passes through UTF-8.
        Expect(false, "owner", _checks.Check(Ask() with { Owner = "\ud800" }));
        Expect(false, "requestId", _checks.Check(Ask() with { RequestId = "\udc00" }));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Resource_WhenChecked_TakesAPath(string resource, bool fine)
    {
        Expect(fine, "resource", _checks.Check(Ask() with { Resource = resource }));
        Expect(fine, "resource", _checks.Check(Renewal() with { Resource = resource }));
        Expect(fine, "resource", RequestChecks.Check(Release() with { Resource = resource }));
        Expect(fine, "resource", _checks.Check(Transfer() with { Resource = resource }));
        Expect(fine, "resource", _checks.Check(Break() with { Resource = resource }));
        Expect(fine, "resource", RequestChecks.CheckResource(resource));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void RequestId_WhenChecked_Takes1To128Bytes(int bytes, bool fine)
    {
        var id = new string('i', bytes);
        Expect(fine, "requestId", _checks.Check(Ask() with { RequestId = id }));
        Expect(fine, "requestId", _checks.Check(Transfer() with { RequestId = id }));
        Expect(fine, "requestId", _checks.Check(Break() with { RequestId = id }));
        Expect(false, "requestId", _checks.Check(Ask() with { RequestId = id + "\t" }));
    }

    [Theory]
    [InlineData(-1, 0, false)]
    [InlineData(0, 0, true)]
    [InlineData(0, 1, true)]
    [InlineData(1, 0, true)]
    [InlineData(1, 1, false)]
    public void Durations_WhenChecked_TakeBothEnds(int end, int ticks, bool fine)
    {
        // Around the least (0) and around the most (1), by one tick.
        Expect(fine, "ttlMs", _checks.Check(Ask() with { Ttl = Around(Limits.MinTtl, Limits.MaxTtl) }));
        Expect(fine, "ttlMs", _checks.Check(Renewal() with { Ttl = Around(Limits.MinTtl, Limits.MaxTtl) }));
        Expect(fine, "ttlMs", _checks.Check(Transfer() with { Ttl = Around(Limits.MinTtl, Limits.MaxTtl) }));
        Expect(fine, "waitMs", _checks.Check(Ask() with { Wait = Around(TimeSpan.Zero, Limits.MaxWait) }));
        Expect(fine, "lockDelayMs", _checks.Check(Ask() with { LockDelay = Around(TimeSpan.Zero, Limits.MaxTtl) }));
        Expect(fine, "holdAtLeastMs", _checks.Check(Ask() with { HoldAtLeast = Around(TimeSpan.Zero, Limits.MaxTtl) }));
        Expect(fine, "graceMs", _checks.Check(Break() with { Grace = Around(TimeSpan.Zero, Limits.MaxTtl) }));

        TimeSpan Around(TimeSpan least, TimeSpan most) =>
            end < 0 ? least - TimeSpan.FromTicks(1) : end == 0 ? least + TimeSpan.FromTicks(ticks) : most + TimeSpan.FromTicks(ticks);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData((1L << 53) - 1, true)]
    [InlineData(1L << 53, false)]
    public void Token_WhenChecked_Takes53Bits(long token, bool fine)
    {
        Expect(fine, "token", _checks.Check(Renewal() with { Token = token }));
        Expect(fine, "token", RequestChecks.Check(Release() with { Token = token }));
        Expect(fine, "token", _checks.Check(Transfer() with { Token = token }));
        Expect(fine, "token", _checks.Check(Break() with { Token = token }));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    public void Capacity_WhenChecked_Takes1ToMaxHolders(int capacity, bool fine) =>
        Expect(fine, "capacity", _checks.Check(AskShared("me", capacity)));

    [Fact]
    public void Mode_WhenItDoesNotFit_IsNamed()
    {
        Expect(false, "mode", _checks.Check(Ask() with { Mode = (LeaseMode)2 }));
        Expect(false, "capacity", _checks.Check(Ask() with { Capacity = 1 }));
        Expect(false, "lockDelayMs", _checks.Check(AskShared("me") with { LockDelay = Seconds(1) }));
        Expect(false, "holdAtLeastMs", _checks.Check(AskShared("me") with { HoldAtLeast = Seconds(1) }));
    }

    [Theory]
    [InlineData(16, 126, true)]
    [InlineData(17, 1, false)]
    [InlineData(16, 127, false)]
    public void Metadata_WhenChecked_Takes16EntriesOf2KiBTogether(int entries, int valueBytes, bool fine) =>
        // Two bytes of key and so many of value, each.
        Expect(
            fine, "metadata",
            _checks.Check(
                Ask() with { Metadata = Enumerable.Range(10, entries).ToDictionary(i => $"{i}", _ => new string('v', valueBytes)) }));

    [Fact]
    public void Metadata_WhenNotText_IsNamed()
    {
        Expect(false, "metadata", _checks.Check(Ask() with { Metadata = new Dictionary<string, string> { ["k"] = null! } }));
        Expect(false, "metadata", _checks.Check(Ask() with { Metadata = new Dictionary<string, string> { ["k"] = "\ud800" } }));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    public void BatchAndPage_WhenChecked_Take1To1000(int count, bool fine)
    {
        Expect(fine, "leases", _checks.Check(new RenewBatchRequest { Leases = [.. Enumerable.Repeat(Renewal(), count)] }));
        Expect(fine, "pageSize", RequestChecks.Check(new ListLeasesRequest { PageSize = count }));
    }

    [Fact]
    public void Listing_WhenChecked_NamesEveryBadField()
    {
        Assert.Null(RequestChecks.Check(new ListLeasesRequest { Prefix = "", Owner = "me", After = "a/b", State = LeaseFilter.Any }));

        var refusal = RequestChecks.Check(new ListLeasesRequest { Prefix = "\n", Owner = "", After = "\t", State = (LeaseFilter)3 });
        Assert.Equal(["after", "owner", "prefix", "state"], Assert.IsType<Refusal.InvalidRequest>(refusal).Errors.Keys.Order());
    }

    [Fact]
    public void Message_WhenRefused_NamesTheFieldItsValueAndTheRemedy()
    {
        var refusal = Assert.IsType<Refusal.InvalidRequest>(_checks.Check(Ask(ttl: 0.05) with { Owner = "" }));

        Assert.Equal(["owner", "ttlMs"], refusal.Errors.Keys.Order());
        Assert.Equal("ttlMs is 50; it takes 100 to 86400000 milliseconds.", Assert.Single(refusal.Errors["ttlMs"]));
        Assert.Contains("owner is empty", refusal.Detail, StringComparison.Ordinal);
    }

    private static RenewRequest Renewal() => new() { Resource = "r", Owner = "me", Token = 1 };

    private static ReleaseRequest Release() => new() { Resource = "r", Owner = "me", Token = 1 };

    private static TransferRequest Transfer() => new() { Resource = "r", Owner = "me", Token = 1, NewOwner = "you" };

    private static BreakRequest Break() => new() { Resource = "r", Grace = TimeSpan.Zero, Reason = "upkeep" };

    private static void Expect(bool fine, string field, Refusal? refusal)
    {
        if (fine) Assert.Null(refusal);
        else Assert.Equal(field, Assert.Single(Assert.IsType<Refusal.InvalidRequest>(refusal).Errors).Key);
    }
}
