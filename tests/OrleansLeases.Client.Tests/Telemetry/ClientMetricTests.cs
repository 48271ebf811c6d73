using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Testing.Telemetry;

namespace OrleansLeases.Client.Tests.Telemetry;

/// <summary>Every metric of a client moves when its event happens, and no other one does.</summary>
public sealed class ClientMetricTests
{
    private static readonly TimeSpan Third = HandleFixture.Ttl / 3;
    private static readonly Refusal Refused = new Refusal.Conflict(3, "refused by a server");

    private static readonly SortedDictionary<string, Func<Metered, Task<string[]>>> All = new(StringComparer.Ordinal)
    {
        ["acquire"] = async client =>
        {
            await client.Fixture.AcquireAsync();
            return ["leases.client.held +1"];
        },
        ["renewal"] = async client =>
        {
            await client.Fixture.AcquireAsync();
            await client.Fixture.AdvanceAsync(Third);
            Assert.InRange(client.Meters.Last("leases.client.renewal.margin"), Third.TotalSeconds, 2 * Third.TotalSeconds + 1);
            return ["leases.client.held +1", "leases.client.renewal.margin +1"];
        },
        ["release"] = async client =>
        {
            await (await client.Fixture.AcquireAsync()).ReleaseAsync();
            return [];
        },
        ["lost by a break"] = async client =>
        {
            await client.Fixture.AcquireAsync();
            await client.Fixture.Service.BreakAsync(new() { Resource = "r", Grace = TimeSpan.Zero, Force = true, Reason = "it hangs" });
            await client.Fixture.AdvanceAsync(Third);
            return ["leases.client.lost{broken} +1"];
        },
        ["lost since nothing answers"] = async client =>
        {
            await client.Fixture.AcquireAsync();
            client.Fixture.Network.FateOf = _ => Fate.Refused(new Refusal.Unavailable(TimeSpan.Zero, "away"));
            await client.Fixture.AdvanceAsync(HandleFixture.Ttl);
            return ["leases.client.lost{expired} +1"];
        },
        ["attempts"] = async client =>
        {
            client.Servers.IsAway("a");
            client.Servers.Refuses("b", Refused);
            await client.Http.InfoAsync();
            return ["leases.client.attempts{failed,a,80} +1", "leases.client.attempts{answered,b,80} +1"];
        },
        ["attempt given up"] = async client =>
        {
            client.Servers.IsSilent("a");
            using var leaves = new CancellationTokenSource();
            var call = client.Http.InfoAsync(leaves.Token).AsTask();
            await client.Servers.AskedAsync("a");
            await leaves.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
            return ["leases.client.attempts{given-up,a,80} +1"];
        },
    };

    public static TheoryData<string> Events => [.. All.Keys];

    [Theory, MemberData(nameof(Events))]
    public async Task Event_MovesItsMetrics_AndNoOthers(string name)
    {
        await using var client = new Metered();

        var expected = await All[name](client);

        Assert.Equal(expected.Order(StringComparer.Ordinal), client.Moved());
    }

    [Fact]
    public async Task Table_InTheDocs_ListsTheInstruments_AndTheirAttributes()
    {
        SortedDictionary<string, string> attributes = new(StringComparer.Ordinal);
        foreach (var happens in All.Values)
        {
            await using var client = new Metered();
            await happens(client);
            Assert.Equal(
                InstrumentTable.RowsOf("OrleansLeases.Client"),
                InstrumentTable.RowsOf(client.OfTheClient.DistinctBy(instrument => instrument.Name)));
            foreach (var (instrument, seen) in client.Meters.Attributes) attributes[instrument] = string.Join(", ", seen);
        }

        Assert.Equal(InstrumentTable.AttributesOf("OrleansLeases.Client"), attributes);
    }

    /// <summary>A client, servers, and what they count.</summary>
    private sealed class Metered : IAsyncDisposable
    {
        public Metered()
        {
            Fixture = new(options: new() { Owner = "ann", MeterFactory = Meters });
            Http = new(new HttpClient(Servers) { Timeout = Timeout.InfiniteTimeSpan }, [new("http://a"), new("http://b")], Fixture.Time)
            {
                MeterFactory = Meters,
            };
        }

        public Meters Meters { get; } = new();

        public HandleFixture Fixture { get; }

        public ScriptedServers Servers { get; } = new();

        public HttpLeaseService Http { get; }

        public IEnumerable<System.Diagnostics.Metrics.Instrument> OfTheClient =>
            Meters.Instruments.Where(instrument => instrument.Meter.Name == "OrleansLeases.Client");

        public List<string> Moved() =>
        [
            .. (from series in Meters.Totals()
                where series.Value != 0
                select $"{series.Key} {series.Value:+0;-0}").Order(StringComparer.Ordinal),
        ];

        public async ValueTask DisposeAsync()
        {
            await Fixture.DisposeAsync();
            Meters.Dispose();
        }
    }
}
