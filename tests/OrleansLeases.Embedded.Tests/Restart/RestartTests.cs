using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Restart;

/// <summary>What a restart on the same folder keeps: holders, tokens, request ids, histories.</summary>
public sealed class RestartTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Holder_ThatShowsItsToken_ResumesAtOnce()
    {
        LeaseGrant grant;
        await using (var before = await OpenAsync()) grant = await before.GrantAsync(By("ann"));
        _time.Advance(Seconds(10));
        await using var after = await OpenAsync();

        var renewal = (await after.RenewAsync(grant)).Value;

        Assert.Equal(grant.Token, renewal.Token);
        Assert.Equal(Seconds(30), renewal.Ttl);
        Assert.Equal(Seconds(30), renewal.Remaining);
        Assert.False((await after.ReleaseAsync(grant)).Value.Replayed);
        Assert.True((await after.GrantAsync(By("bob"))).Token > grant.Token);
    }

    [Fact]
    public async Task Holder_IsShownWithEverythingItSaid()
    {
        await using (var before = await OpenAsync())
        {
            await before.GrantAsync(
                By("ann") with
                {
                    Mode = LeaseMode.Shared, Capacity = 3, Metadata = new Dictionary<string, string> { ["host"] = "node-7" },
                });
            await before.GrantAsync(By("bob") with { Mode = LeaseMode.Shared, Capacity = 3, Ttl = Seconds(60) });
        }

        await using var after = await OpenAsync();
        var info = await after.GetAsync();

        Assert.Equal(3, info.Capacity);
        Assert.Equal(["ann", "bob"], info.Holders.Select(holder => holder.Owner));
        Assert.Equal("node-7", info.Holders[0].Metadata["host"]);
        Assert.Equal([Seconds(30), Seconds(60)], info.Holders.Select(holder => holder.Ttl));
        Assert.Equal(2, info.Sequence);
        await after.GrantAsync(By("cid") with { Mode = LeaseMode.Shared, Capacity = 3 });
        await after.RefusedAsync<Refusal.Held>(By("dan") with { Mode = LeaseMode.Shared, Capacity = 3 });
    }

    [Fact]
    public async Task Tokens_NeverRepeat()
    {
        var tokens = new List<long>();
        for (var run = 0; run < 5; run++)
        {
            await using var leases = await OpenAsync();
            for (var i = 0; i < 3; i++)
            {
                var grant = await leases.GrantAsync(By($"owner-{run}-{i}"));
                tokens.Add(grant.Token);
                await leases.ReleaseAsync(grant);
            }
        }

        Assert.Equal(tokens.Order().Distinct(), tokens);
    }

    [Fact]
    public async Task RequestIds_AreRecognised()
    {
        LeaseGrant grant;
        LeaseGrant passedOn;
        await using (var before = await OpenAsync())
        {
            await before.ReleaseAsync(await before.GrantAsync(By("bob") with { RequestId = "ended" }));
            grant = await before.GrantAsync(By("ann") with { RequestId = "acquire" });
            passedOn = (await before.TransferAsync(Transfer(grant))).Value;
        }

        _time.Advance(Seconds(12));
        await using var after = await OpenAsync();

        var repeat = (await after.TransferAsync(Transfer(grant))).Value;
        Assert.True(repeat.Replayed);
        Assert.Equal(passedOn.Token, repeat.Token);
        Assert.InRange(repeat.Remaining, Seconds(17), Seconds(18));
        NotHolder(await after.AcquireAsync(By("ann") with { RequestId = "acquire" }), NotHolderReason.Transferred);
        NotHolder(await after.AcquireAsync(By("bob") with { RequestId = "ended" }), NotHolderReason.Released);
        await after.RefusedAsync<Refusal.Conflict>(By("cid") with { RequestId = "ended" });

        static TransferRequest Transfer(LeaseGrant grant) => new()
        {
            Resource = R, Owner = "ann", Token = grant.Token, NewOwner = "cid", RequestId = "transfer",
        };
    }

    [Fact]
    public async Task RepeatedGrant_IsToldShortByTheSkewAndKeptInFull()
    {
        await using (var before = await OpenAsync()) await before.GrantAsync(By("ann") with { RequestId = "acquire" });
        _time.Advance(Seconds(12));
        await using var after = await OpenAsync();

        var repeat = await after.GrantAsync(By("ann") with { RequestId = "acquire" });

        Assert.InRange(repeat.Remaining, Seconds(17), Seconds(18));
        _time.Advance(Seconds(18) - TimeSpan.FromMilliseconds(1));
        await after.RefusedAsync<Refusal.Held>(By("bob"));
    }

    [Fact]
    public async Task History_OfMoreChangesThanAreKept_IsIntact()
    {
        LeaseHistory before;
        await using (var leases = await OpenAsync())
        {
            for (var i = 0; i < 350; i++)
            {
                await leases.ReleaseAsync(await leases.GrantAsync(By($"owner-{i}") with { RequestId = $"id-{i}" }));
            }

            before = (await leases.HistoryAsync(R)).Value;
        }

        await using var after = await OpenAsync();
        var history = (await after.HistoryAsync(R)).Value;

        Assert.Equal(before.FirstSequence, history.FirstSequence);
        Assert.Equal(before.Events, history.Events);
        Assert.Equal(700, history.Events[^1].Sequence);
        for (var i = 350 - 256; i < 350; i++)
            NotHolder(await after.AcquireAsync(By($"owner-{i}") with { RequestId = $"id-{i}" }), NotHolderReason.Released);
        Assert.Equal(700, (await after.GetAsync()).Sequence);
    }

    [Theory]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(33)]
    public async Task History_AcrossManyRestarts_HasNoGap(int changesBetween)
    {
        for (var run = 0; run < 6; run++)
        {
            await using var leases = await OpenAsync();
            for (var i = 0; i < changesBetween; i++)
            {
                var info = await leases.GetAsync();
                if (info.Holders is [var holder])
                {
                    await leases.ReleaseAsync(new ReleaseRequest { Resource = R, Owner = holder.Owner, Token = holder.Token });
                }
                else await leases.GrantAsync(By("ann") with { Ttl = TimeSpan.FromHours(1) });
            }
        }

        await using var last = await OpenAsync();
        var history = (await last.HistoryAsync(R)).Value;
        Assert.Equal(Enumerable.Range(1, 6 * changesBetween).Select(i => (long)i), history.Events.Select(entry => entry.Sequence));
    }

    [Fact]
    public async Task Expiry_ThatCameWhileDown_IsRecordedOnceUp()
    {
        await using (var before = await OpenAsync())
        {
            for (var i = 0; i < 200; i++) await before.GrantAsync(By("ann", $"fleet/{i}"));
        }

        _time.Advance(Seconds(60));
        await using var after = await OpenAsync();

        // Nobody asks for them: the sweeper finds what is due, page by page, a second after the other at the most.
        await UntilAsync(async () =>
        {
            _time.Advance(Seconds(1));
            return (await after.ListAsync(new ListLeasesRequest { PageSize = 1000 })).Value.Leases.Count == 0;
        });
    }

    [Fact]
    public async Task Key_WhoseTimeWasOverWhileDown_IsAbsent_AndGoneOnceUp()
    {
        await using (var before = await OpenAsync())
        {
            foreach (var key in new[] { "read", "unread" })
                await before.PutKeyAsync(key, new PutKeyRequest { Value = key, Ttl = Seconds(60) });
            await before.PutKeyAsync("stays", new PutKeyRequest { Value = "stays", Ttl = Seconds(600) });
        }

        _time.Advance(Seconds(70));
        await using var after = await OpenAsync();

        Assert.Equal(["stays"], (await after.ListKeysAsync(new ListKeysRequest())).Value.Keys.Select(key => key.Key));
        Assert.IsType<Refusal.NotFound>((await after.GetKeyAsync("read")).Refusal);
        Assert.Equal("stays", (await after.GetKeyAsync("stays")).Value.Value);
        await UntilAsync(() =>
        {
            _time.Advance(Seconds(1));
            return Task.FromResult(_folder.Number("SELECT count(*) FROM keys WHERE held") == 1);
        });
    }

    private Task<EmbeddedLeases> OpenAsync() => EmbeddedLeases.OpenAsync(_folder.Path, time: _time);
}
