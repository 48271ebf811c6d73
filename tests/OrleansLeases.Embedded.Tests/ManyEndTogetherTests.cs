using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests;

/// <summary>A hundred thousand leases that end in one moment are all grantable in that moment.</summary>
public sealed class ManyEndTogetherTests : IDisposable
{
    private const int Count = 100_000;

    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Memory_GrantsThemAllAtOnce()
    {
        await using var leases = EmbeddedLeases.InMemory(time: _time);

        await EndTogetherAsync(leases, Count);
    }

    [Fact]
    public async Task Sqlite_GrantsThemAllAtOnce()
    {
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);

        await EndTogetherAsync(leases, Count);
    }

    private async Task EndTogetherAsync(EmbeddedLeases leases, int count)
    {
        await ForAllAsync(count, i => leases.GrantAsync(By("ann", $"fleet/{i}")));
        _time.Advance(Seconds(30));

        // The clock stands still from here on: whatever is granted is granted in the moment of the end.
        await ForAllAsync(count, async i =>
        {
            var grant = await leases.GrantAsync(By("bob", $"fleet/{i}"));
            Assert.Equal(Seconds(30), grant.Remaining);
        });
        Assert.Equal(3, (await leases.GetAsync($"fleet/{count - 1}")).Sequence);
    }

    private static Task ForAllAsync(int count, Func<int, Task> act) => Parallel.ForEachAsync(
        Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 512 }, async (i, _) => await act(i));
}
