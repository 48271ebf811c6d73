using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Restart;

/// <summary>After a restart nobody gets a place before whatever its holder may have been told has passed, whatever the clock did.</summary>
public sealed class HorizonTests : IDisposable
{
    private static readonly TimeSpan Skew = new EmbeddedLeaseOptions().ClockSkew;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AbandonedLease_IsFreeAtItsDeadlineAndTheSkew()
    {
        await GrantAndCloseAsync(By("ann"), closeAfter: Seconds(10));
        await using var after = await OpenAsync();

        await AssertFreeAfterAsync(after, Seconds(20) + Skew);
    }

    [Fact]
    public async Task AbandonedLease_ThatWasRenewedInMemory_IsFreeAtTheStoredHorizonAndTheSkew()
    {
        await using (var before = await OpenAsync())
        {
            var grant = await before.GrantAsync(By("ann"));
            _time.Advance(Seconds(20));
            // Stores a horizon 60 s ahead, and tells 30 s.
            await before.RenewAsync(grant);
            _time.Advance(Seconds(29));
            // Told from memory: 30 s, which ends 59 s after the one that was stored.
            Assert.Equal(Seconds(30), (await before.RenewAsync(grant)).Value.Remaining);
        }

        await using var after = await OpenAsync();
        await AssertFreeAfterAsync(after, Seconds(31) + Skew);
    }

    [Fact]
    public async Task AbandonedLease_WithEveryRenewalStored_IsFreeAtItsDeadlineAndTheSkew()
    {
        var options = new EmbeddedLeaseOptions { RenewalFactor = 1 };
        await using (var before = await OpenAsync(options))
        {
            var grant = await before.GrantAsync(By("ann"));
            _time.Advance(Seconds(20));
            await before.RenewAsync(grant);
        }

        await using var after = await OpenAsync(options);
        await AssertFreeAfterAsync(after, Seconds(30) + Skew);
    }

    [Theory]
    [InlineData(-1000)]
    [InlineData(-500)]
    [InlineData(0)]
    [InlineData(500)]
    [InlineData(1000)]
    public async Task ClockStep_WithinTheSkew_FreesNothingEarly(int stepMs)
    {
        await GrantAndCloseAsync(By("ann"), closeAfter: Seconds(10));
        _time.StepWall(TimeSpan.FromMilliseconds(stepMs));
        await using var after = await OpenAsync();

        _time.Advance(Seconds(20) - Step);
        await after.RefusedAsync<Refusal.Held>(By("bob"));
        _time.Advance(Step + Skew + Skew);
        await after.GrantAsync(By("bob"));
    }

    [Fact]
    public async Task ClockStep_FarBack_KeepsThePlaceNoLongerThanWasStored()
    {
        await GrantAndCloseAsync(By("ann"), closeAfter: Seconds(10));
        _time.StepWall(-TimeSpan.FromHours(1));
        await using var after = await OpenAsync();
        // Counted from the moment that someone looks.
        await after.GetAsync();

        await AssertFreeAfterAsync(after, Seconds(30) + Skew);
    }

    [Fact]
    public async Task ShortenedTtl_DoesNotShortenWhatWasPromised()
    {
        await using (var before = await OpenAsync())
        {
            var grant = await before.GrantAsync(By("ann") with { Ttl = Seconds(60) });
            Assert.Equal(Seconds(60), (await before.RenewAsync(grant, Seconds(1))).Value.Remaining);
        }

        await using var after = await OpenAsync();
        await AssertFreeAfterAsync(after, Seconds(60) + Skew);
    }

    [Fact]
    public async Task SeveralRestarts_DoNotPutThePlaceOffForEver()
    {
        await GrantAndCloseAsync(By("ann"), closeAfter: Seconds(10));
        for (var i = 0; i < 5; i++)
        {
            await using var again = await OpenAsync();
            _time.Advance(Seconds(3));
            await again.RefusedAsync<Refusal.Held>(By("bob"));
        }

        await using var last = await OpenAsync();
        await AssertFreeAfterAsync(last, Seconds(5) + Skew);
    }

