using System.Text;
using System.Text.Json;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>Records stored by earlier versions. The samples are never edited: a new schema gets a file of its own.</summary>
public sealed class LeaseCodecTests
{
    private static readonly TimeSpan Start = TimeSpan.FromMilliseconds(1_893_456_000_000);

    [Theory]
    [InlineData("free")]
    [InlineData("held")]
    [InlineData("shared")]
    [InlineData("breaking")]
    [InlineData("delayed")]
    [InlineData("long log")]
    public void Encode_WhenDecodedFromTheSample_IsTheSameText(string name) =>
        Assert.Equal(SampleText(name), Encoding.UTF8.GetString(RecordCodec.Lease.Encode(Sample(name))));

    [Fact]
    public void Decode_WhenFree_KeepsTheCounter()
    {
        var state = Sample("free");

        Assert.Equal((1, 2, 1), (state.Schema, state.Version, state.LastToken));
        Assert.Empty(state.Holders);
        Assert.Null(state.Capacity);
        Assert.Equal(new ActivationId("a", 0), state.Claim);
        Assert.Equal(
            [(LeaseEventKind.Released, 1), (LeaseEventKind.Granted, 1L)],
            state.Log.NewestFirst().Select(entry => (entry.Kind, entry.Token)));
    }

    [Fact]
    public void Decode_WhenHeld_IsTheExactHolder()
    {
        var state = Sample("held");

        var holder = Assert.Single(state.Holders);
        Assert.Equal(
            new Holder
            {
                Owner = "me",
                Token = 1,
                Ttl = Seconds(10),
                Horizon = Start + Seconds(21),
                HorizonLength = Seconds(20),
                HorizonBy = "a",
                LockDelay = Seconds(5),
                Request = RequestFingerprint.Of(Ask() with { LockDelay = Seconds(5) }),
            },
            holder);
        Assert.Equal(new LogEntry(LeaseEventKind.Granted, 1, Start, "me", null, holder.Request), Assert.Single(state.Log.NewestFirst()));
    }

    [Fact]
    public void Decode_WhenShared_KeepsCapacityMetadataAndOrder()
    {
        var state = Sample("shared");

        Assert.Equal(3, state.Capacity);
        Assert.Equal([("Zoë", 1L, "a"), ("you", 2, "b")], state.Holders.Select(holder => (holder.Owner, holder.Token, holder.HorizonBy)));
        Assert.All(state.Holders, holder => Assert.Equal(LeaseMode.Shared, holder.Mode));
        Assert.Equal(new Dictionary<string, string> { ["host"] = "node \"7\"", ["pid"] = "42" }, state.Holders[0].Metadata);
        Assert.Equal(Seconds(2.5), state.Holders[1].Ttl);
        Assert.Equal(new ActivationId("b", 1), state.Claim);
    }

    [Fact]
    public void Decode_WhenBreaking_KeepsTheOrder() => Assert.Equal(
        new BreakOrder { EndsWall = Start + Seconds(60), Force = true, Reason = "upkeep" },
        Assert.Single(Sample("breaking").Holders).Breaking);

    [Fact]
    public void Decode_WhenDelayed_KeepsTheDelay() =>
        Assert.Equal(new Delay { Owner = "me", Length = Seconds(5), EndsWall = Start + Seconds(6) }, Sample("delayed").Delay);

    [Theory]
    [InlineData("held at least")]
    [InlineData("ended early")]
    public void Encode_WhenDecodedFromTheSampleOfSchema2_IsTheSameText(string name) => Assert.Equal(
        SampleText(name, "schema-2.json"), Encoding.UTF8.GetString(RecordCodec.Lease.Encode(Sample(name, "schema-2.json"))));

    [Fact]
    public void Decode_WhenToBeHeldAtLeast_KeepsUntilWhen()
    {
        var hold = new Delay { Owner = "me", Length = Seconds(60), EndsWall = Start + Seconds(60) };

        var holder = Assert.Single(Sample("held at least", "schema-2.json").Holders);
        Assert.Equal(hold, holder.Hold);
        Assert.Equal(RequestFingerprint.Of(Ask() with { HoldAtLeast = Seconds(60) }), holder.Request);
        Assert.Equal(hold, Sample("ended early", "schema-2.json").Hold);
    }

