using System.Text.Json;
using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

public sealed class RefusalTests : IAsyncLifetime
{
    private readonly ScriptedLeases _leases = new();
    private GatewayHost _host = null!;

    public static TheoryData<string, int, string?> Table => new()
    {
        { "invalid-request", 400, null },
        { "unauthorized", 401, null },
        { "forbidden", 403, null },
        { "not-found", 404, null },
        { "held", 409, null },
        { "not-holder", 409, null },
        { "conflict", 409, null },
        { "limit-reached", 429, "2" },
        { "outcome-unknown", 503, null },
        { "unavailable", 503, "1" },
    };

    private static IEnumerable<Refusal> All =>
    [
        new Refusal.InvalidRequest(new Dictionary<string, string[]> { ["ttlMs"] = ["is too short"] }, "ttlMs is too short."),
        new Refusal.Unauthorized("No credential."),
        new Refusal.Forbidden("Not this name."),
        new Refusal.NotFound("No such key."),
        new Refusal.Held(
            [new CurrentHolder { Owner = "o", Mode = LeaseMode.Exclusive, Remaining = TimeSpan.FromSeconds(1) }],
            true, 1, TimeSpan.FromSeconds(1), "Held."),
        new Refusal.NotHolder(NotHolderReason.Expired, 3, "Expired."),
        new Refusal.Conflict(2, "Capacity."),
        new Refusal.LimitReached("waiters", TimeSpan.FromSeconds(1.001), "Too many."),
        new Refusal.OutcomeUnknown("id", "Repeat."),
        new Refusal.Unavailable(TimeSpan.Zero, "Not now."),
    ];

    public async Task InitializeAsync() => _host = await GatewayHost.StartAsync(_leases);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Theory]
    [MemberData(nameof(Table))]
    public async Task Call_WhenRefused_IsTheProblemOfTheTable(string word, int status, string? retryAfter)
    {
        string? TypeOf(Refusal one) => JsonSerializer.SerializeToElement(one, LeaseJson.Default.Refusal).GetProperty("type").GetString();
        var refusal = All.Single(one => TypeOf(one) == $"urn:orleans-leases:{word}");
        _leases.OnAcquire = (_, _) => new(refusal);
        _leases.OnRenew = _ => refusal;
        _leases.OnRelease = _ => refusal;
        _leases.OnTransfer = _ => refusal;
        _leases.OnBreak = _ => refusal;
        _leases.OnGet = _ => refusal;
        var replies = new List<Reply> { await _host.GetAsync("/v1/leases/a") };
        foreach (var endpoint in Shapes.ByEndpoint.Keys.Where(endpoint => endpoint != "renew-batch"))
            replies.Add(await _host.PostAsync($"/v1/leases/{endpoint}", Shapes.BodyWith(endpoint, "", "")));
        Assert.All(replies, reply =>
        {
            Assert.Equal((status, "application/problem+json", retryAfter), (reply.Status, reply.ContentType, reply.RetryAfter));
            Assert.Equal(JsonSerializer.Serialize(refusal, LeaseJson.Default.Refusal), reply.Body.GetRawText());
        });
    }

    [Fact]
    public async Task Change_WhenTheServiceFails_IsOutcomeUnknownAndLoggedOnce()
    {
        _leases.OnAcquire = (_, _) => throw new InvalidOperationException("Broken.");
        _leases.OnRenew = _ => throw new InvalidOperationException("Broken.");
        var acquire = await _host.PostAsync("/v1/leases/acquire", Shapes.BodyWith("acquire", "requestId", "\"id\""));
        Assert.Equal(
            (503, "urn:orleans-leases:outcome-unknown", "id"),
            (acquire.Status, acquire.Type, acquire.Body.GetProperty("requestId").GetString()));
        Assert.Equal([(LogLevel.Error, 7101)], _host.Log.OfGateway);
        var renew = await _host.PostAsync("/v1/leases/renew", Shapes.BodyWith("renew", "", ""));
        Assert.Equal(
            (503, "urn:orleans-leases:outcome-unknown", false), (renew.Status, renew.Type, renew.Body.TryGetProperty("requestId", out _)));
    }

    [Fact]
    public async Task Read_WhenTheServiceFails_IsUnavailable()
    {
        _leases.OnGet = _ => throw new InvalidOperationException("Broken.");
        var reply = await _host.GetAsync("/v1/leases/a");
        Assert.Equal((503, "urn:orleans-leases:unavailable", "1"), (reply.Status, reply.Type, reply.RetryAfter));
    }

    [Fact]
    public async Task Call_WhenTheServiceIsDisposed_IsUnavailable()
    {
        _leases.OnAcquire = (_, _) => throw new ObjectDisposedException("leases");
        _leases.OnGet = _ => throw new ObjectDisposedException("leases");
        var acquire = await _host.PostAsync("/v1/leases/acquire", Shapes.BodyWith("acquire", "", ""));
        Assert.Equal((503, "urn:orleans-leases:unavailable", "1"), (acquire.Status, acquire.Type, acquire.RetryAfter));
        Assert.Equal(503, (await _host.GetAsync("/v1/leases/a")).Status);
        Assert.Empty(_host.Log.OfGateway);
    }

    [Fact]
    public async Task Change_WhenTheServiceCancelsByItself_IsOutcomeUnknown()
    {
        _leases.OnRelease = _ => throw new OperationCanceledException("A limit of its own.");
        Assert.Equal(
            "urn:orleans-leases:outcome-unknown", (await _host.PostAsync("/v1/leases/release", Shapes.BodyWith("release", "", ""))).Type);
    }

    [Fact]
    public async Task Call_WhenAllIsWell_LogsNothing()
    {
        await _host.PostAsync("/v1/leases/acquire", Shapes.BodyWith("acquire", "", ""));
        await _host.GetAsync("/v1/leases/a");
        await _host.PostAsync("/v1/leases/acquire", "{}");
        Assert.Empty(_host.Log.OfGateway);
    }
}