    [Fact]
    public async Task Break_Survives_AndStillEndsNoEarlierThanTold()
    {
        LeaseGrant grant;
        await using (var before = await OpenAsync())
        {
            grant = await before.GrantAsync(By("ann"));
            await before.BreakAsync(new BreakRequest { Resource = R, Grace = Seconds(90), Reason = "maintenance" });
            _time.Advance(Seconds(20));
            await before.RenewAsync(new RenewRequest { Resource = R, Owner = "ann", Token = grant.Token, Ttl = Seconds(60) });
        }

        _time.Advance(Seconds(20));
        await using var after = await OpenAsync();

        var renewal = (await after.RenewAsync(grant)).Value;
        Assert.Equal("maintenance", renewal.Breaking!.Reason);
        // What another clock wrote is told short by what the two may differ; the place is kept for all of it.
        Assert.InRange(renewal.Remaining, Seconds(50) - Skew, Seconds(50));
        _time.Advance(Seconds(50) - Step);
        await after.RefusedAsync<Refusal.Held>(By("bob"));
        _time.Advance(Step + Skew);
        await after.GrantAsync(By("bob"));
        NotHolder(await after.RenewAsync(grant), NotHolderReason.Broken);
    }

    [Fact]
    public async Task LockDelay_Survives()
    {
        await using (var before = await OpenAsync())
        {
            await before.GrantAsync(By("ann") with { LockDelay = Seconds(60) });
            await before.BreakAsync(new BreakRequest { Resource = R, Grace = TimeSpan.Zero, Force = true, Reason = "maintenance" });
        }

        _time.Advance(Seconds(20));
        await using var after = await OpenAsync();

        Assert.Equal(LeaseStatus.Delayed, (await after.GetAsync()).State);
        await AssertFreeAfterAsync(after, Seconds(40) + Skew);
    }

    [Fact]
    public async Task HoldAtLeast_Survives()
    {
        await using (var before = await OpenAsync())
        {
            await before.ReleaseAsync(await before.GrantAsync(By("ann") with { HoldAtLeast = Seconds(60) }));
        }

        _time.Advance(Seconds(20));
        await using var after = await OpenAsync();

        Assert.Equal(LeaseStatus.Delayed, (await after.GetAsync()).State);
        await AssertFreeAfterAsync(after, Seconds(40) + Skew);
    }

    [Fact]
    public async Task Suspend_CountsForWhatIsToldAndNotForWhatIsFreed()
    {
        await using var leases = await OpenAsync();
        var grant = await leases.GrantAsync(By("ann") with { RequestId = "acquire" });

        _time.Suspend(Seconds(40));

        Assert.Equal(TimeSpan.Zero, (await leases.GrantAsync(By("ann") with { RequestId = "acquire" })).Remaining);
        await leases.RefusedAsync<Refusal.Held>(By("bob"));
        Assert.Equal(Seconds(30), (await leases.RenewAsync(grant)).Value.Remaining);
    }

    [Fact]
    public async Task ClockStep_WhileRunning_NeitherFreesNorExtends()
    {
        await using var leases = await OpenAsync();
        await leases.GrantAsync(By("ann"));
        _time.StepWall(-TimeSpan.FromDays(1));
        _time.Advance(Seconds(29));
        await leases.RefusedAsync<Refusal.Held>(By("bob"));
        _time.Advance(Seconds(1));
        await leases.GrantAsync(By("bob"));
        _time.StepWall(TimeSpan.FromDays(2));
        await leases.RefusedAsync<Refusal.Held>(By("cid"));
        _time.Advance(Seconds(30));
        await leases.GrantAsync(By("cid"));
    }

    private async Task GrantAndCloseAsync(AcquireRequest request, TimeSpan closeAfter)
    {
        await using var leases = await OpenAsync();
        await leases.GrantAsync(request);
        _time.Advance(closeAfter);
    }

    private async Task AssertFreeAfterAsync(EmbeddedLeases leases, TimeSpan time)
    {
        _time.Advance(time - Step);
        Assert.Equal(Step, (await leases.RefusedAsync<Refusal.Held>(By("bob"))).RetryAfter);
        _time.Advance(Step);
        await leases.GrantAsync(By("bob"));
    }

    private Task<EmbeddedLeases> OpenAsync(EmbeddedLeaseOptions? options = null) => EmbeddedLeases.OpenAsync(_folder.Path, options, _time);
}
