using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing.Telemetry;

namespace OrleansLeases.Embedded.Tests.Telemetry;

/// <summary>Every metric moves when its event happens, and no other one does.</summary>
public sealed class MetricTests
{
    public static TheoryData<string> Events => [.. MeteredEvents.All.Keys];

    [Theory, MemberData(nameof(Events))]
    public async Task Event_MovesItsMetrics_AndNoOthers(string name)
    {
        await using var engine = new MeteredEngine();

        var moved = await engine.RunAsync(MeteredEvents.All[name]);

        // How many pages a commit writes is SQLite's to say.
        Assert.Equal(
            MeteredEvents.All[name].Moves.Order(StringComparer.Ordinal),
            moved.Where(series => !series.StartsWith("leases.store.size ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Table_InTheDocs_ListsTheInstruments_AndTheirAttributes()
    {
        SortedDictionary<string, string> attributes = new(StringComparer.Ordinal);
        foreach (var metered in MeteredEvents.All.Values)
        {
            await using var engine = new MeteredEngine();
            await engine.RunAsync(metered);
            Assert.Equal(
                InstrumentTable.RowsOf("OrleansLeases"),
                InstrumentTable.RowsOf(engine.Meters.Instruments.DistinctBy(instrument => instrument.Name)));
            foreach (var (instrument, seen) in engine.Meters.Attributes) attributes[instrument] = string.Join(", ", seen);
        }

        Assert.Equal(InstrumentTable.AttributesOf("OrleansLeases"), attributes);
    }

    [Fact]
    public async Task Duration_OfAnAcquire_HasItsWait()
    {
        await using var engine = new MeteredEngine();
        await MeteredEvents.All["wait granted"].Before(engine);
        engine.Time.Advance(TimeSpan.FromSeconds(7));

        await MeteredEvents.All["wait granted"].Event(engine);

        engine.Meters.Totals();
        Assert.Equal(7, engine.Meters.Last("leases.operation.duration{ok,acquire}"));
        Assert.Equal(7, engine.Meters.Last("leases.queue.duration{granted}"));
        Assert.Equal(7, engine.Meters.Last("leases.lease.duration{released}"));
    }
}
