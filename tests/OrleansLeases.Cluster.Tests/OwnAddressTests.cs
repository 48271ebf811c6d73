using System.Net;
using OrleansLeases.Silo;

namespace OrleansLeases.Cluster.Tests;

/// <summary>A silo that the others could not find says so before it starts.</summary>
public sealed class OwnAddressTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1", "::1", "fe80::1")]
    public void Check_OfLoopbackAlone_NamesTheRemedy(params string[] addresses) => Assert.Contains(
        "set Cluster:AdvertisedAddress",
        Assert.Throws<SettingsException>(() => OwnAddress.Check(addresses.Select(IPAddress.Parse))).Message, StringComparison.Ordinal);

    [Fact]
    public void Check_OfAnAddressOnANetwork_IsContent() => OwnAddress.Check([IPAddress.Loopback, IPAddress.Parse("10.0.0.7")]);
}
