using System.Buffers.Text;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>JWTs of an OpenID Connect authority: its keys are found, change while the server runs, and may be away.</summary>
public sealed class AuthorityTests : IAsyncLifetime
{
    private static readonly Jwts First = new();
    private static readonly Jwts Second = new();

    private readonly EmbeddedLeases _leases = EmbeddedLeases.InMemory();
    private readonly ManualTimeProvider _time = new();
    private readonly AccessFolder _folder = new();
    private volatile string _keys = First.Set;
    private volatile string _issuer = Jwts.Issuer;
    private volatile string? _keysAt;
    private volatile bool _isAway;
    private volatile TaskCompletionSource? _hangs;
    private int _asked;
    private HostApplication _authority = null!;

    public async Task InitializeAsync()
    {
        _authority = await HostApplication.StartAsync(new ScriptedLeases(), _ => { }, app =>
        {
            app.Use((context, next) => _isAway ? Task.FromResult(context.Response.StatusCode = 503) : next(context));
            app.Use(async (context, next) =>
            {
                if (_hangs is { } hangs) await hangs.Task.WaitAsync(context.RequestAborted);
                await next(context);
            });
            app.MapGet("/tenant/.well-known/openid-configuration", (HttpContext context) =>
            {
                Interlocked.Increment(ref _asked);
                return new JsonObject
                {
                    ["issuer"] = _issuer, ["jwks_uri"] = _keysAt ?? $"http://{context.Request.Host}/keys",
                };
            });
            app.MapGet("/keys", () => Results.Text(_keys));
        });
        _folder.Write("access.json", $$"""
            {
              "rules": [ { "principal": "ci", "prefix": "", "verbs": ["read"] } ],
              "jwt": { "issuer": "{{Jwts.Issuer}}", "audience": "leases", "authority": "{{_authority.Client.BaseAddress}}tenant" }
            }
            """);
    }

    public async Task DisposeAsync()
    {
        await _authority.DisposeAsync();
        await _leases.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Keys_OfTheAuthority_VerifyItsTokens_AndThoseThatFollowThem()
    {
        await using var host = await StartAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, Second.Sign(Jwts.Claims("ci", _time.GetUtcNow()), "next")));
        _time.Advance(TimeSpan.FromSeconds(10));

        // The first token that names the new key has the keys read again, and one that names none has not soon after.
        _keys = Second.Set.Replace("\"curve\"", "\"next\"", StringComparison.Ordinal);
        var next = Second.Sign(Jwts.Claims("ci", _time.GetUtcNow()), "next");
        while (await StatusAsync(host, next) is var status && status != HttpStatusCode.OK)
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, First.Sign(Jwts.Claims("ci", _time.GetUtcNow()))));
        var asked = _asked;
        for (var i = 0; i < 20; i++)
        {
            var madeUp = First.Sign(Jwts.Claims("ci", _time.GetUtcNow()), $"made-up-{i}");
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, madeUp));
        }

        Assert.Equal(asked, _asked);

        // What is known stays valid while the authority is away.
        _isAway = true;
        for (var i = 0; i < 10; i++) _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, next));
    }

    // A call that waits keeps a place of the calls of holders, and whoever makes tokens up has none of his own.
    [Fact]
    public async Task Authority_ThatHangs_HasNoCallWait()
    {
        await using var host = await StartAsync();
        _time.Advance(TimeSpan.FromSeconds(10));
        _hangs = new(TaskCreationOptions.RunContinuationsAsynchronously);

        for (var i = 0; i < 3; i++)
        {
            var madeUp = Second.Sign(Jwts.Claims("ci", _time.GetUtcNow()), $"made-up-{i}");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(host, madeUp));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, Good()));
        }

        _hangs.SetResult();
    }

    [Fact]
    public async Task Authority_ThatCannotBeReadYet_MakesNoTokenWrong()
    {
        _isAway = true;
        await using var host = await StartAsync(isReady: false);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(host, Good()));
        await UntilAsync(() => Task.FromResult(host.Log.Errors.Any(text => text.Contains("cannot be read", StringComparison.Ordinal))));

        _isAway = false;
        await UntilAsync(async () => await StatusAsync(host, Good()) == HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("https://issuer.example.org/", null, "says that its issuer is 'https://issuer.example.org/'")]
    [InlineData(Jwts.Issuer, "http://issuer.example.org/keys", "no https address")]
    [InlineData(Jwts.Issuer, "file:///etc/passwd", "no https address")]
    public async Task Authority_ThatIsNotTheIssuers_IsNotTaken(string issuer, string? keysAt, string said)
    {
        (_issuer, _keysAt) = (issuer, keysAt);
        await using var host = await StartAsync(isReady: false);

        await UntilAsync(() => Task.FromResult(host.Log.Errors.Any(text => text.Contains(said, StringComparison.Ordinal))));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(host, Good()));
    }

    [Fact]
    public async Task Secrets_OfTheAuthority_VerifyNothing()
    {
        var secret = new byte[32];
        _keys = new JsonObject
        {
            ["keys"] = new JsonArray(
                First.CurveKey("curve"),
                new JsonObject { ["kty"] = "oct", ["kid"] = "secret", ["k"] = Base64Url.EncodeToString(secret), ["use"] = "sig" }),
        }.ToJsonString();
        await using var host = await StartAsync();

        var token = Jwts.SignSecret(Jwts.Claims("ci", _time.GetUtcNow()), secret, "secret");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, token));
    }

    private string Good() => First.Sign(Jwts.Claims("ci", _time.GetUtcNow()));

    private async Task<GatewayHost> StartAsync(bool isReady = true)
    {
        var host = await _folder.StartAsync(_leases, _time);
        if (isReady) await UntilAsync(async () => await StatusAsync(host, Good()) == HttpStatusCode.OK);
        return host;
    }

    private Task UntilAsync(Func<Task<bool>> isTrue) => _time.AdvanceUntilAsync(isTrue, TimeSpan.FromSeconds(1));

    private static async Task<HttpStatusCode> StatusAsync(GatewayHost host, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/leases/jobs");
        request.Headers.Authorization = new("Bearer", token);
        using var reply = await host.Client.SendAsync(request);
        return reply.StatusCode;
    }
}