    [Fact]
    public void Decode_WhenTheLogIsLong_KeepsItsNumbers()
    {
        var log = Sample("long log").Log;

        Assert.Equal((63, 33, 31), (log.Last, log.First, log.Count));
        Assert.Equal(
            [LeaseEventKind.Granted, LeaseEventKind.Transferred, LeaseEventKind.Granted],
            log.NewestFirst().Take(3).Select(entry => entry.Kind));
        Assert.Equal(17, log.Finished(2)[0].Token);
    }

    [Fact]
    public void Apply_WhenARequestStoredByAnEarlierVersionIsRepeated_KnowsIt()
    {
        var fixture = new MachineFixture { State = Sample("held") };
        Assert.Equal(new LeaseReply.Granted(1, Replayed: true), Resumed(fixture).Acquire(Ask() with { LockDelay = Seconds(5) }));

        fixture.State = Sample("breaking");
        Assert.Equal(1, Assert.IsType<LeaseReply.Breaking>(Resumed(fixture).Break(1, 60, force: true)).Token);

        fixture.State = Sample("long log");
        Assert.Equal(new LeaseReply.Granted(32, Replayed: true), Resumed(fixture).Transfer(31, "you"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(999)]
    public void Decode_WhenTheSchemaIsAnother_RefusesAndNamesIt(int schema)
    {
        var text = SampleText("free").Replace("\"v\":1", $"\"v\":{schema}", StringComparison.Ordinal);

        var error = Assert.Throws<InvalidDataException>(() => RecordCodec.Lease.Decode(Encoding.UTF8.GetBytes(text)));
        Assert.Contains($"schema {schema}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("{\"v\":1")]
    [InlineData("{\"v\":\"1\"}")]
    [InlineData("{\"v\":1,\"log\":null}")]
    [InlineData("{\"v\":1,\"log\":5}")]
    [InlineData("{\"v\":1,\"log\":{}}")]
    [InlineData("{\"v\":1,\"log\":{\"n\":\"1\",\"e\":[]}}")]
    [InlineData("{\"v\":1,\"log\":{\"n\":1,\"e\":[{\"k\":1,\"t\":1}],\"e2\":")]
    [InlineData("{\"v\":1,\"holders\":[{\"o\":\"me\"}],\"log\":{\"n\":0,\"e\":[]}}")]
    [InlineData("{\"v\":1}")]
    [InlineData("{\"v\":1,\"ver\":1,\"last\":1,\"holders\":[]}")]
    [InlineData("{\"v\":1,\"ver\":1,\"last\":1,\"log\":{\"n\":0,\"e\":[]}}")]
    [InlineData("{\"v\":1,\"ver\":1,\"last\":1,\"holders\":null,\"log\":{\"n\":0,\"e\":[]}}")]
    [InlineData("{\"v\":1,\"ver\":1,\"last\":1,\"holders\":[null],\"log\":{\"n\":0,\"e\":[]}}")]
    [InlineData("{\"v\":1,\"ver\":1,\"last\":1,\"holders\":[{\"o\":null,\"t\":1,\"ttl\":1,\"r\":1,\"s\":1,\"by\":\"a\"}],"
        + "\"log\":{\"n\":0,\"e\":[]}}")]
    public void Decode_WhenGarbage_Refuses(string text) =>
        Assert.Throws<InvalidDataException>(() => RecordCodec.Lease.Decode(Encoding.UTF8.GetBytes(text)));

    private static MachineFixture Resumed(MachineFixture fixture)
    {
        fixture.State = fixture.State.Resume(fixture.Clock.Read(), fixture.Rules);
        return fixture;
    }

    private static LeaseState Sample(string name, string file = "schema-1.json") =>
        RecordCodec.Lease.Decode(Encoding.UTF8.GetBytes(SampleText(name, file)));

    private static string SampleText(string name, string file = "schema-1.json")
    {
        using var sample = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Storage", file)));
        return sample.RootElement.GetProperty(name).GetRawText();
    }
}
