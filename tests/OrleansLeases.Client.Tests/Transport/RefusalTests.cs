using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace OrleansLeases.Client.Tests;

public sealed class RefusalTests
{
    private static readonly Refusal[] Every =
    [
        new Refusal.InvalidRequest(new Dictionary<string, string[]> { ["ttlMs"] = ["too short"] }, "ttlMs too short"),
        new Refusal.Unauthorized("no credential"),
        new Refusal.Forbidden("not yours"),
        new Refusal.NotFound("no such key"),
        new Refusal.Held(
            [new CurrentHolder { Owner = "bob", Mode = LeaseMode.Exclusive, Remaining = TimeSpan.FromSeconds(3) }],
            true,
            2,
            TimeSpan.FromSeconds(1),
            "held by bob"),
        new Refusal.NotHolder(NotHolderReason.NeverHeld, 9, "never held"),
        new Refusal.Conflict(4, "capacity is 4"),
        new Refusal.Conflict(null, "the same id with different content"),
        new Refusal.LimitReached("waiters", TimeSpan.FromSeconds(2), "1,000 wait already"),
        new Refusal.OutcomeUnknown("r1", "ask again"),
        new Refusal.Unavailable(TimeSpan.FromSeconds(5), "shutting down"),
    ];

    public static TheoryData<string> EveryProblem =>
        new(Every.Select(refusal => JsonSerializer.Serialize(refusal, LeaseJson.Default.Refusal)));

    [Fact]
    public void Every_OfTheContractsRefusals_IsCovered() =>
        Assert.Equal(Enum.GetValues<RefusalCode>(), Every.Select(refusal => refusal.Code).Distinct().Order());

    [Theory]
    [MemberData(nameof(EveryProblem))]
    public async Task Acquire_WhenRefused_TellsTheSameRefusal(string problem)
    {
        var refusal = JsonSerializer.Deserialize(problem, LeaseJson.Default.Refusal)!;
        var server = new ScriptedServer((HttpStatusCode)RefusalConverter.StatusOf(refusal.Code), problem, "application/problem+json");

        var result = await server.Service().AcquireAsync(Requests.Acquire);

        Assert.Equal(problem, JsonSerializer.Serialize(result.Refusal!, LeaseJson.Default.Refusal));
    }

    [Theory]
    [MemberData(nameof(Requests.Reads), MemberType = typeof(Requests))]
    public async Task Read_WhenRefused_TellsTheSameRefusal(string verb)
    {
        var problem = JsonSerializer.Serialize<Refusal>(new Refusal.Forbidden("not yours"), LeaseJson.Default.Refusal);
        var server = new ScriptedServer(HttpStatusCode.Forbidden, problem, "application/problem+json");

        Assert.Equal(new Refusal.Forbidden("not yours"), await Requests.CallAsync(verb, server.Service()));
    }

    [Fact]
    public async Task RenewBatch_WithMixedAnswers_TellsEachInOrder()
    {
        var problem =
            JsonSerializer.Serialize<Refusal>(new Refusal.NotHolder(NotHolderReason.Expired, 9, "expired"), LeaseJson.Default.Refusal);
        var server = new ScriptedServer(HttpStatusCode.OK, $$"""{"elapsedMs":3,"results":[{{Requests.Renewal}},{{problem}}]}""");

        var reply = (await server.Service().RenewBatchAsync(Requests.RenewBatch)).Value;

        Assert.Equal(7, reply.Results[0].Value.Token);
        Assert.Equal(new Refusal.NotHolder(NotHolderReason.Expired, 9, "expired"), reply.Results[1].Refusal);
    }

    [Fact]
    public async Task Call_WhenTheBodyNamesNoDelay_TakesTheRetryAfterHeader()
    {
        var server = new ScriptedServer((_, _) =>
        {
            var reply = ScriptedServer.Reply(
                HttpStatusCode.ServiceUnavailable,
                """{"type":"urn:orleans-leases:unavailable","title":"t","status":503,"detail":"starting"}""",
                "application/problem+json");
            reply.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(4));
            return Task.FromResult(reply);
        });

        Assert.Equal(new Refusal.Unavailable(TimeSpan.FromSeconds(4), "starting"), (await server.Service().InfoAsync()).Refusal);
    }

    [Theory]
    [MemberData(nameof(Requests.Changes), MemberType = typeof(Requests))]
    public async Task Change_WhenTheUnknownOutcomeNamesNoId_TellsTheRequestsOwn(string verb, string? requestId)
    {
        var server = new ScriptedServer(
            HttpStatusCode.ServiceUnavailable,
            """{"type":"urn:orleans-leases:outcome-unknown","title":"t","status":503,"detail":"d"}""",
            "application/problem+json");

        Assert.Equal(new Refusal.OutcomeUnknown(requestId, "d"), await Requests.CallAsync(verb, server.Service()));
    }
}
