using OrleansLeases.Gateway.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>The bounds of a server as a command line takes them.</summary>
public sealed class ServerBoundsTests
{
    [Fact]
    public void Bounds_InAnyOrder_AreRead_AndTheOthersAreLeftOut()
    {
        var bounds = ServerBounds.Parse(" openWaits = 7;connections=20; memory=100;");

        Assert.Equal((20, 7, 100), (bounds.Connections, bounds.OpenWaits, bounds.Memory));
        Assert.Equal((null, null), (bounds.OpenRequests, bounds.OpenWatches));
        var gateway = new LeaseGatewayOptions();
        bounds.Apply(gateway);
        Assert.Equal(
            (null, 7, null, 100),
            (gateway.MaxOpenRequests, gateway.MaxOpenWaits, gateway.MaxOpenWatches, gateway.MaxMemoryPercent));
    }

    [Theory]
    [InlineData("connections", "connections")]
    [InlineData("waits=7", "waits=7")]
    [InlineData("openWaits=many", "openWaits=many")]
    [InlineData("openWatches=-1", "openWatches=-1")]
    [InlineData("openRequests=0", "openRequests=0")]
    [InlineData("memory=101", "memory=101")]
    public void Bound_ThatIsNone_IsRefusedAsItWasWritten(string text, string named)
    {
        var wrong = Assert.Throws<FormatException>(() => ServerBounds.Parse(text));

        Assert.Contains($"has {named}", wrong.Message.Replace("'", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }
}
