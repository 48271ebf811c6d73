using OrleansLeases.Surrogates;

namespace OrleansLeases.GrainInterfaces.Tests;

/// <summary>Every contract comes out of the serializer and of the copier as it went in.</summary>
public sealed class RoundTripTests
{
    public static TheoryData<string> Names => [.. Samples.All.Keys];

    private static IEnumerable<Refusal> Refusals => Samples.All.Values.OfType<Refusal>();

    [Theory]
    [MemberData(nameof(Names))]
    public void Cross_WhenTheTypeIsExpected_IsTheSame(string name)
    {
        dynamic value = Samples.All[name];

        object crossed = Wire.Cross(value);

        Assert.Equal(Shape.Of((object)value), Shape.Of(crossed));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Cross_WhenTheTypeIsNamed_IsTheSame(string name)
    {
        var value = Samples.All[name];

        var crossed = Wire.CrossUntyped(value);

        Assert.IsType(value.GetType(), crossed);
        Assert.Equal(Shape.Of(value), Shape.Of(crossed));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Copy_OfAnything_IsTheSame(string name)
    {
        dynamic value = Samples.All[name];

        object copied = Wire.Copy(value);

        Assert.Equal(Shape.Of((object)value), Shape.Of(copied));
    }

    [Fact]
    public void Cross_OfARefusedResult_KeepsEveryCase() => Assert.All(Refusals, refusal =>
    {
        var crossed = Wire.Cross<LeaseResult<LeaseGrant>>(refusal);

        Assert.Equal(Shape.Of(refusal), Shape.Of(crossed.Refusal));
        Assert.Equal(refusal.GetType(), crossed.Refusal!.GetType());
    });

    [Fact]
    public void Cross_OfARefusalThatMayBeAny_KeepsEveryCase() =>
        Assert.All(Refusals, refusal => Assert.Equal(Shape.Of(refusal), Shape.Of(Wire.Cross<Refusal>(refusal))));

    [Fact]
    public void Cross_OfARefusalOfANewerVersion_SaysWhatToUpdate()
    {
        var newer = new LeaseResultSurrogate<LeaseGrant>
        {
            Refusal = new RefusalSurrogate { Code = (RefusalCode)99, Detail = "On holiday." },
        };

        var error =
            Assert.Throws<NotSupportedException>(() => Wire.Cross<LeaseResultSurrogate<LeaseGrant>, LeaseResult<LeaseGrant>>(newer));

        Assert.Contains("99", error.Message, StringComparison.Ordinal);
        Assert.Contains("OrleansLeases.GrainInterfaces", error.Message, StringComparison.Ordinal);
        Assert.Contains("On holiday.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cross_OfMetadata_ComparesByteByByte()
    {
        var sent = (AcquireRequest)Samples.All["acquire, metadata with a comparer"];

        Assert.True(sent.Metadata!.ContainsKey("a"));
        Assert.False(Wire.Cross(sent).Metadata!.ContainsKey("a"));
        Assert.False(Wire.Copy(sent).Metadata!.ContainsKey("a"));
    }

    [Fact]
    public void Cross_OfAnEnumValueOfANewerVersion_KeepsItsNumber() =>
        Assert.Equal(99, (int)Wire.Cross(new ListLeasesRequest { State = (LeaseFilter)99 }).State);

    // Contracts never change once made, so an answer within a silo costs no copy of what it holds.
    [Fact]
    public void Copy_OfAResult_SharesItsValue()
    {
        LeaseResult<LeaseGrant> result = (LeaseGrant)Samples.All["grant"];

        Assert.Same(result.Value, Wire.Copy(result).Value);
    }

    [Fact]
    public void Copy_OfAContract_SharesWhatCrossesAsItIs()
    {
        var entries = new Dictionary<string, string> { ["a"] = "1" };
        var holder = (LeaseHolder)Samples.All["holder"] with { Metadata = entries, Keys = new string[] { "k" } };

        var copied = Wire.Copy(holder);

        Assert.Same(entries, copied.Metadata);
        Assert.Same(holder.Keys, copied.Keys);
    }

    // Half a pair cannot be written as UTF-8. Checks must see a name before it crosses, or it is another name by then.
    [Fact]
    public void Cross_OfTextThatIsNoUnicode_ReplacesWhatCannotBeWritten() =>
        Assert.Equal("a\ufffd", Wire.Cross(new GetLeaseRequest { Resource = "a\ud83d" }).Resource);
}
