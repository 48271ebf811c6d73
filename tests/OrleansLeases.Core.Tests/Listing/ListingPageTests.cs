namespace OrleansLeases.Core.Tests;

/// <summary>A page of a listing ends early where it gets large, with a place to go on from.</summary>
public sealed class ListingPageTests
{
    [Fact]
    public void Page_OfNamesWithManyHolders_EndsEarly()
    {
        var fixture = new MachineFixture();
        fixture.Grant();
        var holder = Assert.Single(fixture.State.Holders);
        var crowded = fixture.State with { Holders = [.. Enumerable.Range(1, 1_000).Select(token => holder with { Token = token })] };
        var now = fixture.Clock.Read();

        var (pages, names, after) = (0, new List<string>(), (string?)null);
        do
        {
            var page = new ListingPage(new ListLeasesRequest { PageSize = 1_000, After = after }, now, fixture.Rules);
            foreach (var name in Enumerable.Range(100, 25).Select(number => $"r/{number}"))
            {
                if (string.CompareOrdinal(name, page.From) >= 0 && !page.Add(name, crowded)) break;
            }

            var listed = page.ToPage();
            Assert.InRange(listed.Leases.Count, 1, 10);
            names.AddRange(listed.Leases.Select(lease => lease.Resource));
            (pages, after) = (pages + 1, listed.Next);
        }
        while (after is not null);

        Assert.Equal(Enumerable.Range(100, 25).Select(number => $"r/{number}"), names);
        Assert.Equal(3, pages);
    }
}
