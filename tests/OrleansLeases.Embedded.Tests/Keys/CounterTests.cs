using OrleansLeases.Embedded.Tests.Hosting;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Keys;

/// <summary>Sums are exact, however many add at once and however often they ask again.</summary>
public sealed class CounterTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(true, 16)]
    public async Task TenThousandAdditionsAtOnce_AFifthOfThemRepeated_SumExactly(bool durable, int counters)
    {
        const int count = 10_000;
        await using var leases = durable ? await EmbeddedLeases.OpenAsync(_folder.Path) : EmbeddedLeases.InMemory();
        var random = new Random(7);
        var calls = Enumerable.Range(0, count)
            .SelectMany(
                i => Enumerable.Repeat((Id: $"add-{i}", Counter: $"c/{i % counters}", Delta: (i % 5) - 1L), random.Next(5) == 0 ? 2 : 1))
            .ToArray();
        // Nobody repeats an addition after 1,024 others: that is as long as a key remembers.
        for (var start = 0; start < calls.Length; start += 400) random.Shuffle(calls.AsSpan(start, Math.Min(400, calls.Length - start)));

        // Asked in this order: a thread pool under load would take some of them thousands of others later.
        var answers = await Task.WhenAll(calls.Select(call => leases.AddAsync(call.Counter, call.Delta, call.Id)));

        foreach (var (counter, expected) in calls.DistinctBy(call => call.Id).GroupBy(call => call.Counter).Select(
            group => (group.Key, group.Sum(call => call.Delta))))
            Assert.Equal($"{expected}", await leases.ValueAsync(counter));
        Assert.Equal(count, answers.Count(answer => !answer.Value.Replayed));
        foreach (var same in calls.Zip(answers).GroupBy(pair => pair.First.Id))
        {
            Assert.Single(same.Select(pair => (pair.Second.Value.Value, pair.Second.Value.Version)).Distinct());
        }
    }

    [Fact]
    public async Task OneCounter_ThroughRestarts_RemembersTheLast1024Additions()
    {
        for (var run = 0; run < 3; run++)
        {
            await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path);
            for (var i = run * 600; i < (run + 1) * 600; i++) Assert.Equal(i + 1, (await leases.AddAsync("c", 1, $"add-{i}")).Value.Value);
        }

        await using var after = await EmbeddedLeases.OpenAsync(_folder.Path);
        for (var i = 1_800 - 1_024; i < 1_800; i += 13)
        {
            var repeat = (await after.AddAsync("c", 1, $"add-{i}")).Value;
            Assert.Equal((i + 1, i + 1, true), (repeat.Value, repeat.Version, repeat.Replayed));
        }

        Assert.Equal("1800", await after.ValueAsync("c"));
    }

    [Fact]
    public async Task Addition_RewritesOneBlockAtMost()
    {
        await using (var leases = await EmbeddedLeases.OpenAsync(_folder.Path))
        {
            for (var i = 0; i < 1_200; i++) await leases.AddAsync("c", 1, $"add-{i}");
        }

        Assert.Equal(74, _folder.Number("SELECT count(*) FROM keys_log"));
        Assert.InRange(_folder.Number("SELECT max(length(state)) FROM keys"), 100, 2_500);
    }
}
