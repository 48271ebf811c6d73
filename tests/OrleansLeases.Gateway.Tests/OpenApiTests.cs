using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

public sealed class OpenApiTests
{
    [Fact]
    public async Task Document_WhenFetched_ListsEveryEndpoint()
    {
        await using var host = await GatewayHost.StartAsync(new ScriptedLeases());
        var text = await host.Client.GetStringAsync("/openapi/v1.json");
        File.WriteAllText("/tmp/gw-openapi.json", text);
    }
}
