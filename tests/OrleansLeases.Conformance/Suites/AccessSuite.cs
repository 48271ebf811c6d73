namespace OrleansLeases.Conformance.Suites;

/// <summary>What callers may do by their rights: nothing that no rule gives, whichever verb asks for it.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class AccessSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    private const LeaseRights All = LeaseRights.Read | LeaseRights.Hold | LeaseRights.Break | LeaseRights.Keys;

    private AccessRights _rights = AccessRights.None;

    /// <summary>Every verb that is about a name, with the right it needs on that name.</summary>
    private static readonly Dictionary<string, (LeaseRights Needs, Func<ILeaseService, string, Task<Refusal?>> Call)> Verbs = new()
    {
        ["acquire"] = (LeaseRights.Hold, async (leases, name) => (await leases.AcquireAsync(
            new() { Resource = name, Owner = "ci", Ttl = TimeSpan.FromSeconds(30) })).Refusal),
        ["renew"] = (LeaseRights.Hold, async (leases, name) => (await leases.RenewAsync(
            new() { Resource = name, Owner = "ci", Token = 1 })).Refusal),
        ["renew-batch"] = (LeaseRights.Hold, async (leases, name) => (await leases.RenewBatchAsync(
            new() { Leases = [new() { Resource = name, Owner = "ci", Token = 1 }] })).Value.Results[0].Refusal),
        ["batch"] = (LeaseRights.Hold, async (leases, name) => (await leases.BatchAsync(
            new() { Operations = [new BatchOperation.Release(new() { Resource = name, Owner = "ci", Token = 1 })] }))
                .Value.Results[0].Refusal),
        ["release"] = (LeaseRights.Hold, async (leases, name) => (await leases.ReleaseAsync(
            new() { Resource = name, Owner = "ci", Token = 1 })).Refusal),
        ["transfer"] = (LeaseRights.Hold, async (leases, name) => (await leases.TransferAsync(
            new() { Resource = name, Owner = "ci", Token = 1, NewOwner = "ci/2" })).Refusal),
        ["break"] = (LeaseRights.Break, async (leases, name) => (await leases.BreakAsync(
            new() { Resource = name, Grace = TimeSpan.Zero, Reason = "test" })).Refusal),
        ["get"] = (LeaseRights.Read, async (leases, name) => (await leases.GetAsync(new() { Resource = name })).Refusal),
        ["history"] = (LeaseRights.Read, async (leases, name) => (await leases.HistoryAsync(name)).Refusal),
        ["watch"] = (LeaseRights.Read, async (leases, name) => await StartAsync(leases, new() { Resource = name })),
        ["watch-key"] = (LeaseRights.Read, async (leases, name) => await StartAsync(leases, new() { Key = name })),
        ["key-put"] = (LeaseRights.Keys, async (leases, name) => (await leases.PutKeyAsync(name, new() { Value = "v" })).Refusal),
        ["key-get"] = (LeaseRights.Read, async (leases, name) => (await leases.GetKeyAsync(name)).Refusal),
        ["key-delete"] = (LeaseRights.Keys, async (leases, name) => (await leases.DeleteKeyAsync(name)).Refusal),
        ["counter-add"] = (LeaseRights.Keys, async (leases, name) => (await leases.AddToCounterAsync(name, new() { Delta = 1 })).Refusal),
    };

    public static TheoryData<string> VerbNames => new(Verbs.Keys);

    [Theory]
    [MemberData(nameof(VerbNames))]
    public async Task Verb_ByItsRightOnItsPrefix_IsTakenOrForbidden(string verb)
    {
        var (needs, call) = Verbs[verb];
        var caller = Caller();

        Give(("jobs", needs));
        foreach (var name in new[] { "jobs", "jobs/7", "jobs/7/a" }) Assert.IsNotType<Refusal.Forbidden>(await call(caller, name));
        foreach (var name in new[]
        {
            "job", "jobsx", "jobs-1", "JOBS", "jobs%2f7", "jobs／7", "ｊobs/7", "jobs\u200b", "jobs ", " jobs/7", "a/jobs",
            "jobs.", "jobs\\7",
        })
            Assert.IsType<Refusal.Forbidden>(await call(caller, name));

        Give(("jobs", All & ~needs), ("jobsx", All));
        Assert.IsType<Refusal.Forbidden>(await call(caller, "jobs/7"));
        Give();
        Assert.IsType<Refusal.Forbidden>(await call(caller, "jobs/7"));
        Give(("", needs));
        Assert.IsNotType<Refusal.Forbidden>(await call(caller, "anything"));
    }

    [Fact]
    public async Task Info_WithoutAnyRight_IsTold()
    {
        Assert.Null((await Caller().InfoAsync()).Refusal);
    }

    [Theory]
    [InlineData("ci", true)]
    [InlineData("ci/7", true)]
    [InlineData("ci7", false)]
    [InlineData("c", false)]
    [InlineData("CI", false)]
    [InlineData("bob", false)]
    [InlineData("*", false)]
    public async Task Owner_ThatIsNotThePrincipalsOwn_IsForbidden(string owner, bool taken)
    {
        Give(("jobs", LeaseRights.Hold));

        Assert.Equal(taken, (await Caller().AcquireAsync(By(owner, "jobs/1"))).Refusal is not Refusal.Forbidden);
    }

    [Fact]
    public async Task Owners_OfARule_ReplaceThePrincipalsOwn()
    {
        var caller = Caller();
        _rights = new("ci", [
            new() { Prefix = "jobs", Rights = LeaseRights.Hold, Owners = ["bob"] },
            new() { Prefix = "any", Rights = LeaseRights.Hold, Owners = ["*"] }]);

        Assert.IsType<Refusal.Forbidden>((await caller.AcquireAsync(By("ci", "jobs/1"))).Refusal);
        Assert.Null((await caller.AcquireAsync(By("bob/2", "jobs/1"))).Refusal);
        Assert.Null((await caller.AcquireAsync(By("anyone", "any/1"))).Refusal);
    }

    [Fact]
    public async Task Transfer_ToAnOwnerThatIsNotThePrincipalsOwn_IsForbidden()
    {
        Give(("jobs", LeaseRights.Hold));
        var caller = Caller();
        var grant = (await caller.AcquireAsync(By("ci", "jobs/1"))).Value;
        TransferRequest To(string owner) => new() { Resource = "jobs/1", Owner = "ci", Token = grant.Token, NewOwner = owner };

        Assert.IsType<Refusal.Forbidden>((await caller.TransferAsync(To("bob"))).Refusal);
        Assert.Equal("ci/2", (await caller.TransferAsync(To("ci/2"))).Value.Owner);
    }

    [Fact]
    public async Task BoundKey_NeedsRightsOnBoth()
    {
        var caller = Caller();
        Give(("jobs", LeaseRights.Hold), ("results", LeaseRights.Keys | LeaseRights.Read));
        var grant = (await caller.AcquireAsync(By("ci", "jobs/1"))).Value;
        Task<Refusal?> PutAsync() => RefusalOf(caller.PutKeyAsync("results/1", new() { Value = "v", Lease = LeaseOf(grant) }));
        Task<Refusal?> AddAsync() => RefusalOf(caller.AddToCounterAsync("results/2", new() { Delta = 1, Lease = LeaseOf(grant) }));

        Assert.Null(await PutAsync());
        Assert.Null(await AddAsync());
        // The key names its lease, which is not to be read.
        var hidden = Assert.IsType<Refusal.Forbidden>((await caller.GetKeyAsync("results/1")).Refusal);
        Assert.DoesNotContain("jobs", hidden.Detail, StringComparison.Ordinal);
        Assert.Empty((await caller.ListKeysAsync(new())).Value.Keys);
        Give(("results", LeaseRights.Keys | LeaseRights.Read), ("jobs", LeaseRights.Read));
        Assert.IsType<Refusal.Forbidden>(await PutAsync());
        Assert.IsType<Refusal.Forbidden>(await AddAsync());
        Assert.Equal("v", (await caller.GetKeyAsync("results/1")).Value.Value);
        Give(("jobs", LeaseRights.Read));
        Assert.Empty((await caller.GetAsync(new() { Resource = "jobs/1" })).Value.Holders[0].Keys);
        Assert.Empty((await caller.ListAsync(new())).Value.Leases[0].Holders[0].Keys);
    }

    [Fact]
    public async Task Listing_ShowsWhatMayBeReadAndGoesOnFromNothingElse()
    {
        string[] names = ["a", "jobs", "jobs-1", "jobs/1", "jobs/2", "jobs/2/x", "jobsx", "zoo", "zoo/1", "\U0001F600/1"];
        foreach (var name in names)
        {
            await GrantAsync(By("ann", name));
            Assert.Null((await Leases.PutKeyAsync(name, new() { Value = "v" })).Refusal);
        }

        Give(
            ("jobs", LeaseRights.Read), ("jobs/2", LeaseRights.Read), ("zoo/1", LeaseRights.Read), ("a", LeaseRights.Hold),
            ("none", LeaseRights.Read));
        string[] readable = ["jobs", "jobs/1", "jobs/2", "jobs/2/x", "zoo/1"];
        foreach (var prefix in new[] { null, "", "j", "jobs", "jobs/", "jobs/2", "jobs-", "z", "a", "q", "zoo/1", "zoo/10" })
        {
            var expected = readable.Where(name => name.StartsWith(prefix ?? "", StringComparison.Ordinal)).ToArray();
            for (var size = 1; size <= readable.Length + 1; size++)
            {
                Assert.Equal(expected, await LeasePagesAsync(Caller(), prefix, size));
                Assert.Equal(expected, await KeyPagesAsync(Caller(), prefix, size));
            }
        }

        Give();
        Assert.Empty((await Caller().ListAsync(new())).Value.Leases);
        Give(("", LeaseRights.Read));
        Assert.Equal(names, await LeasePagesAsync(Caller(), null, 3));
    }

    [Fact]
    public async Task PrefixWatch_ShowsWhatMayBeReadWhenItHappens()
    {
        Give(("jobs", LeaseRights.Read));
        await using var watch = (await Caller().WatchAsync(new() { Prefix = "" })).Value;
        await using var events = watch.GetAsyncEnumerator();

        await GrantAsync(By("ann", "other/1"));
        await GrantAsync(By("ann", "jobsx"));
        var grant = await GrantAsync(By("ann", "other/2"));
        await PutAsync("jobs/bound", "v", grant);
        await PutAsync("jobs/free", "v");
        await GrantAsync(By("ann", "jobs/1"));
        Assert.Equal("jobs/free", Assert.IsType<WatchEvent.KeyChanged>(await NextAsync(events)).Key.Key);
        Assert.Equal("jobs/1", Assert.IsType<WatchEvent.LeaseChanged>(await NextAsync(events)).Lease.Resource);

        Give(("other", LeaseRights.Read));
        await GrantAsync(By("ann", "jobs/2"));
        await GrantAsync(By("ann", "other/3"));
        Assert.Equal("other/3", Assert.IsType<WatchEvent.LeaseChanged>(await NextAsync(events)).Lease.Resource);
    }

    [Fact]
    public async Task Watch_OfAResourceThatMayNoLongerBeRead_Ends()
    {
        Give(("jobs", LeaseRights.Read));
        await using var watch = (await Caller().WatchAsync(new() { Resource = "jobs/1" })).Value;
        await using var events = watch.GetAsyncEnumerator();
        Assert.IsType<WatchEvent.LeaseSnapshot>(await NextAsync(events));

        Give(("other", LeaseRights.Read));
        await GrantAsync(By("ann", "jobs/1"));

        Assert.True(await IsOverAsync(events));
        var again = await Caller().WatchAsync(new() { Resource = "jobs/1", Since = new(0) });
        Assert.IsType<Refusal.Forbidden>(again.Refusal);
    }

    [Fact]
    public async Task RequestIds_BelongToTheirPrincipal()
    {
        var one = World.For(Leases, new("one", () => new("one", [Rule("", All)])));
        var other = World.For(Leases, new("other", () => new("other", [Rule("", All)])));
        var shared = Shared("x") with { RequestId = "same" };

        var granted = (await one.AcquireAsync(shared with { Owner = "one" })).Value;
        var another = (await other.AcquireAsync(shared with { Owner = "other" })).Value;
        var replayed = (await one.AcquireAsync(shared with { Owner = "one" })).Value;

        Assert.NotEqual(granted.Token, another.Token);
        Assert.Equal((granted.Token, true, "same"), (replayed.Token, replayed.Replayed, replayed.RequestId));
        Assert.Equal(("same", "same"), (granted.RequestId, another.RequestId));
        AddToCounterRequest add = new() { Delta = 1, RequestId = "same" };
        Assert.Equal(1, (await one.AddToCounterAsync("n", add)).Value.Value);
        Assert.Equal(2, (await other.AddToCounterAsync("n", add)).Value.Value);
        Assert.Equal(1, (await one.AddToCounterAsync("n", add)).Value.Value);
    }

    [Fact]
    public async Task Acquire_WhoseRightWasTakenAwayWhileItWaited_IsNotGranted()
    {
        Give(("jobs", LeaseRights.Hold));
        var first = await GrantAsync(By("ann", "jobs/1"));
        var waiting = Caller().AcquireAsync(By("ci", "jobs/1") with { Wait = T(20) }).AsTask();
        await UntilAsync(async () => (await GetAsync("jobs/1")).Waiters == 1);

        Give(("jobs", LeaseRights.Read));
        await ReleaseAsync(first);

        Assert.IsType<Refusal.Forbidden>((await waiting.WaitAsync(WaitTimeout)).Refusal);
        await UntilAsync(async () => (await GetAsync("jobs/1")).State == LeaseStatus.Free);
    }

    [Fact]
    public async Task Batch_ChecksEachOfItsCalls()
    {
        Give(("jobs", LeaseRights.Hold));
        var reply = (await Caller().BatchAsync(new()
        {
            Operations =
            [
                new BatchOperation.Acquire(By("ci", "jobs/1")), new BatchOperation.Acquire(By("ci", "other/1")),
                new BatchOperation.Acquire(By("bob", "jobs/2")), new BatchOperation.Get(new() { Resource = "jobs/1" }),
                new BatchOperation.PutKey("jobs/1", new() { Value = "v" }),
            ],
        })).Value;

        Assert.Null(reply.Results[0].Refusal);
        Assert.All(reply.Results.Skip(1), result => Assert.IsType<Refusal.Forbidden>(result.Refusal));
        Assert.Equal(0, (await GetAsync("other/1")).LastToken);
        Assert.Null(await ValueAsync("jobs/1"));
    }

    private static AccessRule Rule(string prefix, LeaseRights rights) => new() { Prefix = prefix, Rights = rights };

    private static async Task<Refusal?> RefusalOf<T>(ValueTask<LeaseResult<T>> call)
        where T : class => (await call).Refusal;

    private static async Task<Refusal?> StartAsync(ILeaseService leases, WatchRequest request)
    {
        var answer = await leases.WatchAsync(request);
        if (answer.TryGetValue(out var watch, out var refusal)) await watch.DisposeAsync();
        return refusal;
    }

    private static async Task<WatchEvent?> NextAsync(IAsyncEnumerator<WatchEvent> events) =>
        await events.MoveNextAsync().AsTask().WaitAsync(WaitTimeout) ? events.Current : null;

    // Over HTTP the client starts it again by itself, which is refused.
    private static async Task<bool> IsOverAsync(IAsyncEnumerator<WatchEvent> events)
    {
        try
        {
            return await NextAsync(events) is null;
        }
        catch (InvalidOperationException refused)
        {
            return refused.Message.Contains(nameof(RefusalCode.Forbidden), StringComparison.Ordinal);
        }
    }

    private static async Task<string[]> LeasePagesAsync(ILeaseService leases, string? prefix, int size)
    {
        var names = new List<string>();
        for (string? after = null; ;)
        {
            var page = (await leases.ListAsync(new() { Prefix = prefix, PageSize = size, After = after })).Value;
            Assert.True(page.Leases.Count <= size);
            names.AddRange(page.Leases.Select(lease => lease.Resource));
            if (page.Next is null) return [.. names];
            // The place to go on from is a name as well.
            Assert.Contains(page.Next, names);
            after = page.Next;
        }
    }

    private static async Task<string[]> KeyPagesAsync(ILeaseService leases, string? prefix, int size)
    {
        var names = new List<string>();
        for (string? after = null; ;)
        {
            var page = (await leases.ListKeysAsync(new() { Prefix = prefix, PageSize = size, After = after })).Value;
            Assert.True(page.Keys.Count <= size);
            names.AddRange(page.Keys.Select(key => key.Key));
            if (page.Next is null) return [.. names];
            Assert.Contains(page.Next, names);
            after = page.Next;
        }
    }

    private void Give(params (string Prefix, LeaseRights Rights)[] rules) =>
        Volatile.Write(ref _rights, new("ci", rules.Select(rule => Rule(rule.Prefix, rule.Rights))));

    private ILeaseService Caller() => World.For(Leases, new("ci", () => Volatile.Read(ref _rights)));
}
