using System.Net;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>Once the service has run out of memory, whatever looks at the process learns that only a new one is well.</summary>
public sealed class OutOfMemoryTests
{
    // What the runtime throws: there is no other way to have memory run out at a certain place.
#pragma warning disable CA2201
    private static OutOfMemoryException OutOfMemory => new();
#pragma warning restore CA2201

    [Fact]
    public async Task Health_AfterTheServiceRanOutOfMemory_SaysSo_AndTheCallIsNoSuccess()
    {
        var leases = new ScriptedLeases { OnGet = _ => throw OutOfMemory, OnAcquire = (_, _) => throw OutOfMemory };
        await using var host = await GatewayHost.StartAsync(leases);
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync(new Uri("health/live", UriKind.Relative))).StatusCode);

        var acquire = await host.PostAsync("v1/leases/acquire", """{"resource":"r","owner":"ann","ttlMs":30000,"requestId":"a"}""");

        Assert.Equal("urn:orleans-leases:outcome-unknown", acquire.Type);
        foreach (var path in new[] { "health/live", "health/ready" })
        {
            var answer = await host.Client.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Contains("memory", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }
}
