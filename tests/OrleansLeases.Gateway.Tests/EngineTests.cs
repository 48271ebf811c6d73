using System.Text;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>The gateway and the engine together, where only both of them keep a promise.</summary>
public sealed class EngineTests : IAsyncLifetime
{
    private readonly EmbeddedLeases _leases = EmbeddedLeases.InMemory();
    private GatewayHost _host = null!;

    public async Task InitializeAsync() => _host = await GatewayHost.StartAsync(_leases);

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _leases.DisposeAsync();
    }

    [Fact]
    public async Task Acquire_WhenTheFirstInLineHangsUp_PassesItOver()
    {
        var first = await AcquireAsync("a");
        await using var gone = await _host.ConnectAsync();
        await gone.SendPostAsync("/v1/leases/acquire", Body("b", 25_000));
        await UntilWaitersAsync(1);
        gone.HangUp();
        await UntilWaitersAsync(0);
        var next = _host.PostAsync("/v1/leases/acquire", Body("c", 25_000));
        await UntilWaitersAsync(1);
        await _host.PostAsync("/v1/leases/release", $$"""{"resource":"r/s","owner":"a","token":{{first.Body.GetProperty("token")}}}""");
        Assert.Equal("c", (await next).Body.GetProperty("owner").GetString());
    }

    [Fact]
    public async Task Acquire_WhenTheHostStops_FreesTheLine()
    {
        await AcquireAsync("a");
        var waiters = Enumerable.Range(0, 10).Select(i => _host.PostAsync("/v1/leases/acquire", Body($"w{i}", 25_000))).ToList();
        await UntilWaitersAsync(10);
        await _host.StopAsync();
        foreach (var waiter in waiters) Assert.Equal("urn:orleans-leases:unavailable", (await waiter).Type);
    }

    [Fact]
    public async Task Acquire_WhenRepeatedWithItsIdempotencyKey_IsReplayed()
    {
        var body = Encoding.UTF8.GetBytes(Body("a", 0));
        var first = await _host.PostAsync("/v1/leases/acquire", body, headers: ("Idempotency-Key", "id"));
        var second = await _host.PostAsync("/v1/leases/acquire", body, headers: ("Idempotency-Key", "id"));
        Assert.Equal(first.Body.GetProperty("token").GetInt64(), second.Body.GetProperty("token").GetInt64());
        Assert.True(second.Body.GetProperty("replayed").GetBoolean());
        var other = await _host.PostAsync("/v1/leases/acquire", Encoding.UTF8.GetBytes(Body("b", 0)), headers: ("Idempotency-Key", "id"));
        Assert.Equal((409, "urn:orleans-leases:conflict"), (other.Status, other.Type));
    }

    [Fact]
    public async Task Get_WhenTheNameHasASlash_IsTheSameHoweverItIsSent()
    {
        await AcquireAsync("a");
        foreach (var name in new[] { "r/s", "r%2Fs", "r%2fs", "%72/s" })
            Assert.Equal("held", (await _host.GetAsync($"/v1/leases/{name}")).Body.GetProperty("state").GetString());
        Assert.Equal("free", (await _host.GetAsync("/v1/leases/r%252Fs")).Body.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Call_WhenTheEngineIsDisposed_IsUnavailable()
    {
        await _leases.DisposeAsync();
        Assert.Equal("urn:orleans-leases:unavailable", (await AcquireAsync("a")).Type);
        Assert.Equal("urn:orleans-leases:unavailable", (await _host.GetAsync("/v1/leases/a")).Type);
        Assert.Equal(503, (await _host.GetAsync("/health/ready")).Status);
    }

    private static string Body(string owner, int waitMs) =>
        $$"""{"resource":"r/s","owner":"{{owner}}","ttlMs":60000,"waitMs":{{waitMs}}}""";

    private Task<Reply> AcquireAsync(string owner) => _host.PostAsync("/v1/leases/acquire", Body(owner, 0));

    // The engine tells no one that a waiter came or went, so this asks again until it shows.
    private async Task UntilWaitersAsync(int count)
    {
        while (true)
        {
            var state = await _leases.GetAsync(new GetLeaseRequest { Resource = "r/s" });
            if (state.Value.Waiters == count) return;
            await Task.Yield();
        }
    }
}
