using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using OrleansLeases.Gateway.Batches;
using OrleansLeases.Gateway.Json;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>POST /v1/batch: every operation is read, refused and answered as at its own endpoint.</summary>
public sealed class BatchTests : IAsyncLifetime
{
    private const string Good = """{"op":"get","resource":"good"}""";

    private readonly ScriptedLeases _leases = new();
    private GatewayHost _host = null!;

    public async Task InitializeAsync() => _host = await GatewayHost.StartAsync(_leases);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Batch_OfEveryOperation_AsksForAllOfTheirFields()
    {
        await BatchAsync("""
            {"op":"acquire","resource":"a","owner":"o","ttlMs":30000,"mode":"shared","capacity":3,"waitMs":0,"lockDelayMs":6,
            "holdAtLeastMs":7,"requestId":"id"}
            """, """
            {"resource":"b","owner":"o","token":1,"ttlMs":100,"op":"renew"}
            """, """
            {"resource":"c","op":"release","owner":"o","token":1}
            """, """
            {"op":"transfer","resource":"d","owner":"o","token":1,"newOwner":"p","ttlMs":100,"requestId":"id"}
            """, """
            {"op":"break","resource":"e","token":1,"graceMs":5,"force":true,"reason":"why","requestId":"id"}
            """, """
            {"op":"get","resource":"f","consistent":true}
            """, """
            {"op":"key-put","key":"g","value":"v","lease":{"resource":"r","owner":"o","token":1},"ttlMs":100,"ifVersion":2,
            "requestId":"id"}
            """, """
            {"op":"key-get","key":"h"}
            """, """
            {"op":"key-delete","key":"i","ifVersion":4}
            """, """
            {"op":"key-delete","key":"j"}
            """, """
            {"op":"counter-add","key":"k","delta":-3,"requestId":"id"}
            """);

        var ms = TimeSpan.FromMilliseconds(1);
        Assert.Equal(
            [
                new AcquireRequest
                {
                    Resource = "a", Owner = "o", Ttl = 30_000 * ms, Mode = LeaseMode.Shared, Capacity = 3, LockDelay = 6 * ms,
                    HoldAtLeast = 7 * ms, RequestId = "id",
                },
                new RenewRequest { Resource = "b", Owner = "o", Token = 1, Ttl = 100 * ms },
                new ReleaseRequest { Resource = "c", Owner = "o", Token = 1 },
                new TransferRequest { Resource = "d", Owner = "o", Token = 1, NewOwner = "p", Ttl = 100 * ms, RequestId = "id" },
                new BreakRequest { Resource = "e", Token = 1, Grace = 5 * ms, Force = true, Reason = "why", RequestId = "id" },
                new GetLeaseRequest { Resource = "f", Consistent = true },
                ("g", new PutKeyRequest
                {
                    Value = "v", Lease = new KeyLease { Resource = "r", Owner = "o", Token = 1 }, IfVersion = 2, RequestId = "id",
                    Ttl = 100 * ms,
                }),
                "h", ("i", (long?)4), ("j", (long?)null), ("k", new AddToCounterRequest { Delta = -3, RequestId = "id" }),
            ],
            _leases.Asked);
    }

    [Fact]
    public async Task Batch_OfSeveral_AnswersEachInOrderWithItsStatus()
    {
        _leases.OnRelease = _ => new Refusal.NotHolder(NotHolderReason.NeverHeld, 1, "Never.");
        var reply = await _host.PostAsync("/v1/batch", """
            {"operations":[{"op":"acquire","resource":"a","owner":"o","ttlMs":30000},{"op":"release","resource":"b","owner":"o","token":1},
            {"op":"key-delete","key":"c"}]}
            """);
        Assert.Equal((200, "application/json"), (reply.Status, reply.ContentType));
        Assert.Equal(
            """{"elapsedMs":2,"results":[{"status":200,"body":{"resource":"a","owner":"o","token":7,"mode":"exclusive","ttlMs":30000"""
            + ""","remainingMs":30000,"elapsedMs":1,"renewAfterMs":10000,"requestId":"made","replayed":false}}"""
            + """,{"status":409,"body":{"type":"urn:orleans-leases:not-holder","title":"Not the holder","status":409"""
            + ""","detail":"Never.","reason":"never-held","lastToken":1}},{"status":200,"body":{"key":"c","existed":true}}]}""",
            reply.Body.GetRawText());
    }

