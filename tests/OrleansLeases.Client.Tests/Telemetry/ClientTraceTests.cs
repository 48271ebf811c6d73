using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Embedded;
using OrleansLeases.Testing.Telemetry;

namespace OrleansLeases.Client.Tests.Telemetry;

/// <summary>Whoever listens has every call of the process traced: not beside other tests.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TracedTests
{
    public const string Name = "Traced";
}

/// <summary>A trace goes from the client through the gateway to the keeper.</summary>
[Collection(TracedTests.Name)]
public sealed class ClientTraceTests
{
    private const string OfAspNetCore = "Microsoft.AspNetCore";
    private const string OfHttpClient = "System.Net.Http";

    [Fact]
    public async Task Acquire_IsOneTrace_FromTheHandleToTheKeeper()
    {
        await using var engine = EmbeddedLeases.InMemory();
        await using var server = await GatewayServer.StartAsync(engine);
        using var http = new HttpClient { BaseAddress = server.Address };
        await using var client = new LeaseClient(new HttpLeaseService(http), new() { Owner = "ann" });
        using var spans = new Spans(OfAspNetCore, OfHttpClient);

        await using var lease = await client.TryAcquireAsync("orders/42");

        await Eventually.TrueAsync(() => spans.Ended.Any(span => span.OperationName == "leases.client.handle")
            && spans.Ended.Any(span => span.OperationName == "leases.keeper"));
        await Eventually.TrueAsync(() => !spans.PathOf("leases.keeper").StartsWith('?'));
        Assert.Equal(
            "test/leases.client.handle/leases.client.acquire/System.Net.Http.HttpRequestOut/"
                + "Microsoft.AspNetCore.Hosting.HttpRequestIn/leases.acquire/leases.keeper",
            spans.PathOf("leases.keeper"));
    }

    [Fact]
    public async Task Calls_ThatShareARequest_AreLinkedFromIt()
    {
        await using var engine = EmbeddedLeases.InMemory();
        await using var server = await GatewayServer.StartAsync(engine);
        using var http = new HttpClient { BaseAddress = server.Address };
        var service = new HttpLeaseService(http);
        using var spans = new Spans(OfAspNetCore, OfHttpClient);

        // Four go by themselves, and the others gather behind them.
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => service.GetAsync(new() { Resource = $"jobs/{i}" }).AsTask()));

        await Eventually.TrueAsync(() => spans.Ended.Count(span => span.OperationName == "leases.get") == 12);
        var batches = spans.Ended.Where(span => span.OperationName == "leases.client.batch").ToList();
        Assert.NotEmpty(batches);
        Assert.All(batches, batch => Assert.Equal((int)batch.GetTagItem("leases.batch.size")! - 1, batch.Links.Count()));
        Assert.Equal(12, spans.Ended.Count(span => span.OperationName == "leases.client.get"));
    }

    [Fact]
    public async Task Token_ThatIsSentToAFence_ComesWithTheTraceOfItsAcquire()
    {
        await using var engine = EmbeddedLeases.InMemory();
        await using var client = new LeaseClient(engine, new() { Owner = "ann" });
        using var request = new HttpRequestMessage();
        await using (var untraced = await client.AcquireAsync("r"))
        {
            request.Headers.SetFencingToken(untraced);
            Assert.False(request.Headers.Contains("Lease-Trace"));
        }

        using var spans = new Spans();
        await using var lease = await client.AcquireAsync("r");
        request.Headers.SetFencingToken(lease);

        Assert.Contains(spans.Root.TraceId.ToString(), Assert.Single(request.Headers.GetValues("Lease-Trace")), StringComparison.Ordinal);
    }
}
