using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.BearerToken;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>
/// The gateway in an application that has a pipeline and endpoints of its own: it takes over nothing, and is not broken by it.
/// </summary>
public sealed class GuestTests
{
    private const string Acquire = """{"resource":"a","owner":"o","ttlMs":30000,"requestId":"id"}""";
    private const string Page = "https://app.example.org";
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Host_WithADocumentOfItsOwn_KeepsItAndItsSchemas()
    {
        await using var host = await HostApplication.StartAsync(
            new ScriptedLeases(),
            services => services.AddOpenApi().AddLeaseGateway(),
            app =>
            {
                app.MapOpenApi();
                app.MapGet("/orders", () => new Order(TimeSpan.FromHours(1), 7));
                app.MapLeases();
                app.MapGroup("/leases").MapLeaseServer();
            });

        using var document = JsonDocument.Parse(await host.Client.GetStringAsync("/openapi/v1.json"));

        Assert.Equal(["/orders"], document.RootElement.GetProperty("paths").EnumerateObject().Select(path => path.Name));
        var schemas = document.RootElement.GetProperty("components").GetProperty("schemas");
        Assert.Equal(["Order"], schemas.EnumerateObject().Select(schema => schema.Name));
        var age = schemas.GetProperty("Order").GetProperty("properties").GetProperty("age");
        Assert.Equal("string", age.GetProperty("type").GetString());
    }

    [Fact]
    public async Task Host_WithPathsAndNamesLikeOurs_KeepsThem()
    {
        await using var host = await HostApplication.StartAsync(
            new ScriptedLeases(),
            services => services.AddLeaseGateway(),
            app =>
            {
                app.MapGet("/health/ready", () => "theirs");
                app.MapGet("/info", () => "theirs").WithName("getInfo");
                app.MapFallback("/{**path}", () => "their page");
                app.MapLeases();
                app.MapGroup("/leases").MapLeaseServer();
            });

        foreach (var path in new[] { "/health/ready", "/info" }) Assert.Equal("theirs", await host.Client.GetStringAsync(path));
        foreach (var path in new[] { "/", "/health/live", "/openapi/v1.json", "/v1/orders" })
            Assert.Equal("their page", await host.Client.GetStringAsync(path));
        Assert.Contains("scripted", await host.Client.GetStringAsync("/v1/info"), StringComparison.Ordinal);
        Assert.Contains("scripted", await host.Client.GetStringAsync("/leases/v1/info"), StringComparison.Ordinal);
        Assert.Contains("ready", await host.Client.GetStringAsync("/leases/health/ready"), StringComparison.Ordinal);
        using var unknown = await host.Client.GetAsync("/leases/nothing");
        Assert.Equal(
            (HttpStatusCode.NotFound, "application/problem+json"), (unknown.StatusCode, unknown.Content.Headers.ContentType?.MediaType));
    }

    [Fact]
    public async Task Document_WhateverJsonAndDocumentsTheHostHas_IsTheSame()
    {
        await using var alone = await GatewayHost.StartAsync(new ScriptedLeases());
        await using var host = await HostApplication.StartAsync(
            new ScriptedLeases(),
            services => services
                .AddOpenApi(options => options.AddSchemaTransformer((schema, _, _) => Task.FromResult(schema.Description = "theirs")))
                .ConfigureHttpJsonOptions(json => json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower)
                .AddLeaseGateway(),
            app => app.MapGroup("/leases").MapLeaseServer());

        Assert.Equal(await alone.Client.GetStringAsync("/openapi/v1.json"), await host.Client.GetStringAsync("/leases/openapi/v1.json"));
    }

    [Fact]
    public async Task Call_WhereTheHostLimitsRequests_HasTheTimeItTakes()
    {
        var limited = 0;
        await using var host = await HostApplication.StartAsync(
            new ScriptedLeases(),
            services => services.AddLeaseGateway()
                .AddRequestTimeouts(options => options.DefaultPolicy = new RequestTimeoutPolicy { Timeout = WaitTimeout }),
            app =>
            {
                app.UseRequestTimeouts();
                app.Use((context, next) =>
                {
                    if (context.Features.Get<IHttpRequestTimeoutFeature>() is not null) limited++;
                    return next(context);
                });
                app.MapGet("/orders", () => "theirs");
                app.MapLeases();
            });

        (await PostAsync(host)).EnsureSuccessStatusCode();
        Assert.Equal(0, limited);
        await host.Client.GetStringAsync("/orders");
        Assert.Equal(1, limited);
    }

