using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Client;
using OrleansLeases.Embedded;
using OrleansLeases.Fencing.AspNetCore;
using OrleansLeases.Fencing.PostgreSql;
using OrleansLeases.Testing;
using OrleansLeases.Testing.Telemetry;

namespace OrleansLeases.Fencing.Tests;

/// <summary>A service whose requests come under leases.</summary>
public sealed class RequireLeaseTests : IAsyncLifetime
{
    // Only a defect lets a test wait this long.
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    private FencedDatabase _database = null!;
    private ProtectedService _service = null!;

    public async Task InitializeAsync()
    {
        _database = await FencedDatabase.MakeAsync();
        _service = await ProtectedService.StartAsync(_database.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await _service.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Request_UnderTheGreatestTokenSeen_IsLetIn()
    {
        foreach (var token in (long[])[33, 33, 35, (1L << 40) - 1])
        {
            Assert.Equal(HttpStatusCode.OK, (await _service.PutAsync(token)).Status);
        }

        Assert.Equal([33, 33, 35, (1L << 40) - 1], _service.Ran);
    }

    [Fact]
    public async Task Request_UnderALowerToken_IsAConflictAndTheEndpointIsNotRun()
    {
        await _service.PutAsync(34);
        var (status, problem) = await _service.PutAsync(33);
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Equal("urn:orleans-leases:stale-token", (string)problem!["type"]!);
        Assert.Equal(("orders/42", 33), ((string)problem["resource"]!, (long)problem["token"]!));
        Assert.StartsWith("Token 33 of 'orders/42' is stale", (string)problem["detail"]!, StringComparison.Ordinal);
        Assert.Equal([34], _service.Ran);
    }

    [Fact]
    public async Task Span_OfTheFence_LinksToTheAcquireThatTheTokenIsOf()
    {
        var grant = ActivityTraceId.CreateRandom();
        using var spans = new Spans("Microsoft.AspNetCore");
        using var request = new HttpRequestMessage(HttpMethod.Put, "/orders/42");
        request.Headers.Add("Fencing-Token", "33");
        request.Headers.Add("Lease-Trace", $"00-{grant}-{ActivitySpanId.CreateRandom()}-01");

        Assert.Equal(HttpStatusCode.OK, (await _service.SendAsync(request)).Status);

        var fence = Assert.Single(spans.Ended, span => span.OperationName == "leases.fence");
        Assert.Equal(grant, Assert.Single(fence.Links).Context.TraceId);
        Assert.Equal(33L, fence.GetTagItem("leases.token"));
    }

    [Fact]
    public async Task Request_WithoutAToken_IsToldWhichHeaderToSend()
    {
        var (status, problem) = await _service.PutAsync();
        Assert.Equal(HttpStatusCode.PreconditionRequired, status);
        Assert.Equal("urn:orleans-leases:invalid-request", (string)problem!["type"]!);
        Assert.Equal(
            "Fencing-Token is missing; send the token of your lease on 'orders/42'.", (string)problem["errors"]!["Fencing-Token"]![0]!);
        Assert.Empty(_service.Ran);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("+33")]
    [InlineData("33.0")]
    [InlineData("3e1")]
    [InlineData("thirty")]
    [InlineData("9007199254740992")]
    [InlineData("99999999999999999999")]
    [InlineData("33", "34")]
    public async Task Request_WithWhatIsNoToken_IsMalformedAndChangesNothing(params string[] tokens)
    {
        var (status, problem) = await _service.PutAsync(tokens);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("urn:orleans-leases:invalid-request", (string)problem!["type"]!);
        Assert.Equal(
            $"Fencing-Token takes a token, 1 to 9007199254740991, was '{string.Join(", ", tokens)}'.",
            (string)problem["errors"]!["Fencing-Token"]![0]!);
        Assert.Empty(_service.Ran);
        Assert.Equal(0L, await _database.ExecuteAsync("select count(*) from lease_fence_token"));
    }

    [Fact]
    public async Task TokenSeen_IsKeptWhereTheServiceIsRestarted()
    {
        await _service.PutAsync(34);
        await using var restarted = await ProtectedService.StartAsync(_database.ConnectionString);
        Assert.Equal(HttpStatusCode.Conflict, (await restarted.PutAsync(33)).Status);
        Assert.Equal(HttpStatusCode.OK, (await restarted.PutAsync(34)).Status);
    }

    [Fact]
    public async Task TokenSeen_IsStoredBeforeTheEndpointRuns()
    {
        object? seen = null;
        _service.Work = async (_,
            _) => seen = await _database.ExecuteAsync("select token from lease_fence_token where resource = 'orders/42'");
        await _service.PutAsync(34);
        Assert.Equal(34L, seen);
    }

    [Fact]
    public async Task NewerRequest_WhileAnOlderOneRuns_WaitsForItsEnd_AndOthersAreLate()
    {
        await using var other = await ProtectedService.StartAsync(_database.ConnectionString);
        var older = new Stay(_service, 33);
        await older.Inside;
        var newer = other.PutAsync(34);
        await _database.SomebodyWaitsAsync();
        var late = _service.PutAsync(33);
        await _database.SomebodyWaitsAsync(2);
        Assert.Empty(other.Ran);
        older.Leave();
        Assert.Equal(HttpStatusCode.OK, (await older.Answer).Status);
        Assert.Equal(HttpStatusCode.OK, (await newer).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await late).Status);
        Assert.Equal([33], _service.Ran);
    }

    [Fact]
    public async Task OlderRequest_WhileANewerOneRuns_IsRefusedAtOnce()
    {
        var newer = new Stay(_service, 34);
        await newer.Inside;
        Assert.Equal(HttpStatusCode.Conflict, (await _service.PutAsync(33)).Status);
        newer.Leave();
        Assert.Equal(HttpStatusCode.OK, (await newer.Answer).Status);
        Assert.Equal([34], _service.Ran);
    }

    [Fact]
    public async Task RequestsUnderOneToken_RunSideBySide()
    {
        await _service.PutAsync(33);
        var meeting = new Barrier(_service, 3);
        var answers = await Task.WhenAll(_service.PutAsync(34), _service.PutAsync(34), _service.PutAsync(34));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(3, meeting.Came);
    }

    [Fact]
    public async Task NewerRequest_ThatWaitsForTooLong_IsToldToTryAgain()
    {
        await using var impatient =
            await ProtectedService.StartAsync(_database.ConnectionString, new() { LockTimeout = TimeSpan.FromMilliseconds(50) });
        var older = new Stay(_service, 33);
        await older.Inside;
        var (status, problem) = await impatient.PutAsync(34);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "urn:orleans-leases:unavailable"), (status, (string)problem!["type"]!));
        Assert.Empty(impatient.Ran);
        older.Leave();
        await older.Answer;
        Assert.Equal(HttpStatusCode.OK, (await impatient.PutAsync(34)).Status);
    }

    [Fact]
    public async Task DatabaseThatIsDown_IsUnavailableAndTheEndpointIsNotRun()
    {
        await using var without = await ProtectedService.StartAsync($"Host=127.0.0.1;Port={Ports.Free()};Username=nobody");
        var (status, problem) = await without.PutAsync(33);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "urn:orleans-leases:unavailable"), (status, (string)problem!["type"]!));
        Assert.Empty(without.Ran);
    }

    [Fact]
    public async Task RequestThatTakesTooLong_IsToldToStop()
    {
        var clock = new ManualTimeProvider();
        await using var service = await ProtectedService.StartAsync(_database.ConnectionString, time: clock);
        var slow = new Stay(service, 33);
        await slow.Inside;
        clock.Advance(TimeSpan.FromSeconds(30));
        var (status, problem) = await slow.Answer;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "urn:orleans-leases:outcome-unknown"), (status, (string)problem!["type"]!));
    }

    // A connection that is kept alive would keep its hold for as long as the process runs.
    [Fact]
    public async Task RequestThatDoesNotStop_IsEndedByTheServer_AlsoWhereConnectionsAreKeptAlive()
    {
        await using var service = await ProtectedService.StartAsync(
            $"{_database.ConnectionString};Keepalive=1",
            new() { MaxDuration = TimeSpan.FromMilliseconds(100), LockTimeout = TimeSpan.FromSeconds(30) });
        var (inside, ends) = (new TaskCompletionSource(), new TaskCompletionSource());
        service.Work = (fenced, _) =>
        {
            if (fenced.Token != 33) return Task.CompletedTask;
            inside.SetResult();
            return ends.Task;
        };
        var stubborn = service.PutAsync(33);
        await inside.Task.WaitAsync(WaitTimeout);
        Assert.Equal(HttpStatusCode.OK, (await service.PutAsync(34)).Status);
        ends.SetResult();
        await stubborn;
    }

    [Fact]
    public async Task RequestWhoseDatabaseIsRestarted_IsToldToStop()
    {
        var running = new Stay(_service, 33);
        await running.Inside;
        await _database.EndHoldsAsync();
        var (status, problem) = await running.Answer;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "urn:orleans-leases:outcome-unknown"), (status, (string)problem!["type"]!));
    }

    [Fact]
    public async Task CallerThatHangsUp_LetsNobodyInBeforeItsRequestHasEnded()
    {
        using var caller = new CancellationTokenSource();
        var (inside, told, ends) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        _service.Work = async (_, stop) =>
        {
            await using var registration = stop.Register(told.SetResult);
            inside.SetResult();
            await ends.Task;
        };
        using var request = new HttpRequestMessage(HttpMethod.Put, "/orders/42") { Headers = { { "Fencing-Token", "33" } } };
        var gone = _service.Client.SendAsync(request, caller.Token);
        await inside.Task.WaitAsync(WaitTimeout);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        await told.Task.WaitAsync(WaitTimeout);

        _service.Work = (_, _) => Task.CompletedTask;
        var next = _service.PutAsync(34);
        await _database.SomebodyWaitsAsync();
        Assert.Equal([33], _service.Ran);
        ends.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await next).Status);
    }

    // What an endpoint writes under the fence itself is in order even where it has lost the hold and does not stop.
    [Fact]
    public async Task LateWriteUnderTheFence_OfARequestThatWasOvertaken_IsAConflict()
    {
        var (inside, wakesUp) = (new TaskCompletionSource(), new TaskCompletionSource());
        _service.Work = async (fenced, _) =>
        {
            if (fenced.Token == 33)
            {
                inside.SetResult();
                await wakesUp.Task;
            }

            await _database.WriteAsync(fenced.Token, fenced.Resource);
        };
        var paused = _service.PutAsync(33);
        await inside.Task.WaitAsync(WaitTimeout);
        await _database.EndHoldsAsync();
        Assert.Equal(HttpStatusCode.OK, (await _service.PutAsync(34)).Status);
        wakesUp.SetResult();
        Assert.Equal(HttpStatusCode.Conflict, (await paused).Status);
        Assert.Equal<long[]>([34], await _database.WrittenAsync());
    }

    [Fact]
    public async Task Caller_WhoseLeaseWasLost_IsRefusedOnceTheNextOneCame()
    {
        await using var engine = EmbeddedLeases.InMemory();
        await using var leases = new LeaseClient(engine);
        await using var lost = await leases.AcquireAsync("orders/42");
        await engine.BreakAsync(new() { Resource = "orders/42", Grace = TimeSpan.Zero, Force = true, Reason = "for the test" });
        await using var next = await leases.AcquireAsync("orders/42", new() { Owner = "next" });
        Assert.Equal(HttpStatusCode.OK, await PutAsync(lost));
        Assert.Equal(HttpStatusCode.OK, await PutAsync(next));
        Assert.Equal(HttpStatusCode.Conflict, await PutAsync(lost));
        Assert.Equal([lost.Token, next.Token], _service.Ran);

        await using var shared = await leases.AcquireAsync("readers", new() { Mode = LeaseMode.Shared });
        Assert.Throws<ArgumentException>("lease", () => _service.Client.DefaultRequestHeaders.SetFencingToken(shared));

        async Task<HttpStatusCode> PutAsync(LeaseHandle lease)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, "/orders/42");
            request.Headers.SetFencingToken(lost);
            request.Headers.SetFencingToken(lease);
            return (await _service.SendAsync(request)).Status;
        }
    }

    [Fact]
    public async Task Pipeline_WithTheFence_LetsPassWhatNeedsNoLease()
    {
        await using var service = await ProtectedService.StartAsync(_database.ConnectionString, map: app =>
        {
            app.UseLeaseFence(context => context.Request.Method == "POST" ? "store" : null);
            app.Run(context => context.Response.WriteAsync(context.Features.Get<FencedRequest>()?.ToString() ?? "nothing"));
        });
        Assert.Equal("nothing", await service.Client.GetStringAsync("/any"));
        using var without = new HttpRequestMessage(HttpMethod.Post, "/any");
        Assert.Equal(HttpStatusCode.PreconditionRequired, (await service.SendAsync(without)).Status);
        using var with = new HttpRequestMessage(HttpMethod.Post, "/any") { Headers = { { "Fencing-Token", "7" } } };
        using var answer = await service.Client.SendAsync(with);
        Assert.Equal("FencedRequest { Resource = store, Token = 7 }", await answer.Content.ReadAsStringAsync());
        await Assert.ThrowsAsync<StaleTokenException>(() => _database.WriteAsync(6, "store"));
    }

    [Fact]
    public async Task Mistakes_AreNamed()
    {
        var bare = WebApplication.CreateSlimBuilder().Build();
        Assert.Contains(
            "Call AddLeaseFence", Assert.Throws<InvalidOperationException>(() => bare.UseLeaseFence(_ => null)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("text", () => bare.MapGet("/orders/{id}", () => "").RequireLease("orders/{id"));
        Assert.Throws<ArgumentException>(() => WebApplication.CreateSlimBuilder().Services.AddLeaseFence("Hots=127.0.0.1"));
        Assert.Throws<ArgumentOutOfRangeException>(
            "MaxDuration",
            () => WebApplication.CreateSlimBuilder().Services.AddLeaseFence(
                "Host=127.0.0.1", new() { Hold = new() { MaxDuration = TimeSpan.Zero } }));
        await bare.DisposeAsync();

        foreach (var route in (string[])["/orders", "/orders/{id?}", "/orders/{**id}"])
        {
            var mistaken = WebApplication.CreateSlimBuilder();
            mistaken.Services.AddLeaseFence(_database.ConnectionString, new() { RequireProof = false });
            await using var app = mistaken.Build();
            app.MapGet(route, () => "").RequireLease("orders/{id}");
            var refused = Assert.Throws<InvalidOperationException>(() => ((IEndpointRouteBuilder)app).DataSources.Single().Endpoints);
            Assert.Contains($"takes a value 'id', which the route '{route}'", refused.Message, StringComparison.Ordinal);
        }
    }

    // Routing runs another endpoint in the place of these, around which nothing was wrapped: everyone would be let in.
    [Fact]
    public async Task EndpointsThatRoutingReplaces_AreRefused()
    {
        foreach (var map in (Func<WebApplication, IEndpointConventionBuilder>[])
            [app => app.MapFallbackToController("Index", "Home"), app => app.MapGet("/page", () => "").WithMetadata(
                new PageActionDescriptor())])
        {
            var mistaken = WebApplication.CreateSlimBuilder();
            mistaken.Services.AddLeaseFence(_database.ConnectionString, new() { RequireProof = false });
            mistaken.Services.AddControllers();
            await using var app = mistaken.Build();
            map(app).RequireLease(_ => "store");
            var refused = Assert.Throws<InvalidOperationException>(
                () => ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Count());
            Assert.Contains("Use UseLeaseFence", refused.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>A request that stays inside until it is told to leave, or to stop.</summary>
    private sealed class Stay
    {
        private readonly TaskCompletionSource _inside = new(), _leave = new();

        public Stay(ProtectedService service, long token)
        {
            service.Work = (fenced, stop) =>
            {
                if (fenced.Token != token) return Task.CompletedTask;
                _inside.SetResult();
                return _leave.Task.WaitAsync(WaitTimeout, TimeProvider.System, stop);
            };
            Answer = service.PutAsync(token);
        }

        public Task Inside => _inside.Task.WaitAsync(WaitTimeout);

        public Task<(HttpStatusCode Status, System.Text.Json.Nodes.JsonObject? Problem)> Answer { get; }

        public void Leave() => _leave.SetResult();
    }

    /// <summary>Requests that end once so many of them are inside together.</summary>
    private sealed class Barrier
    {
        private readonly TaskCompletionSource _all = new();
        private int _came;

        public Barrier(ProtectedService service, int many) => service.Work = (_, stop) =>
        {
            if (Interlocked.Increment(ref _came) == many) _all.SetResult();
            return _all.Task.WaitAsync(WaitTimeout, stop);
        };

        public int Came => _came;
    }
}