    [Fact]
    public async Task Batch_WhenAnOperationIsWrong_RefusesItInItsPlaceAsItsEndpointWould()
    {
        foreach (var (endpoint, field, value) in Shapes.AllBad().Where(bad => bad.Endpoint != "renew-batch"))
        {
            var bad = Shapes.BodyWith(endpoint, field, value);
            var single = await _host.PostAsync($"/v1/leases/{endpoint}", Shapes.Bytes(bad));
            // Anything but a space there would be one more field.
            var separator = bad == "{}" ? "" : ",";

            var results = await BatchAsync(Good, $$"""{"op":"{{endpoint}}"{{separator}}{{bad[1..]}}""", Good);

            Assert.Equal([200, 400, 200], results.Select(result => result.GetProperty("status").GetInt32()));
            var (errors, alone) = (Errors(results[1]), single.Body.GetProperty("errors"));
            Assert.Equal(
                alone.EnumerateObject().Select(error => error.Name), errors.EnumerateObject().Select(error => error.Name));
        }
    }

    [Theory]
    [InlineData("""{"op":"acquire","resource":"a","owner":"o","ttlMs":1,"extra":1}""", "extra")]
    [InlineData("""{"op":"renew","resource":"a","owner":"o","token":1,"requestId":"id"}""", "requestId")]
    [InlineData("""{"op":"get","resource":"a","key":"a"}""", "key")]
    [InlineData("""{"op":"get","resource":"a","op":"get"}""", "op")]
    [InlineData("""{"op":"key-get"}""", "key")]
    [InlineData("""{"op":"key-get","key":7}""", "key")]
    [InlineData("""{"op":"key-put","key":"a"}""", "value")]
    [InlineData("""{"op":"key-delete","key":"a","ifVersion":"1"}""", "ifVersion")]
    [InlineData("""{"op":"list"}""", "op")]
    [InlineData("""{"op":"renew-batch","leases":[]}""", "op")]
    [InlineData("""{"op":7,"resource":"a"}""", "op")]
    [InlineData("""{"op":null,"resource":"a"}""", "op")]
    [InlineData("""{"resource":"a"}""", "op")]
    [InlineData("{}", "op")]
    [InlineData("7", "body")]
    [InlineData("null", "body")]
    [InlineData("[[1]]", "body")]
    [InlineData("\"acquire\"", "body")]
    public async Task Batch_WhenAnOperationIsNone_RefusesItInItsPlace(string bad, string field)
    {
        var results = await BatchAsync(Good, bad, Good);

        Assert.Equal([200, 400, 200], results.Select(result => result.GetProperty("status").GetInt32()));
        Assert.True(Errors(results[1]).TryGetProperty(field, out _), results[1].GetRawText());
        Assert.Equal(2, _leases.Asked.Count);
    }

    [Fact]
    public async Task Batch_WhenAllOperationsAreWrong_AsksForNothing()
    {
        var results = await BatchAsync("{}", "{}");

        Assert.All(results, result => Assert.Equal(400, result.GetProperty("status").GetInt32()));
        Assert.Empty(_leases.Asked);
    }

    [Theory]
    [InlineData("{}", "operations")]
    [InlineData("""{"operations":{}}""", "operations")]
    [InlineData("""{"operations":null}""", "operations")]
    [InlineData("""{"operations":[]}""", "operations")]
    [InlineData("""{"operations":[{"op":"get","resource":"a"}],"extra":1}""", "extra")]
    [InlineData("""{"operations":[{"op":"get","resource":"a"}],"operations":[]}""", "operations")]
    [InlineData("""{"operations":[{"op":"get","resource":"a"}""", "body")]
    [InlineData("""{"operations":[{"op":"get","resource":"a"},]}""", "body")]
    [InlineData("[]", "body")]
    [InlineData("", "body")]
    public async Task Batch_WhenItsBodyIsWrong_IsRefusedAsAWhole(string body, string field)
    {
        (await _host.PostAsync("/v1/batch", body)).AssertInvalid(field);
        Assert.Empty(_leases.Asked);
    }

    [Theory]
    [InlineData(1_000, 200)]
    [InlineData(1_001, 400)]
    public async Task Batch_OfMany_TakesAThousand(int count, int status)
    {
        var reply = await _host.PostAsync("/v1/batch", Body(Enumerable.Repeat(Good, count)));

        Assert.Equal(status, reply.Status);
        if (status == 200) Assert.Equal(count, reply.Body.GetProperty("results").GetArrayLength());
        else Assert.Contains("1001 entries", reply.AssertInvalid("operations"), StringComparison.Ordinal);
        Assert.Equal(status == 200 ? count : 0, _leases.Asked.Count);
    }