    [Fact]
    public async Task Watch_WhereTheHostCompressesAll_TellsEachEventAtOnce()
    {
        await using var leases = EmbeddedLeases.InMemory();
        await using var host = await HostApplication.StartAsync(
            leases,
            services => services.AddLeaseGateway().AddResponseCompression(compression =>
                compression.MimeTypes = [.. ResponseCompressionDefaults.MimeTypes, "text/event-stream", "application/problem+json"]),
            app =>
            {
                app.UseResponseCompression();
                app.MapLeases();
            });
        using var handler = new HttpClientHandler { AutomaticDecompression = DecompressionMethods.All };
        using var http = new HttpClient(handler) { BaseAddress = host.Client.BaseAddress };
        using var events = new StreamReader(await http.GetStreamAsync("/v1/watch?resource=a"));

        for (var round = 0; round < 3; round++)
        {
            using var acquired = await http.PostAsync("/v1/leases/acquire", Json("""{"resource":"a","owner":"o","ttlMs":30000}"""));
            var token = (await acquired.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetInt64();
            while (!(await events.ReadLineAsync().WaitAsync(WaitTimeout))!.Contains("\"granted\"", StringComparison.Ordinal))
            {
            }

            using var refused = await http.PostAsync("/v1/leases/acquire", Json(Acquire));
            Assert.Equal(
                "urn:orleans-leases:held", (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("type").GetString());
            using var released = await http.PostAsync("/v1/leases/release", Json($$"""{"resource":"a","owner":"o","token":{{token}}}"""));
            released.EnsureSuccessStatusCode();
        }
    }

    [Fact]
    public async Task Failure_WhereTheHostHasPagesForErrors_IsOurProblem()
    {
        var leases = new ScriptedLeases
        {
            OnRenew = _ => throw new InvalidOperationException("secret"),
            OnGet = _ => new Refusal.Unavailable(WaitTimeout, "Not now."),
        };
        await using var host = await HostApplication.StartAsync(
            leases,
            services => services.AddProblemDetails().AddLeaseGateway(),
            app =>
            {
                app.UseExceptionHandler("/error");
                app.UseStatusCodePagesWithReExecute("/error");
                app.UseDeveloperExceptionPage();
                app.MapFallback("/error", () => "their page");
                app.MapLeases();
            });

        using var failed = await host.Client.PostAsync("/v1/leases/renew", Json("""{"resource":"a","owner":"o","token":1}"""));
        using var refused = await host.Client.GetAsync("/v1/leases/a");
        using var invalid = await host.Client.GetAsync("/v1/leases/a?sate=1");
        using var method = await host.Client.PutAsync("/v1/leases/a", Json("{}"));

        foreach (var (response, status) in new[] { (failed, 503), (refused, 503), (invalid, 400), (method, 405) })
        {
            Assert.Equal((status, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
            Assert.StartsWith("""{"type":"urn:orleans-leases:""", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(true, HttpStatusCode.OK)]
    [InlineData(false, HttpStatusCode.Forbidden)]
    public async Task Page_WhoseOriginTheHostAllows_CallsWhereTheGatewayDoesToo(bool allowed, HttpStatusCode expected)
    {
        await using var host = await HostApplication.StartAsync(
            new ScriptedLeases(),
            services => services
                .AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins(Page).AllowAnyHeader().AllowAnyMethod()))
                .AddLeaseGateway(gateway =>
                {
                    if (allowed) gateway.AllowedOrigins.Add(Page);
                }),
            app =>
            {
                app.UseCors();
                app.MapLeases();
            });
        using var question = new HttpRequestMessage(HttpMethod.Options, "/v1/leases/acquire");
        question.Headers.Add("Origin", Page);
        question.Headers.Add("Access-Control-Request-Method", "POST");
        question.Headers.Add("Access-Control-Request-Headers", "content-type");
        using var answer = await host.Client.SendAsync(question);
        Assert.Equal(Page, Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));

        using var call = new HttpRequestMessage(HttpMethod.Post, "/v1/leases/acquire") { Content = Json(Acquire) };
        call.Headers.Add("Origin", Page);
        call.Headers.Add("Sec-Fetch-Site", "cross-site");
        using var called = await host.Client.SendAsync(call);

        Assert.Equal(expected, called.StatusCode);
        Assert.Equal(Page, Assert.Single(called.Headers.GetValues("Access-Control-Allow-Origin")));
    }

    // What compresses responses stands between the gateway and the connection, and takes them in either way.
    [Fact]
    public async Task Acquire_WhereTheHostCompresses_IsGivenBackForACallerThatHangsUp()
    {
        var waiting = new TaskCompletionSource();
        var answered = new TaskCompletionSource();
        var leases = new ScriptedLeases
        {
            OnAcquire = async (request, cancellation) =>
            {
                waiting.SetResult();
                var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using var registration = cancellation.Register(gone.SetResult);
                await gone.Task.WaitAsync(WaitTimeout, CancellationToken.None);
                return ScriptedLeases.Grant(request, replayed: false);
            },
        };
        await using var host = await HostApplication.StartAsync(
            leases,
            services => services.AddLeaseGateway().AddResponseCompression(),
            app =>
            {
                app.Use(async (context, next) =>
                {
                    await next(context);
                    answered.SetResult();
                });
                app.UseResponseCompression();
                app.MapLeases();
            });
        await using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!);

        await connection.SendPostAsync(
            "/v1/leases/acquire", """{"resource":"a","owner":"o","ttlMs":30000,"waitMs":25000}""", "Accept-Encoding: gzip\r\n");
        await waiting.Task.WaitAsync(WaitTimeout);
        connection.HangUp();
        await answered.Task.WaitAsync(WaitTimeout);

        Assert.Equal("a", Assert.Single(leases.Asked.OfType<LeaseGrant>()).Resource);
    }

    [Fact]
    public async Task Call_WhereTheHostLetsNobodyIn_IsRefusedBeforeTheGateway()
    {
        var leases = new ScriptedLeases();
        await using var host = await HostApplication.StartAsync(
            leases,
            services => services
                .AddLeaseGateway()
                .AddAuthorization(options => options.FallbackPolicy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build())
                .AddAuthentication().AddBearerToken(),
            app => app.MapLeases());

        using var refused = await PostAsync(host);

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Empty(leases.Asked);
    }

    [Fact]
    public async Task Host_ThatRequiresAuthorization_IsAskedFirstAndItsUserIsTheCaller()
    {
        await using var leases = EmbeddedLeases.InMemory();
        await using var host = await HostApplication.StartAsync(
            leases,
            services => services
                .AddLeaseGateway(gateway => gateway.Authenticate = context =>
                {
                    var name = context.User.Identity!.Name!;
                    var rights = new AccessRights(name, [new() { Prefix = name, Rights = LeaseRights.Hold }]);
                    return new(new LeaseCaller(name, () => rights));
                })
                .AddAuthorization()
                .AddAuthentication().AddBearerToken(),
            app =>
            {
                app.MapGet("/login", (string name) => TypedResults.SignIn(
                    new(new ClaimsIdentity([new(ClaimTypes.Name, name)], BearerTokenDefaults.AuthenticationScheme)),
                    authenticationScheme: BearerTokenDefaults.AuthenticationScheme));
                app.MapGroup("").RequireAuthorization().MapLeases();
                app.MapGroup("/all").RequireAuthorization().MapLeaseServer();
            });

        foreach (var path in new[] { "/v1/info", "/all/v1/info", "/all/health/ready", "/all/nothing" })
        {
            using var refused = await host.Client.GetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }

        using var login = JsonDocument.Parse(await host.Client.GetStringAsync("/login?name=o"));
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", login.RootElement.GetProperty("accessToken").GetString());
        using var forbidden = await PostAsync(host);
        using var granted = await host.Client.PostAsync(
            "/v1/leases/acquire", Json(Acquire.Replace("\"a\"", "\"o/a\"", StringComparison.Ordinal)));
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.OK), (forbidden.StatusCode, granted.StatusCode));
        Assert.Contains("ready", await host.Client.GetStringAsync("/all/health/ready"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/leases")]
    public async Task Proof_OfAGuest_IsCheckedByTheKeysAtItsOwnAddress(string prefix)
    {
        await using var leases = EmbeddedLeases.InMemory();
        await using var host = await HostApplication.StartAsync(
            leases,
            services => services.AddLeaseGateway().AddSingleton(leases.ServiceRecords)
                .AddAuthorization(options => options.FallbackPolicy = options.DefaultPolicy = new AuthorizationPolicyBuilder()
                    .RequireAssertion(call => ((HttpContext)call.Resource!).Request.Headers.ContainsKey("User")).Build())
                .AddAuthentication().AddBearerToken(),
            app =>
            {
                app.MapGet("/{**path}", () => "their page");
                app.MapGroup(prefix).RequireAuthorization().MapLeases();
            });
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{prefix}/v1/leases/acquire");
        request.Content = Json(Acquire.Replace("\"id\"", "\"id\",\"proof\":true", StringComparison.Ordinal));
        request.Headers.Add("User", "ann");
        using var reply = await host.Client.SendAsync(request);
        var grant = (await reply.Content.ReadFromJsonAsync(LeaseJson.Default.LeaseGrant))!;

        // A fence is no user of the application.
        using var refused = await host.Client.GetAsync($"{prefix}/v1/info");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var fence = new HttpClient();
        var proof = await new LeaseProofVerifier(fence, new Uri(host.Client.BaseAddress!, prefix)).VerifyAsync(grant.Proof!);

        Assert.Equal(("a", "o", grant.Token), (proof!.Resource, proof.Owner, proof.Token));
    }

    [Fact]
    public async Task Host_WithKeysOfItsOwn_KeepsThem()
    {
        await using var leases = EmbeddedLeases.InMemory();
        await using var host = await HostApplication.StartAsync(
            leases,
            services => services.AddLeaseGateway().AddSingleton(leases.ServiceRecords),
            app =>
            {
                app.MapLeases();
                app.MapGet("/.well-known/jwks.json", () => "theirs");
                app.MapGet("/.well-known/{file}", (string file) => $"their {file}");
                app.MapGroup("/leases").MapLeases();
            });

        Assert.Equal("theirs", await host.Client.GetStringAsync("/.well-known/jwks.json"));
        Assert.Equal("their jwks.json2", await host.Client.GetStringAsync("/.well-known/jwks.json2"));
        Assert.Contains("\"kty\":\"EC\"", await host.Client.GetStringAsync("/leases/.well-known/jwks.json"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bound_OfTheHost_HoldsForAllThatIsMapped()
    {
        await using var leases = EmbeddedLeases.InMemory();
        await using var host = await HostApplication.StartAsync(
            leases,
            services => services.AddLeaseGateway(gateway => gateway.MaxOpenWatches = 1),
            app =>
            {
                app.MapGroup("/one").MapLeases().MapLeaseDashboard();
                app.MapGroup("/two").MapLeases();
            });

        using var first = await host.Client.GetAsync("/one/v1/watch?prefix=", HttpCompletionOption.ResponseHeadersRead);
        using var second = await host.Client.GetAsync("/two/v1/watch?prefix=", HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.TooManyRequests), (first.StatusCode, second.StatusCode));
    }

    [Fact]
    public async Task MapLeases_WithoutTheServicesOfTheGateway_SaysWhatIsMissing()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => HostApplication.StartAsync(new ScriptedLeases(), _ => { }, app => app.MapLeases()));

        Assert.Contains(nameof(LeaseGatewayExtensions.AddLeaseGateway), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_BeyondARateOfTheHosts_IsRefusedBeforeTheGateway()
    {
        var leases = new ScriptedLeases();
        await using var host = await HostApplication.StartAsync(
            leases,
            services => services.AddLeaseGateway().AddRateLimiter(limiter =>
            {
                limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
                limiter.AddFixedWindowLimiter("one", window => (window.PermitLimit, window.Window) = (1, TimeSpan.FromHours(1)));
            }),
            app =>
            {
                app.UseRateLimiter();
                app.MapGroup("/leases").RequireRateLimiting("one").MapLeases();
            });

        (await PostAsync(host, "/leases")).EnsureSuccessStatusCode();
        using var refused = await PostAsync(host, "/leases");

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Single(leases.Asked);
    }

    private static Task<HttpResponseMessage> PostAsync(HostApplication host, string prefix = "") =>
        host.Client.PostAsync($"{prefix}/v1/leases/acquire", Json(Acquire));

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private sealed record Order(TimeSpan Age, long Number);
}
