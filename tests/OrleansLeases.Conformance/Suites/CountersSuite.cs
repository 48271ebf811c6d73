using System.Globalization;

namespace OrleansLeases.Conformance.Suites;

/// <summary>POST /v1/counters/{key}: additions, each once for its request id.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class CountersSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    private const string C = "counters/jobs";

    [Fact]
    public async Task Add_ToAnAbsentKey_StartsAt0()
    {
        Assert.Equal(new CounterValue { Key = C, Value = 5, Version = 1 }, (await AddAsync(C, 5)).Value);
        Assert.Equal(new CounterValue { Key = C, Value = 3, Version = 2 }, (await AddAsync(C, -2)).Value);
        Assert.Equal(new KeyValue { Key = C, Value = "3", Version = 2 }, (await Leases.GetKeyAsync(C)).Value);
    }

    [Fact]
    public async Task Add_ToAKeyThatWasPut_AddsToIt()
    {
        await PutAsync(C, "-40");
        Assert.Equal(2, (await AddAsync(C, 42)).Value.Value);
        await Leases.DeleteKeyAsync(C);

        var anew = (await AddAsync(C, 1)).Value;

        Assert.Equal((1, 4), (anew.Value, anew.Version));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("1.0")]
    [InlineData("1e3")]
    [InlineData("0x10")]
    [InlineData("1,000")]
    [InlineData("one")]
    [InlineData("1\0")]
    [InlineData("9223372036854775808")]
    public async Task Add_ToWhatIsNoInteger_IsAConflictAndChangesNothing(string value)
    {
        await PutAsync(C, value);

        Refused<Refusal.Conflict, CounterValue>(await AddAsync(C, 1));
        Assert.Equal(new KeyValue { Key = C, Value = value, Version = 1 }, (await Leases.GetKeyAsync(C)).Value);
    }

    [Theory]
    [InlineData(long.MaxValue, 1)]
    [InlineData(long.MaxValue, long.MaxValue)]
    [InlineData(long.MinValue, -1)]
    [InlineData(-1, long.MinValue)]
    [InlineData(1, long.MaxValue)]
    public async Task Add_ThatOverflows_IsAConflictAndChangesNothing(long value, long delta)
    {
        await PutAsync(C, value.ToString(CultureInfo.InvariantCulture));

        Refused<Refusal.Conflict, CounterValue>(await AddAsync(C, delta, requestId: "once"));
        Assert.Equal(1, (await Leases.GetKeyAsync(C)).Value.Version);
        Assert.False((await AddAsync(C, 0, requestId: "other")).Value.Replayed);
    }

    [Fact]
    public async Task Add_UpToTheBounds_IsTaken()
    {
        Assert.Equal(long.MaxValue, (await AddAsync(C, long.MaxValue)).Value.Value);
        Assert.Equal(-1, (await AddAsync(C, long.MinValue)).Value.Value);
        Assert.Equal(long.MinValue, (await AddAsync(C, long.MinValue + 1)).Value.Value);
    }

    [Fact]
    public async Task Add_Repeated_TellsTheSumItMade()
    {
        var first = (await AddAsync(C, 5, requestId: "once")).Value;
        await AddAsync(C, 5);

        var repeat = (await AddAsync(C, 5, requestId: "once")).Value;

        Assert.Equal(first with { Replayed = true }, repeat);
        Assert.Equal("10", await ValueAsync(C));
        Refused<Refusal.Conflict, CounterValue>(await AddAsync(C, 6, requestId: "once"));
    }

    [Fact]
    public async Task Add_OfTheLast1024_IsRemembered()
    {
        for (var i = 1; i <= 1_100; i++) Assert.Equal(i, (await AddAsync(C, 1, requestId: $"add-{i}")).Value.Value);

        for (var i = 1_100 - 1_023; i <= 1_100; i += 31)
        {
            var repeat = (await AddAsync(C, 1, requestId: $"add-{i}")).Value;
            Assert.Equal((i, i, true), (repeat.Value, repeat.Version, repeat.Replayed));
        }

        Assert.Equal("1100", await ValueAsync(C));
    }

    [Fact]
    public async Task Add_ByManyAtOnceWithRetries_SumsExactly()
    {
        var random = new Random(1);
        var calls = Enumerable.Range(0, 1_000).SelectMany(i => Enumerable.Repeat($"add-{i}", random.Next(5) == 0 ? 2 : 1));

        var answers = await Task.WhenAll(calls.Select(AddUntilAnsweredAsync));

        Assert.Equal("1000", await ValueAsync(C));
        var sums = answers.ToLookup(answer => answer.Id, answer => answer.Sum);
        Assert.All(sums, ofOneId => Assert.Single(ofOneId.Distinct()));
        Assert.Equal(Enumerable.Range(1, 1_000).Select(i => (long)i), sums.Select(ofOneId => ofOneId.First()).Order());

        // On a busy machine a call may be given up before its turn has come: its id says whether it was made.
        async Task<(string Id, long Sum)> AddUntilAnsweredAsync(string id)
        {
            while (true)
            {
                var answer = await AddAsync(C, 1, requestId: id);
                if (answer.TryGetValue(out var added, out var refusal)) return (id, added.Value);
                Assert.True(refusal is Refusal.Unavailable or Refusal.OutcomeUnknown, refusal.Detail);
            }
        }
    }

    [Fact]
    public async Task Add_BoundToALease_EndsWithIt()
    {
        var grant = await GrantAsync("ann");
        Assert.Equal(2, (await AddAsync(C, 2, grant)).Value.Value);
        Assert.Equal(5, (await AddAsync(C, 3, grant)).Value.Value);
        Assert.Equal(LeaseOf(grant), (await Leases.GetKeyAsync(C)).Value.Lease);

        await ReleaseAsync(grant);

        Assert.Null(await ValueAsync(C));
        Assert.Equal(1, (await AddAsync(C, 1)).Value.Value);
    }

    [Fact]
    public async Task Add_WithoutALease_LeavesTheKeyBoundToItsLease()
    {
        var grant = await GrantAsync("ann");
        await AddAsync(C, 2, grant);
        Assert.Equal(3, (await AddAsync(C, 1)).Value.Value);
        Assert.Equal(LeaseOf(grant), (await Leases.GetKeyAsync(C)).Value.Lease);

        await ReleaseAsync(grant);

        Assert.Null(await ValueAsync(C));
    }

    [Fact]
    public async Task Add_BoundByManyAtOnce_SumsExactly()
    {
        var grant = await GrantAsync("ann");

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => AddAsync(C, 1, grant).AsTask()));

        Assert.Equal(Enumerable.Range(1, 200).Select(i => (long)i), answers.Select(answer => answer.Value.Value).Order());
    }

    [Fact]
    public async Task Add_OverflowOfABoundCounter_DoesNotAttachIt()
    {
        var grant = await GrantAsync("ann");
        await PutAsync(C, "no number");

        Refused<Refusal.Conflict, CounterValue>(await AddAsync(C, 1, grant));

        Assert.Empty(Assert.Single((await GetAsync()).Holders).Keys);
    }
}
