namespace OrleansLeases.Conformance.Suites;

/// <summary>POST /v1/batch: each operation as by its own call, answered in order.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class BatchSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Fact]
    public async Task Batch_OfEveryOperation_AnswersEachInOrder()
    {
        var (renewed, released, passed, broken) =
            (await GrantAsync(By("ann", "a")), await GrantAsync(By("ann", "b")), await GrantAsync(By("ann", "c")),
                await GrantAsync(By("ann", "d")));
        await PutAsync("read", "1");
        await PutAsync("gone", "1");
        await AddAsync("counted", 2);

        var results = await BatchAsync(
            new BatchOperation.Acquire(By("ann", "new") with { RequestId = "id" }),
            new BatchOperation.Renew(Renewal(renewed)),
            new BatchOperation.Release(new() { Resource = released.Resource, Owner = "ann", Token = released.Token }),
            new BatchOperation.Transfer(new() { Resource = passed.Resource, Owner = "ann", Token = passed.Token, NewOwner = "bob" }),
            new BatchOperation.Break(new() { Resource = broken.Resource, Grace = T(60), Reason = "maintenance" }),
            new BatchOperation.Get(new() { Resource = "never" }),
            new BatchOperation.PutKey("put", new() { Value = "2", Lease = LeaseOf(renewed) }),
            new BatchOperation.GetKey("read"),
            new BatchOperation.DeleteKey("gone"),
            new BatchOperation.AddToCounter("counted", new() { Delta = 3 }));

        var grant = results[0].As<LeaseGrant>().Value;
        Assert.Equal(("new", "ann", "id"), (grant.Resource, grant.Owner, grant.RequestId));
        AssertTime(T(30), grant.Remaining);
        Assert.Equal(renewed.Token, results[1].As<LeaseRenewal>().Value.Token);
        Assert.Equal(released.Token, results[2].As<LeaseRelease>().Value.Token);
        Assert.Equal("bob", results[3].As<LeaseGrant>().Value.Owner);
        AssertTime(T(60), results[4].As<LeaseBreak>().Value.EndsIn);
        Assert.Equal(("never", LeaseStatus.Free), (results[5].As<LeaseInfo>().Value.Resource, results[5].As<LeaseInfo>().Value.State));
        Assert.Equal(("put", 1), (results[6].As<KeyPut>().Value.Key, results[6].As<KeyPut>().Value.Version));
        Assert.Equal("1", results[7].As<KeyValue>().Value.Value);
        Assert.True(results[8].As<KeyDeletion>().Value.Existed);
        Assert.Equal(5, results[9].As<CounterValue>().Value.Value);
        Assert.Equal(grant.Token, Assert.Single((await GetAsync("new")).Holders).Token);
        Assert.Equal(["counted", "put", "read"], await KeysAsync());
    }

    [Fact]
    public async Task Batch_WhoseOperationsAreRefused_RefusesThoseAlone()
    {
        var held = await GrantAsync("ann");

        var results = await BatchAsync(
            new BatchOperation.Acquire(By("bob")),
            new BatchOperation.Acquire(By("bob", "a//b")),
            new BatchOperation.Acquire(By("bob", "waiting") with { Wait = T(1) }),
            new BatchOperation.Renew(Renewal(held) with { Owner = "bob" }),
            new BatchOperation.GetKey("none"),
            new BatchOperation.Acquire(By("bob", "free")));

        Assert.Equal("ann", Assert.Single(Assert.IsType<Refusal.Held>(results[0].Refusal).Holders).Owner);
        Assert.Equal(["resource"], Assert.IsType<Refusal.InvalidRequest>(results[1].Refusal).Errors.Keys);
        Assert.Equal(["waitMs"], Assert.IsType<Refusal.InvalidRequest>(results[2].Refusal).Errors.Keys);
        Assert.Equal(NotHolderReason.NeverHeld, Assert.IsType<Refusal.NotHolder>(results[3].Refusal).Reason);
        Assert.IsType<Refusal.NotFound>(results[4].Refusal);
        Assert.Equal("bob", results[5].As<LeaseGrant>().Value.Owner);
        Assert.Equal(LeaseStatus.Free, (await GetAsync("waiting")).State);
    }

    [Fact]
    public async Task Batch_WithSeveralOperationsOfAName_KeepsTheirOrder()
    {
        var held = await GrantAsync("ann");
        await AddAsync(R, 1);

        var results = await BatchAsync(
            new BatchOperation.Renew(Renewal(held)),
            new BatchOperation.AddToCounter(R, new() { Delta = 1 }),
            new BatchOperation.Release(new() { Resource = R, Owner = "ann", Token = held.Token }),
            new BatchOperation.GetKey(R),
            new BatchOperation.Acquire(By("bob")),
            new BatchOperation.DeleteKey(R),
            new BatchOperation.Acquire(By("cat")),
            new BatchOperation.AddToCounter(R, new() { Delta = 7 }),
            new BatchOperation.Get(new() { Resource = R }));

        Assert.Null(results[0].Refusal);
        Assert.False(results[2].As<LeaseRelease>().Value.Replayed);
        Assert.Equal("2", results[3].As<KeyValue>().Value.Value);
        Assert.Equal(held.Token + 1, results[4].As<LeaseGrant>().Value.Token);
        Assert.Equal("bob", Assert.Single(Assert.IsType<Refusal.Held>(results[6].Refusal).Holders).Owner);
        Assert.Equal(7, results[7].As<CounterValue>().Value.Value);
        Assert.Equal("bob", Assert.Single(results[8].As<LeaseInfo>().Value.Holders).Owner);
    }

    [Fact]
    public async Task Batch_Repeated_IsAppliedOnce()
    {
        BatchOperation[] operations =
        [
            new BatchOperation.Acquire(By("ann") with { RequestId = "grant" }),
            new BatchOperation.AddToCounter("k", new() { Delta = 1, RequestId = "add" }),
        ];

        var first = await BatchAsync(operations);
        var second = await BatchAsync(operations);

        Assert.Equal(first[0].As<LeaseGrant>().Value.Token, second[0].As<LeaseGrant>().Value.Token);
        Assert.True(second[0].As<LeaseGrant>().Value.Replayed);
        Assert.Equal((1, true), (second[1].As<CounterValue>().Value.Value, second[1].As<CounterValue>().Value.Replayed));
    }

    [Fact]
    public async Task Batch_WithoutRequestIds_GetsSomeMade()
    {
        var results = await BatchAsync(new BatchOperation.Acquire(By("ann", "a")), new BatchOperation.Acquire(By("ann", "b")));

        var ids = results.Select(result => result.As<LeaseGrant>().Value.RequestId).ToList();
        Assert.Equal(2, ids.Distinct().Count());
        Assert.DoesNotContain("", ids);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_001)]
    public async Task Batch_OfNoneOrTooMany_IsRefusedAsAWhole(int count)
    {
        var operations = Enumerable.Repeat<BatchOperation>(new BatchOperation.Acquire(By("ann")), count);

        var answer = await Leases.BatchAsync(new BatchRequest { Operations = [.. operations] });

        Assert.Equal(["operations"], Refused<Refusal.InvalidRequest, BatchReply>(answer).Errors.Keys);
        Assert.Equal(0, (await GetAsync()).LastToken);
    }

    [Fact]
    public async Task Batch_CancelledDuringIt_IsAnsweredOrItsGrantsAreGivenBack()
    {
        for (var call = 0; call < 20; call++)
        {
            using var cancellation = new CancellationTokenSource();
            string[] names = [.. Enumerable.Range(0, 5).Select(i => $"{R}/{call}/{i}")];
            var batch = Leases.BatchAsync(
                new BatchRequest { Operations = [.. names.Select(name => new BatchOperation.Acquire(By("ann", name)))] },
                cancellation.Token).AsTask();
            // Some are made by then, and some are not.
            for (var i = 0; i < call; i++) await Task.Yield();
            await cancellation.CancelAsync();

            try
            {
                foreach (var result in (await batch.WaitAsync(WaitTimeout)).Value.Results) Assert.Null(result.Refusal);
            }
            catch (OperationCanceledException)
            {
                foreach (var name in names) await UntilAsync(async () => (await GetAsync(name)).State == LeaseStatus.Free);
            }
        }
    }

    private static RenewRequest Renewal(LeaseGrant held) => new() { Resource = held.Resource, Owner = held.Owner, Token = held.Token };

    private async Task<IReadOnlyList<BatchResult>> BatchAsync(params BatchOperation[] operations)
    {
        var reply = (await Leases.BatchAsync(new BatchRequest { Operations = operations })).Value;
        AssertSince(TimeSpan.Zero, reply.Elapsed);
        Assert.Equal(operations.Length, reply.Results.Count);
        return reply.Results;
    }
}
