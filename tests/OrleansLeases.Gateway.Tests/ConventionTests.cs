using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

public sealed class ConventionTests
{
    [Fact]
    public void Gateway_WhenReferenced_ShowsOnlyHowToMapIt() =>
        Assert.Equal(
            [
                typeof(LeaseAccessExtensions), typeof(LeaseAuditExtensions), typeof(LeaseAuditOptions), typeof(LeaseGatewayExtensions),
                typeof(LeaseGatewayHealthExtensions), typeof(LeaseGatewayOptions),
            ],
            typeof(LeaseGatewayExtensions).Assembly.GetExportedTypes());

    [Fact]
    public void Gateway_WhenReferenced_KnowsNoEngine() =>
        Assert.Equal(
            ["OrleansLeases.Abstractions"],
            typeof(LeaseGatewayExtensions).Assembly.GetReferencedAssemblies()
                .Select(assembly => assembly.Name!)
                .Where(name => name.StartsWith("OrleansLeases", StringComparison.Ordinal)));

    [Fact]
    public async Task MapLeases_WhenThereIsNoService_SaysWhichIsMissing()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => GatewayHost.StartAsync(null));
        Assert.Contains(nameof(ILeaseService), error.Message, StringComparison.Ordinal);
    }
}
