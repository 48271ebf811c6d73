using System.Text;
using OrleansLeases.Core;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Sqlite;

/// <summary>Listings of both stores are alike, however many records are passed over; and go on while the records change.</summary>
public sealed class ListingTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Pages_OfBothStores_AreAlike()
    {
        await using var sqlite = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);
        await using var memory = EmbeddedLeases.InMemory(time: _time);
        string[] names = [.. Enumerable.Range(0, 200).Select(NameOf)];
        foreach (var leases in new[] { sqlite, memory })
        {
            await Task.WhenAll(names.Select((name, i) => leases.GrantAsync(By(i % 3 == 0 ? "ann" : "bob", name))));
            foreach (var name in names.Where((_, i) => i % 5 == 0))
            {
                var holder = Assert.Single((await leases.GetAsync(name)).Holders);
                await leases.ReleaseAsync(new ReleaseRequest { Resource = name, Owner = holder.Owner, Token = holder.Token });
            }
        }

        foreach (var request in new ListLeasesRequest[]
        {
            new(), new() { State = LeaseFilter.Any }, new() { State = LeaseFilter.Free }, new() { Owner = "ann" },
            new() { Owner = "bob", Prefix = "\U0001F512" },
            new() { Prefix = "a/" }, new() { Prefix = "\uE000", State = LeaseFilter.Any }, new() { After = NameOf(100) },
        })
        {
            var expected = await NamesAsync(memory, request with { PageSize = 1000 });
            Assert.NotEmpty(expected);
            Assert.Equal(expected.Order(Utf8Order.Instance), expected);
            foreach (var size in new[] { 1, 3, 1000 }) Assert.Equal(expected, await NamesAsync(sqlite, request with { PageSize = size }));
        }

        static string NameOf(int i) => (i % 4) switch { 0 => $"a/{i}", 1 => $"\uE000{i}", 2 => $"\U0001F512/{i}", _ => $"ä{i}" };
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task APage_ThatFindsLittleAmongMany_EndsEarlyWithAPlaceToGoOn(bool durable)
    {
        await using var leases = durable ? await EmbeddedLeases.OpenAsync(_folder.Path, time: _time) : EmbeddedLeases.InMemory(time: _time);
        foreach (var chunk in Enumerable.Range(0, 20_500).Chunk(1000))
            await Task.WhenAll(chunk.Select(i => leases.GrantAsync(By(i is 0 or 20_499 ? "rare" : "ann", $"fleet/{i:00000}"))));

        var first = (await leases.ListAsync(new ListLeasesRequest { Owner = "rare" })).Value;

        Assert.Equal("fleet/00000", Assert.Single(first.Leases).Resource);
        Assert.NotNull(first.Next);
        Assert.Equal(["fleet/00000", "fleet/20499"], await NamesAsync(leases, new ListLeasesRequest { Owner = "rare" }));
    }

    private static async Task<List<string>> NamesAsync(EmbeddedLeases leases, ListLeasesRequest request)
    {
        var names = new List<string>();
        string? after = request.After;
        do
        {
            var page = (await leases.ListAsync(request with { After = after })).Value;
            names.AddRange(page.Leases.Select(lease => lease.Resource));
            after = page.Next;
        }
        while (after is not null);
        Assert.Equal(names.Distinct(), names);
        Assert.All(names, name => Assert.StartsWith(request.Prefix ?? "", name, StringComparison.Ordinal));
        Assert.All(names, name => Assert.InRange(Encoding.UTF8.GetByteCount(name), 1, 512));
        return names;
    }
}
