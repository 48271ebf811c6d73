namespace OrleansLeases.Core.Tests.Access;

/// <summary>The digests are stored, and compared with those of other servers and of later versions.</summary>
public sealed class CallerRequestIdTests
{
    [Fact]
    public void Digest_IsForEverTheSame()
    {
        Assert.Equal("ZmFa5t013XWQTfLcj9_k7FT2R2N2aUyMbwuzGFqFBzU", CallerRequestId.Of("ci", "one"));
        Assert.Equal("sPBVHIxad5LusK-QonQs0cs3icM4RILUaPCrhK4Wh1U", CallerRequestId.Of(new string('p', 600), new string('\u00e9', 300)));
    }
}
