using OrleansLeases.Client.Recipes;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Recipes;

public sealed class CounterTests : RecipeTests
{
    [Fact]
    public async Task Add_ReturnsTheSum_AndCountsFromZero()
    {
        var counter = new Counter(Ann, "jobs/done");

        Assert.Equal(0, await counter.ReadAsync());
        Assert.Equal(5, await counter.AddAsync(5));
        Assert.Equal(3, await new Counter(Bob, "jobs/done").AddAsync(-2));
        Assert.Equal(3, await counter.ReadAsync());
    }

    [Fact]
    public async Task Add_WhoseAnswersAreLost_IsMadeOnce()
    {
        var losing = new LosingAdditions(World.Service);
        var counter = new Counter(World.Join("cid", losing), "jobs/done");
        var adding = Task.WhenAll(Enumerable.Range(0, 100).Select(_ => counter.AddAsync().AsTask()));

        await World.AdvanceUntilAsync(adding);

        Assert.Equal(Enumerable.Range(1, 100).Select(sum => (long)sum), (await adding).Order());
        Assert.Equal(200, losing.Calls);
        Assert.Equal(100, await counter.ReadAsync());
    }

    [Fact]
    public async Task Add_WithAnIdThatWasUsed_IsTheAdditionOfThen()
    {
        Assert.Equal(1, await new Counter(Ann, "jobs/done").AddAsync(requestId: "message-7"));
        Assert.Equal(2, await new Counter(Ann, "jobs/done").AddAsync());

        Assert.Equal(1, await new Counter(Bob, "jobs/done").AddAsync(requestId: "message-7"));
        Assert.Equal(2, await new Counter(Bob, "jobs/done").ReadAsync());
    }

    [Fact]
    public async Task Add_ToWhatIsNoNumber_IsRefused()
    {
        await World.Service.PutKeyAsync("jobs/done", new() { Value = "many" });

        var error = await Assert.ThrowsAsync<LeaseRefusedException>(() => new Counter(Ann, "jobs/done").AddAsync().AsTask());

        Assert.IsType<Refusal.Conflict>(error.Refusal);
        var unread = await Assert.ThrowsAsync<FormatException>(() => new Counter(Ann, "jobs/done").ReadAsync().AsTask());
        Assert.Contains("'jobs/done'", unread.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Add_WhereTheServiceNeverAnswers_SaysSoWithTheIdToRepeat()
    {
        var losing = new LosingAdditions(World.Service) { Always = true };
        var adding = new Counter(World.Join("cid", losing), "jobs/done").AddAsync(requestId: "message-7").AsTask();

        await World.AdvanceUntilAsync(adding);

        var error = await Assert.ThrowsAsync<LeaseRefusedException>(() => adding);
        Assert.Equal("message-7", Assert.IsType<Refusal.OutcomeUnknown>(error.Refusal).RequestId);
        Assert.Equal(1, await new Counter(Ann, "jobs/done").ReadAsync());
    }

    public static TheoryData<Refusal> LastWords => new(
        new Refusal.Unavailable(TimeSpan.Zero, "cannot be reached"),
        new Refusal.LimitReached("rate", TimeSpan.Zero, "too many calls"),
        new Refusal.Unauthorized("the credential has run out"));

    [Theory]
    [MemberData(nameof(LastWords))]
    public async Task Add_ThatMayHaveBeenMade_IsNotToldAsRefused_WhateverIsSaidLast(Refusal last)
    {
        var losing = new LosingAdditions(World.Service) { Then = last };
        var adding = new Counter(World.Join("cid", losing), "jobs/done").AddAsync(requestId: "message-7").AsTask();

        await World.AdvanceUntilAsync(adding);

        var error = await Assert.ThrowsAsync<LeaseRefusedException>(() => adding);
        Assert.Equal("message-7", Assert.IsType<Refusal.OutcomeUnknown>(error.Refusal).RequestId);
        Assert.Equal(1, await new Counter(Ann, "jobs/done").ReadAsync());
    }

    /// <summary>Makes every addition, and loses the first answer to each, or all of them.</summary>
    private sealed class LosingAdditions(ILeaseService service) : ForwardingLeases(service)
    {
        private readonly HashSet<string> _lost = [];

        public bool Always { get; init; }

        /// <summary>What is said from the second call on, where it is not made.</summary>
        public Refusal? Then { get; init; }

        public int Calls { get; private set; }

        public override async ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
            string key, AddToCounterRequest request, CancellationToken cancellationToken = default)
        {
            if (Then is { } refusal && Calls > 0) return refusal;
            var result = await base.AddToCounterAsync(key, request, cancellationToken);
            lock (_lost)
            {
                Calls++;
                return _lost.Add(request.RequestId!) || Always
                    ? new Refusal.OutcomeUnknown(request.RequestId, "The answer was lost.")
                    : result;
            }
        }
    }
}
