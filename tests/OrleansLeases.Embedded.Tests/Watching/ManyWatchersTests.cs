using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Embedded.Tests.Keys;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Watching;

/// <summary>Many watchers, and many names: each sees every change once, or resync.</summary>
public sealed class ManyWatchersTests : IDisposable
{
    private const int AtOnce = 256;

    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AThousandWatchersOfOneResource_EachSeeEveryChangeOnce(bool durable)
    {
        const int Watchers = 1_000;
        // As many changes as a resource remembers at least: nobody can fall too far behind.
        const int Changes = 512;
        await using var leases = await OpenAsync(durable);
        var watches = await Task.WhenAll(Enumerable.Range(0, Watchers).Select(_ => leases.WatchAsync(resource: R)));
        var readers = watches.Select(events => Task.Run(async () =>
        {
            await using (events)
            {
                Assert.Equal(("state", 0), await events.NextWordAsync());
                for (var sequence = 1; sequence <= Changes; sequence++)
                    Assert.Equal((sequence % 2 == 1 ? "granted" : "released", sequence), await events.NextWordAsync());
            }
        })).ToList();
        for (var i = 0; i < Changes / 2; i++) await leases.ReleaseAsync(await leases.GrantAsync(By($"worker-{i}")));

        await Task.WhenAll(readers);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TenThousandResourcesUnderOnePrefix_AreAllSeen_OrResyncIsSaid(bool durable)
    {
        const int Names = 10_000;
        await using var leases = await OpenAsync(durable);
        await using var events = await leases.WatchAsync(prefix: "fleet/");
        await using var unread = await leases.WatchAsync(prefix: "fleet/");
        await leases.GrantAsync(By("ann", "other"));
        await leases.PutAsync("other", "1");
        var seen = new Dictionary<string, long>();
        var resyncs = 0;
        var reading = Task.Run(async () =>
        {
            // The last name is changed until it is seen: it may have been missed like any other.
            while (seen.GetValueOrDefault("fleet/last") < 3) Note(await events.NextAsync());
        });

        await ForAllAsync(Names, i => leases.GrantAsync(By("ann", $"fleet/{i}")));
        _time.Advance(Seconds(30));
        await ForAllAsync(Names, i => leases.GrantAsync(By("bob", $"fleet/{i}")));
        while (!reading.IsCompleted) await leases.ReleaseAsync(await leases.GrantAsync(By("ann", "fleet/last")));
        await reading;

        Assert.All(seen.Keys, name => Assert.StartsWith("fleet/", name, StringComparison.Ordinal));
        if (resyncs == 0)
        {
            Assert.Equal(Names + 1, seen.Count);
            Assert.All(seen.Where(pair => pair.Key != "fleet/last"), pair => Assert.Equal(3, pair.Value));
        }

        // The one that was not read has what fits, and the word.
        var (told, sequences) = (0, new Dictionary<string, long>());
        while (await unread.NextAsync() is WatchEvent.LeaseChanged changed)
        {
            told++;
            Assert.Equal(sequences.GetValueOrDefault(changed.Lease.Resource!) + 1, changed.Lease.Sequence);
            sequences[changed.Lease.Resource!] = changed.Lease.Sequence;
        }

        // Keepers that tell at once with the one that found it full come too late.
        Assert.InRange(told, 4_096 - AtOnce, 4_096);

        void Note(WatchEvent next)
        {
            if (next is WatchEvent.Resync)
            {
                resyncs++;
                return;
            }

            var change = Assert.IsType<WatchEvent.LeaseChanged>(next).Lease;
            var before = seen.GetValueOrDefault(change.Resource!);
            if (resyncs == 0) Assert.Equal(before + 1, change.Sequence);
            else Assert.InRange(change.Sequence, before + 1, long.MaxValue);
            seen[change.Resource!] = change.Sequence;
        }
    }

    private async Task<EmbeddedLeases> OpenAsync(bool durable) =>
        durable ? await EmbeddedLeases.OpenAsync(_folder.Path, time: _time) : EmbeddedLeases.InMemory(time: _time);

    private static Task ForAllAsync(int count, Func<int, Task> act) => Parallel.ForEachAsync(
        Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) => await act(i));
}
