namespace OrleansLeases.Conformance.Suites;

/// <summary>POST /v1/leases/renew-batch: each lease on its own, answered in order.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class RenewBatchSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Fact]
    public async Task RenewBatch_WithGoodAndBad_AnswersEachInOrder()
    {
        var first = await GrantAsync(By("ann", "first"));
        var expired = await GrantAsync(By("ann", "expired") with { Ttl = T(3) });
        var released = await GrantAsync(By("ann", "released"));
        await ReleaseAsync(released);
        var last = await GrantAsync(By("ann", "last"));
        await PassAsync(T(6));

        var reply = (await BatchAsync(
            Of(first), Of(expired), Of(released), Of(first) with { Owner = "bob" }, Of(last) with { Resource = "a//b" },
            Of(last) with { Ttl = T(60) })).Value;

        AssertSince(TimeSpan.Zero, reply.Elapsed);
        Assert.Equal(6, reply.Results.Count);
        var renewal = reply.Results[0].Value;
        Assert.Equal("first", renewal.Resource);
        Assert.Equal(first.Token, renewal.Token);
        Assert.Equal(T(30), renewal.Ttl);
        AssertTime(T(30), renewal.Remaining);
        AssertTime(T(10), renewal.RenewAfter);
        Assert.Equal(expired.Token, NotHolder(reply.Results[1], NotHolderReason.Expired).LastToken);
        NotHolder(reply.Results[2], NotHolderReason.Released);
        NotHolder(reply.Results[3], NotHolderReason.NeverHeld);
        Assert.Equal(["resource"], Refused<Refusal.InvalidRequest, LeaseRenewal>(reply.Results[4]).Errors.Keys);
        AssertTime(T(60), reply.Results[5].Value.Remaining);
    }

    [Fact]
    public async Task RenewBatch_OfAsManyAsAllowed_RenewsAll()
    {
        var grants = new List<LeaseGrant>();
        foreach (var chunk in Enumerable.Range(0, 1000).Chunk(100))
            grants.AddRange(await Task.WhenAll(chunk.Select(i => GrantAsync(By("ann", $"fleet/{i}")))));
        await PassAsync(T(15));

        var reply = (await BatchAsync([.. grants.Select(Of)])).Value;

        Assert.Equal(
            grants.Select(grant => (grant.Resource, grant.Token)),
            reply.Results.Select(result => (result.Value.Resource, result.Value.Token)));
        Assert.All(reply.Results, result => AssertTime(T(30), result.Value.Remaining));
        await PassAsync(T(20));
        await RefusedAsync<Refusal.Held>(By("bob", "fleet/999"));
    }

    [Fact]
    public async Task RenewBatch_OfTheSameLeaseTwice_AnswersTwice()
    {
        var grant = await GrantAsync("ann");

        var reply = (await BatchAsync(Of(grant), Of(grant))).Value;

        Assert.All(reply.Results, result => Assert.Equal(grant.Token, result.Value.Token));
    }

    [Fact]
    public async Task RenewBatch_OfABreakingLease_SaysSo()
    {
        var grant = await GrantAsync("ann");
        await BreakAsync(T(60));

        var renewal = Assert.Single((await BatchAsync(Of(grant))).Value.Results).Value;

        AssertTime(T(60), renewal.Breaking!.EndsIn);
        Assert.Equal("maintenance", renewal.Breaking.Reason);
    }

    [Fact]
    public async Task RenewBatch_OfNone_IsRefused() =>
        Assert.Equal(["leases"], Refused<Refusal.InvalidRequest, RenewBatchReply>(await BatchAsync()).Errors.Keys);

    [Fact]
    public async Task RenewBatch_OfTooMany_IsRefusedAsAWhole()
    {
        var grant = await GrantAsync("ann");
        await PassAsync(T(10));

        var refusal =
            Refused<Refusal.InvalidRequest, RenewBatchReply>(await BatchAsync([.. Enumerable.Repeat(Of(grant), Limits.MaxBatch + 1)]));

        Assert.Equal(["leases"], refusal.Errors.Keys);
        AssertTime(T(20), Assert.Single((await GetAsync()).Holders).Remaining);
    }

    private ValueTask<LeaseResult<RenewBatchReply>> BatchAsync(params RenewRequest[] leases) =>
        Leases.RenewBatchAsync(new RenewBatchRequest { Leases = leases });

    private static RenewRequest Of(LeaseGrant grant) => new() { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token };
}