    [Fact]
    public void Read_OfAMillionBytesOfOperations_KeepsNoneBeyondTheBound()
    {
        // As many as a body can have: kept, each would cost a hundred times its two bytes.
        var body = new FieldReader(Encoding.UTF8.GetBytes(Body(Enumerable.Repeat("{}", 340_000))), idempotencyKey: null, default);
        Assert.True(body.Start());
        var before = GC.GetAllocatedBytesForCurrentThread();

        new BatchReader().Read(ref body);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 5_000_000);
        Assert.Contains("340000 entries", body.Errors.ToRefusal().Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Batch_WhenEverythingIsWrong_AnswersBriefly()
    {
        var fields = string.Join(",", Enumerable.Range(0, 150).Select(i => $"\"f{i}\":1"));

        var reply = await _host.PostAsync(
            "/v1/batch", Body(Enumerable.Repeat($$"""{"op":"release",{{fields}}}""", 700)));

        Assert.Equal(200, reply.Status);
        Assert.InRange(reply.Body.GetRawText().Length, 100_000, 700_000);
        Assert.All(
            reply.Body.GetProperty("results").EnumerateArray(), result => Assert.NotEmpty(Errors(result).EnumerateObject()));
    }

    [Fact]
    public async Task Batch_WhoseServiceFails_SaysThatTheOutcomeIsUnknown()
    {
        await using var host = await GatewayHost.StartAsync(new StuckLeases { Failure = new InvalidOperationException("Broken.") });

        var reply = await host.PostAsync("/v1/batch", Body([Good]));

        Assert.Equal((503, "urn:orleans-leases:outcome-unknown"), (reply.Status, reply.Type));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Batch_WhoseGrantsCannotBeDelivered_GivesEachBack(bool throws)
    {
        var leases = new ScriptedLeases
        {
            OnAcquire = (request, _) => new(ScriptedLeases.Grant(request, replayed: request.Resource == "replayed")),
        };
        await using var host = await GatewayHost.StartAsync(leases, around: (context, next) =>
        {
            context.Features.Set<IHttpResponseBodyFeature>(new DeliveryTests.BrokenBody(throws));
            return next(context);
        });
        await using var connection = await host.ConnectAsync();
        await connection.SendPostAsync("/v1/batch", Body(
        [
            """{"op":"acquire","resource":"a","owner":"o","ttlMs":30000}""",
            """{"op":"transfer","resource":"b","owner":"o","token":1,"newOwner":"p"}""",
            """{"op":"acquire","resource":"replayed","owner":"o","ttlMs":30000}""",
            "{}",
            """{"op":"acquire","resource":"c","owner":"o","ttlMs":30000}""",
        ]));
        await connection.ReadAsync();
        await host.StopAsync();

        // A transfer's grant is its new owner's, who learns of it by other ways.
        Assert.Equal(["a", "c"], leases.Asked.OfType<LeaseGrant>().Select(grant => grant.Resource));
    }

    [Fact]
    public async Task Batch_WithTheHeaderOfARequestId_HeedsItNot()
    {
        await _host.PostAsync(
            "/v1/batch", Encoding.UTF8.GetBytes(Body(["""{"op":"acquire","resource":"a","owner":"o","ttlMs":30000}"""])),
            headers: ("Idempotency-Key", "id"));

        Assert.Null(Assert.IsType<AcquireRequest>(Assert.Single(_leases.Asked)).RequestId);
    }

    private static string Body(IEnumerable<string> operations) => $$"""{"operations":[{{string.Join(',', operations)}}]}""";

    private static JsonElement Errors(JsonElement result)
    {
        var problem = result.GetProperty("body");
        Assert.Equal("urn:orleans-leases:invalid-request", problem.GetProperty("type").GetString());
        return problem.GetProperty("errors");
    }

    private async Task<JsonElement[]> BatchAsync(params string[] operations)
    {
        var reply = await _host.PostAsync("/v1/batch", Shapes.Bytes(Body(operations)));
        Assert.True(reply.Status == 200, reply.Body.GetRawText());
        var results = reply.Body.GetProperty("results").EnumerateArray().ToArray();
        Assert.Equal(operations.Length, results.Length);
        return results;
    }
}
