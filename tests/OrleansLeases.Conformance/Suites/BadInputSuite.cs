namespace OrleansLeases.Conformance.Suites;

/// <summary><c>invalid-request</c>: every bound of the contract, refused by the name of its field, with nothing changed.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class BadInputSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    public static TheoryData<string> BadNames => new(
        "", "a\nb", "\u0001", "a\u007F", "\u0085", new string('x', 513), string.Concat(Enumerable.Repeat("木", 171)));

    public static TheoryData<string> BadPaths => new("/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/../b", "a/..");

    [Theory]
    [MemberData(nameof(BadPaths))]
    [MemberData(nameof(BadNames))]
    public async Task EveryCall_OfABadResource_IsRefusedByName(string resource)
    {
        Assert.Equal(["resource"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann", resource))).Errors.Keys);
        AssertBad("resource", await Leases.RenewAsync(new() { Resource = resource, Owner = "ann", Token = 1 }));
        AssertBad("resource", await Leases.ReleaseAsync(new() { Resource = resource, Owner = "ann", Token = 1 }));
        AssertBad("resource", await Leases.TransferAsync(new() { Resource = resource, Owner = "ann", Token = 1, NewOwner = "bob" }));
        AssertBad("resource", await Leases.BreakAsync(new() { Resource = resource, Grace = TimeSpan.Zero, Reason = "test" }));
        AssertBad("resource", await Leases.GetAsync(new() { Resource = resource }));
        AssertBad("resource", await Leases.HistoryAsync(resource));
    }

    [Theory]
    [MemberData(nameof(BadNames))]
    public async Task EveryCall_WithABadOwner_IsRefusedByName(string owner)
    {
        Assert.Equal(["owner"], (await RefusedAsync<Refusal.InvalidRequest>(By(owner))).Errors.Keys);
        AssertBad("owner", await Leases.RenewAsync(new() { Resource = R, Owner = owner, Token = 1 }));
        AssertBad("owner", await Leases.ReleaseAsync(new() { Resource = R, Owner = owner, Token = 1 }));
        AssertBad("owner", await Leases.TransferAsync(new() { Resource = R, Owner = owner, Token = 1, NewOwner = "bob" }));
        AssertBad("newOwner", await Leases.TransferAsync(new() { Resource = R, Owner = "ann", Token = 1, NewOwner = owner }));
        AssertBad("reason", await Leases.BreakAsync(new() { Resource = R, Grace = TimeSpan.Zero, Reason = owner }));
        AssertBad("owner", await Leases.ListAsync(new() { Owner = owner }));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1L << 53)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public async Task EveryCall_WithABadToken_IsRefusedByName(long token)
    {
        AssertBad("token", await Leases.RenewAsync(new() { Resource = R, Owner = "ann", Token = token }));
        AssertBad("token", await Leases.ReleaseAsync(new() { Resource = R, Owner = "ann", Token = token }));
        AssertBad("token", await Leases.TransferAsync(new() { Resource = R, Owner = "ann", Token = token, NewOwner = "bob" }));
        AssertBad("token", await Leases.BreakAsync(new() { Resource = R, Token = token, Grace = TimeSpan.Zero, Reason = "test" }));
    }

    [Fact]
    public async Task EveryTtl_OutOfBounds_IsRefusedByName()
    {
        foreach (var ttl in new[] { Limits.MinTtl - Millisecond, TimeSpan.Zero, -Millisecond, Limits.MaxTtl + Millisecond })
        {
            Assert.Equal(["ttlMs"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { Ttl = ttl })).Errors.Keys);
            AssertBad("ttlMs", await Leases.RenewAsync(new() { Resource = R, Owner = "ann", Token = 1, Ttl = ttl }));
            AssertBad("ttlMs", await Leases.TransferAsync(new() { Resource = R, Owner = "ann", Token = 1, NewOwner = "bob", Ttl = ttl }));
        }
    }

    [Fact]
    public async Task EveryOtherDuration_OutOfBounds_IsRefusedByName()
    {
        foreach (var wait in new[] { -Millisecond, Limits.MaxWait + Millisecond })
            Assert.Equal(["waitMs"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { Wait = wait })).Errors.Keys);
        foreach (var delay in new[] { -Millisecond, Limits.MaxTtl + Millisecond })
        {
            Assert.Equal(["lockDelayMs"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { LockDelay = delay })).Errors.Keys);
            Assert.Equal(
                ["holdAtLeastMs"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { HoldAtLeast = delay })).Errors.Keys);
        }

        foreach (var grace in new[] { -Millisecond, Limits.MaxTtl + Millisecond })
            AssertBad("graceMs", await Leases.BreakAsync(new() { Resource = R, Grace = grace, Reason = "test" }));
    }

    [Fact]
    public async Task Acquire_WithWhatItsModeDoesNotTake_IsRefusedByName()
    {
        Assert.Equal(["capacity"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { Capacity = 2 })).Errors.Keys);
        Assert.Equal(["lockDelayMs"], (await RefusedAsync<Refusal.InvalidRequest>(Shared("ann") with { LockDelay = T(1) })).Errors.Keys);
        Assert.Equal(
            ["holdAtLeastMs"], (await RefusedAsync<Refusal.InvalidRequest>(Shared("ann") with { HoldAtLeast = T(1) })).Errors.Keys);
        foreach (var capacity in new[] { 0, -1, Limits.MaxHolders + 1 })
            Assert.Equal(["capacity"], (await RefusedAsync<Refusal.InvalidRequest>(Shared("ann", capacity))).Errors.Keys);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\nb")]
    public async Task EveryCall_WithABadRequestId_IsRefusedByName(string requestId)
    {
        Assert.Equal(["requestId"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { RequestId = requestId })).Errors.Keys);
        AssertBad(
            "requestId",
            await Leases.TransferAsync(new() { Resource = R, Owner = "ann", Token = 1, NewOwner = "bob", RequestId = requestId }));
        AssertBad(
            "requestId", await Leases.BreakAsync(new() { Resource = R, Grace = TimeSpan.Zero, Reason = "test", RequestId = requestId }));
    }

    // Not a theory: the test runner hands half a surrogate pair on as U+FFFD.
    [Fact]
    public async Task EveryText_WithHalfASurrogatePair_IsRefusedByName()
    {
        foreach (var half in new[] { "\uD800", "a\uDC00b" })
        {
            Assert.Equal(["resource"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann", half))).Errors.Keys);
            Assert.Equal(["owner"], (await RefusedAsync<Refusal.InvalidRequest>(By(half))).Errors.Keys);
            Assert.Equal(["requestId"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { RequestId = half })).Errors.Keys);
            AssertBad("resource", await Leases.GetAsync(new() { Resource = half }));
            AssertBad("prefix", await Leases.ListAsync(new() { Prefix = half }));
        }
    }

    [Fact]
    public async Task RequestId_ThatIsTooLong_IsRefusedByName()
    {
        Assert.Equal(
            ["requestId"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { RequestId = new string('i', 129) })).Errors.Keys);
        Assert.Equal(
            ["requestId"],
            (await RefusedAsync<Refusal.InvalidRequest>(
                By("ann") with { RequestId = string.Concat(Enumerable.Repeat("木", 43)) })).Errors.Keys);
    }

    [Fact]
    public async Task Metadata_WithinItsBounds_IsTakenAndBeyondThemRefused()
    {
        Assert.Equal(["metadata"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { Metadata = Entries(17, 1) })).Errors.Keys);
        Assert.Equal(
            ["metadata"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { Metadata = Entries(1, 2047) })).Errors.Keys);
        await GrantAsync(By("ann", "many") with { Metadata = Entries(16, 126) });
        await GrantAsync(By("ann", "long") with { Metadata = Entries(1, 2046) });

        static Dictionary<string, string> Entries(int count, int length) =>
            Enumerable.Range(0, count).ToDictionary(i => $"{i:00}", _ => new string('v', length));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1001)]
    public async Task List_WithABadPageSize_IsRefusedByName(int pageSize) =>
        AssertBad("pageSize", await Leases.ListAsync(new() { PageSize = pageSize }));

    [Fact]
    public async Task Acquire_WithSeveralFaults_NamesThemAll()
    {
        var refusal = await RefusedAsync<Refusal.InvalidRequest>(By("", "a//b") with { Ttl = Millisecond, Wait = -Millisecond });

        Assert.Equal(["owner", "resource", "ttlMs", "waitMs"], refusal.Errors.Keys.Order(StringComparer.Ordinal));
        Assert.All(refusal.Errors.Values, messages => Assert.All(messages, message => Assert.NotEmpty(message)));
        Assert.NotEmpty(refusal.Detail);
    }

    [Fact]
    public async Task Acquire_ThatIsRefused_ChangesNothing()
    {
        await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { Ttl = TimeSpan.Zero });

        Assert.Equal(0, (await GetAsync()).Sequence);
    }

    private static void AssertBad<T>(string field, LeaseResult<T> result)
        where T : class =>
        Assert.Equal([field], Refused<Refusal.InvalidRequest, T>(result).Errors.Keys);
}
