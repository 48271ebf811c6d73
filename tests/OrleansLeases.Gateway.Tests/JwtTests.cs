using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Access;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>JWTs as credentials: those that are good, every way in which one is not, and those that end while they are in use.</summary>
public sealed class JwtTests : IAsyncLifetime
{
    private const string Rules = """
        "groups": { "ops": [] },
        "rules": [
            { "principal": "ci", "prefix": "jobs", "verbs": ["read", "hold"] },
            { "group": "ops", "prefix": "", "verbs": ["read"] } ]
        """;

    private static readonly Jwts Signer = new();
    private static readonly Jwts Stranger = new();

    private readonly EmbeddedLeases _leases = EmbeddedLeases.InMemory();
    private readonly ManualTimeProvider _time = new();
    private readonly AccessFolder _folder = new();
    private GatewayHost _host = null!;

    /// <summary>Tokens that are not valid, and what is said of them.</summary>
    private static readonly Dictionary<string, (Func<JwtTests, string> Make, string Said)> Wrong = new()
    {
        ["alg none"] = (test => Jwts.Join(Jwts.Header("none", null, null), test.Good, _ => []), "signature"),
        ["alg None"] = (test => Jwts.Join(Jwts.Header("None", "curve", null), test.Good, _ => []), "signature"),
        ["alg none, signed"] = (test => Signer.Sign(test.Good, algorithm: "none"), "signature"),
        ["alg empty"] = (test => Signer.Sign(test.Good, algorithm: ""), ""),
        ["a public key for a secret"] = (test => Jwts.SignSecret(test.Good, Signer.RsaBytes, "rsa"), "signature"),
        ["a PEM for a secret"] = (test => Jwts.SignSecret(test.Good, Encoding.ASCII.GetBytes(Signer.Pem), "curve"), "signature"),
        ["a secret without a key id"] = (test => Jwts.SignSecret(test.Good, Signer.RsaBytes, null), "none of the keys"),
        ["another audience"] = (test => test.With(claims => claims["aud"] = "billing"), "audience"),
        ["no audience"] = (test => test.With(claims => claims.Remove("aud")), "audience"),
        ["an audience that begins like ours"] = (test => test.With(claims => claims["aud"] = "leases/x"), "audience"),
        ["another issuer"] = (test => test.With(claims => claims["iss"] = "https://issuer.example.org/x"), "issuer"),
        ["no issuer"] = (test => test.With(claims => claims.Remove("iss")), "issuer"),
        ["expired"] = (test => test.With(claims => claims["exp"] = test._time.GetUtcNow().ToUnixTimeSeconds()), "expired"),
        ["no expiry"] = (test => test.With(claims => claims.Remove("exp")), "no time of expiry"),
        ["an expiry in words"] = (test => test.With(claims => claims["exp"] = "tomorrow"), ""),
        ["not valid yet"] = (test => test.With(claims => claims["nbf"] = test._time.GetUtcNow().ToUnixTimeSeconds() + 31), "not valid yet"),
        ["an unknown key"] = (test => Signer.Sign(test.Good, "other"), "none of the keys"),
        ["the id of another key"] = (test => Signer.Sign(test.Good, "rsa"), "signature"),
        ["the algorithm of another key"] = (test => Signer.Sign(test.Good, algorithm: "RS256"), "signature"),
        ["signed by somebody else"] = (test => Stranger.Sign(test.Good), "signature"),
        ["a key of its own"] = (test => SignedByItsOwnKey(test.Good), "none of the keys"),
        ["claims that were changed"] =
            (test => Changed(Signer.Sign(test.Good), 1, Jwts.Encode(test.Good.With("sub", "root"))), "signature"),
        ["a signature cut short"] = (test => Signer.Sign(test.Good)[..^8], "signature"),
        ["no signature"] = (test => Changed(Signer.Sign(test.Good), 2, ""), "signature"),
        ["something critical"] = (test => Signer.Sign(test.Good, header: header => header["crit"] = new JsonArray("b64")), "'crit'"),
        ["no JSON"] = (_ => "a.b.c", "cannot be read"),
        ["three nothings"] = (_ => "..", "cannot be read"),
        ["no subject"] = (test => test.With(claims => claims.Remove("sub")), "'sub'"),
        ["everybody"] = (test => test.With(claims => claims["sub"] = "*"), "'sub'"),
        ["a way out"] = (test => test.With(claims => claims["sub"] = "ci/../root"), "'sub'"),
        ["a group in a name"] = (test => test.With(claims => claims["sub"] = "ci\0ops"), "'sub'"),
        ["an object"] = (test => test.With(claims => claims["sub"] = new JsonObject { ["name"] = "ci" }), ""),
        ["two subjects"] = (test => test.With(claims => claims["sub"] = new JsonArray("ci", "root")), ""),
        ["a subject in a list of lists"] = (test => test.With(claims => claims["sub"] = new JsonArray(new JsonArray("ci"))), ""),
        ["a number"] = (test => test.With(claims => claims["sub"] = 7), "'sub'"),
        ["a list of one"] = (test => test.With(claims => claims["sub"] = new JsonArray("ci")), ""),
        ["two claims of one name"] = (test => Signer.Sign(test.Good, claims => claims[..^1] + ",\"sub\":\"root\"}"), "cannot be read"),
        ["half a character"] = (test => Signer.Sign(test.Good, claims => claims[..^1] + ",\"groups\":[\"\\ud800\"]}"), "cannot be read"),
        ["a truth"] = (test => test.With(claims => claims["sub"] = true), ""),
        ["null"] = (test => test.With(claims => claims["sub"] = null), "'sub'"),
        ["a subject of another case"] = (test => test.With(claims =>
        {
            claims.Remove("sub");
            claims["Sub"] = "ci";
        }), "'sub'"),
        ["expired before there was time"] = (test => test.With(claims => claims["exp"] = -1), "expired"),
        ["an expiry in a list"] = (test => test.With(claims => claims["exp"] = new JsonArray(4_000_000_000)), ""),
        ["an expiry that is null"] = (test => test.With(claims => claims["exp"] = null), ""),
        ["valid from the end of time"] = (test => test.With(claims => claims["nbf"] = long.MaxValue), "not valid yet"),
        ["nobody"] = (test => test.With(claims => claims["sub"] = ""), "'sub'"),
        ["a name that is too long"] = (test => test.With(claims => claims["sub"] = new string('x', 513)), "'sub'"),
    };

    public static TheoryData<string> WrongOnes => [.. Wrong.Keys];

    private JsonObject Good => Jwts.Claims("ci", _time.GetUtcNow());

    public async Task InitializeAsync()
    {
        _folder.Write("jwks.json", Signer.Set);
        _folder.Write("access.json", $$"""{ {{Rules}}, "jwt": {{Jwts.Section()}} }""");
        _host = await _folder.StartAsync(_leases, _time);
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _leases.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Token_OfEachKindThatIsTaken_IsItsPrincipal()
    {
        foreach (var token in new[]
        {
            Signer.Sign(Good), Signer.Sign(Good, kid: null), Signer.Sign(Good, header: header => header["typ"] = "at+jwt"),
            Signer.SignRsa(Good, RSASignaturePadding.Pkcs1, "RS256"), Signer.SignRsa(Good, RSASignaturePadding.Pss, "PS256"),
            With(claims => claims["aud"] = new JsonArray("billing", Jwts.Audience)),
            With(claims => claims["nbf"] = _time.GetUtcNow().ToUnixTimeSeconds() + 29),
        })
        {
            using var reply = await SendAsync(HttpMethod.Get, "/v1/whoami", token);
            Assert.Equal("ci", (await reply.Content.ReadFromJsonAsync(LeaseJson.Default.CallerInfo))!.Principal);
        }
    }

    [Fact]
    public async Task Token_GivesTheRightsOfItsPrincipalAndItsGroups_AndNoOthers()
    {
        var ci = Signer.Sign(Good);
        Assert.Equal(HttpStatusCode.OK, await AcquireAsync(ci, "jobs/1", "ci/7"));
        Assert.Equal(HttpStatusCode.Forbidden, await AcquireAsync(ci, "jobs/2", "ann"));
        Assert.Equal(HttpStatusCode.Forbidden, await AcquireAsync(ci, "other", "ci"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(ci, "/v1/leases/other"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(ci, "/v1/tokens"));

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(Signer.Sign(Jwts.Claims("ann", _time.GetUtcNow(), "ops")), "/v1/leases/other"));
        foreach (var group in new[] { "opsx", "OPS", "ops\0", "x\0ops", "*", "ci" })
        {
            var stranger = Signer.Sign(Jwts.Claims("ann", _time.GetUtcNow(), group));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(stranger, "/v1/leases/other"));
        }
    }

    [Theory]
    [MemberData(nameof(WrongOnes))]
    public async Task Token_ThatIsWrong_IsUnauthorized(string what)
    {
        var (make, said) = Wrong[what];
        using var reply = await SendAsync(HttpMethod.Get, "/v1/whoami", make(this));

        Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (reply.StatusCode, reply.Headers.WwwAuthenticate.ToString()));
        var refusal = (await reply.Content.ReadFromJsonAsync(LeaseJson.Default.Refusal))!;
        Assert.StartsWith("The JWT is not valid", refusal.Detail, StringComparison.Ordinal);
        Assert.Contains(said, refusal.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_ThatExpiresAfterTheEndOfTime_IsTaken()
    {
        foreach (var exp in new[] { "253402300799", "253402300800", "9007199254740991", "9223372036854775807", "4000000000.5", "1e17" })
        {
            var status = await StatusAsync(With(claims => claims["exp"] = JsonNode.Parse(exp)), "/v1/leases/jobs");
            Assert.Equal((exp, HttpStatusCode.OK), (exp, status));
        }
    }

    [Fact]
    public async Task Groups_OfAnotherFormOrCase_AreNone()
    {
        foreach (var (name, groups) in new (string, JsonNode)[]
        {
            ("Groups", new JsonArray("ops")), ("GROUPS", "ops"), ("groups", new JsonArray(new JsonArray("ops"))),
            ("groups", new JsonObject { ["ops"] = "ops" }), ("groups", new JsonArray(new JsonObject { ["name"] = "ops" })),
            ("groups", "[\"ops\"]"), ("groups", "x ops"), ("groups", 7), ("groups", new JsonArray(1, true, null)), ("roles", "ops"),
        })
        {
            var token = Signer.Sign(Jwts.Claims("ann", _time.GetUtcNow()).With(name, groups));
            Assert.Equal((name, HttpStatusCode.Forbidden), (name, await StatusAsync(token, "/v1/leases/other")));
        }
    }

    [Fact]
    public async Task Claims_OfOtherNames_AreTextsToo()
    {
        _folder.Write("access.json", $$"""
            { {{Rules}}, "jwt": {{Jwts.Section().Replace(" }", ", \"principalClaim\": \"client\" }", StringComparison.Ordinal)}} }
            """);
        _host.Services.GetRequiredService<AccessFile>().Refresh();
        foreach (var (client, groups, status) in new (JsonNode, JsonNode, HttpStatusCode)[]
        {
            ("ann", "ops", HttpStatusCode.OK), ("ann", new JsonArray(7, "ops", null), HttpStatusCode.OK),
            ("2030-01-01T00:00:00.0000000Z", "ops", HttpStatusCode.OK),
            (7, "ops", HttpStatusCode.Unauthorized), (new JsonArray("ann"), "ops", HttpStatusCode.Unauthorized),
            (true, "ops", HttpStatusCode.Unauthorized), (new JsonObject(), "ops", HttpStatusCode.Unauthorized),
        })
        {
            var token = Signer.Sign(Good.With("client", client).With("groups", groups));
            Assert.Equal((client.ToJsonString(), status), (client.ToJsonString(), await StatusAsync(token, "/v1/leases/other")));
        }
    }

    // What anybody may send, with a signature or not: it is refused, and is no failure of the server.
    [Fact]
    public async Task Token_ThatIsMadeUp_IsUnauthorized()
    {
        var good = Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(Good));
        string[] headers =
        [
            """{"alg":"ES256","kid":"curve"}""", """{"alg":"ES256","kid":7}""", """{"alg":"ES256","kid":["curve"]}""",
            """{"alg":["ES256"],"kid":"curve"}""", """{"alg":null}""", """{"alg":"ES256","kid":"\ud800"}""", """{"alg":"none"}""",
            """{"alg":"ES256","alg":"none"}""", """{"alg":"none","alg":"ES256","kid":"curve"}""", "[]", "null", "7", "\"\"", "{", "",
            """{"alg":"ES256","x5t":"curve"}""", """{"alg":"ES256","x5c":["MIIB"],"kid":"curve"}""", """{"alg":"dir","enc":"A128GCM"}""",
            """{"alg":"ES256","kid":"../../etc/passwd"}""", """{"alg":"ES256","kid":"curve\u0000"}""", """{"alg":"ES256","kid":""}""",
            """{"alg":"ES256","b64":false,"crit":["b64"],"kid":"curve"}""", """{"alg":"ES256","zip":"DEF","kid":"curve"}""",
            new string('[', 200), $$"""{"a":{{new string('[', 100)}}{{new string(']', 100)}},"alg":"ES256"}""",
        ];
        string[] payloads =
        [
            good, "[]", "null", "7", "{", "", new string('[', 200),
            """{"sub":"\ud800"}""", """{"exp":1e400}""", """{"exp":{}}""", """{"aud":{}}""", """{"iss":[]}""",
            good[..^1] + ",\"exp\":99999999999999999999}", good[..^1] + ",\"nbf\":\"x\"}",
            good[..^1] + $$""","x":{{new string('[', 100)}}{{new string(']', 100)}}}""",
            good[..^1] + $",\"x\":\"{new string('x', 10_000)}\"}}",
        ];
        foreach (var header in headers)
        {
            foreach (var payload in payloads)
            {
                foreach (var signature in new[] { "", "AA", Base64Url.EncodeToString(new byte[64]), "!" })
                {
                    var token = $"{Part(header)}.{Part(payload)}.{signature}";
                    using var reply = await SendAsync(HttpMethod.Get, "/v1/whoami", token);
                    Assert.Equal((header, payload, HttpStatusCode.Unauthorized), (header, payload, reply.StatusCode));
                }
            }
        }

        static string Part(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
    }

    [Fact]
    public async Task Header_ThatIsNoSingleToken_IsUnauthorized()
    {
        var token = Signer.Sign(Good);
        foreach (var value in new[]
        {
            $"Bearer {token}, Bearer {token}", $"Bearer {token},", $"Bearer {token} x", $"Bearer Bearer {token}", token, $"Bearer={token}",
            $"Basic {token}", $"DPoP {token}", $"Bearer {token}.x",
        })
            Assert.StartsWith("HTTP/1.1 401", await AskAsync($"Authorization: {value}\r\n"), StringComparison.Ordinal);

        // Which of two is meant, a proxy in front may have answered otherwise.
        foreach (var second in new[] { token, Stranger.Sign(Good), "x" })
        {
            Assert.StartsWith(
                "HTTP/1.1 401", await AskAsync($"Authorization: Bearer {token}\r\nauthorization: Bearer {second}\r\n"),
                StringComparison.Ordinal);
        }

        var large = $"Authorization: Bearer {token}{new string('x', 40_000)}\r\n";
        Assert.StartsWith("HTTP/1.1 431", await AskAsync(large), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", await AskAsync($"Authorization: Bearer {token}\r\n"), StringComparison.Ordinal);

        // As it is on the wire: a client of .NET would make one header of two.
        async Task<string> AskAsync(string headers)
        {
            await using var connection = await _host.ConnectAsync();
            await connection.SendAsync($"GET /v1/whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
            return await connection.ReadAsync();
        }
    }

    [Fact]
    public async Task Token_OfNoKindAnyLonger_EndsItsWatch()
    {
        var token = Signer.Sign(Good);
        _host.Client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var events = await EventReader.OpenAsync(_host, "prefix=jobs");
        await events.NextAsync();

        _folder.Write("access.json", $$"""{ {{Rules}} }""");
        var reading = events.NextAsync();
        await UntilAsync(() =>
        {
            if (reading is { IsCompletedSuccessfully: true, Result: ":" }) reading = events.NextAsync();
            return Task.FromResult(reading.IsCompleted);
        });

        Assert.Null(await reading);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(token, "/v1/leases/jobs"));
    }

    [Fact]
    public async Task Token_IsInNoLog_WhateverIsWrongWithIt()
    {
        var tokens = Wrong.Values.Select(wrong => wrong.Make(this)).Append(Signer.Sign(Good)).Where(token => token.Length > 40).ToArray();
        foreach (var token in tokens)
        {
            (await SendAsync(HttpMethod.Get, "/v1/leases/jobs", token)).Dispose();
            await AcquireAsync(token, "jobs/1", "ci");
        }

        Assert.Contains(_host.Log.Texts, text => text.Contains("was not authenticated", StringComparison.Ordinal)
            || text.Contains("Failed to validate the token", StringComparison.Ordinal));
        foreach (var part in tokens.SelectMany(token => token.Split('.')).Where(part => part.Length > 40).Distinct())
            Assert.DoesNotContain(_host.Log.Texts, text => text.Contains(part, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Token_ThatExpires_EndsItsWatch_AndWhatItsWaitIsGranted()
    {
        await _leases.AcquireAsync(new() { Resource = "jobs/1", Owner = "ann", Ttl = TimeSpan.FromMinutes(90) });
        var held = await _leases.GetAsync(new() { Resource = "jobs/1" });
        var token = Signer.Sign(Good);
        _host.Client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var events = await EventReader.OpenAsync(_host, "resource=jobs/1");
        Assert.Contains("state", await events.NextAsync() + await events.NextAsync(), StringComparison.Ordinal);
        var waiting = _host.PostAsync(
            "/v1/leases/acquire", """{"resource":"jobs/1","owner":"ci","ttlMs":60000,"waitMs":25000}""");
        while ((await _leases.GetAsync(new() { Resource = "jobs/1" })).Value.Waiters == 0) await Task.Yield();

        _time.Advance(TimeSpan.FromHours(1));
        await _leases.ReleaseAsync(new() { Resource = "jobs/1", Owner = "ann", Token = held.Value.LastToken });

        Assert.Equal(403, (await waiting).Status);
        string? block;
        do block = await events.NextAsync();
        while (block == ":");
        Assert.Null(block);
        Assert.Empty((await _leases.GetAsync(new() { Resource = "jobs/1" })).Value.Holders);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(token, "/v1/leases/jobs/1"));
    }

    [Fact]
    public async Task Keys_ThatWereReplaced_EndWhatTheOldOnesSigned()
    {
        var token = Signer.Sign(Good);
        _host.Client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var events = await EventReader.OpenAsync(_host, "prefix=jobs");
        await events.NextAsync();
        _folder.Write("jwks.json", Stranger.Set);
        await UntilAsync(async () => await StatusAsync(Stranger.Sign(Good), "/v1/leases/jobs") == HttpStatusCode.OK);

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(token, "/v1/leases/jobs"));
        var reading = events.NextAsync();
        await UntilAsync(() => Task.FromResult(reading.IsCompleted));
        Assert.Null(await reading);

        // What is wrong is said once, and changes nothing.
        _folder.Write("jwks.json", """{"keys":[]}""");
        await UntilAsync(() => Task.FromResult(HasLogged("access.json(4): 'jwks.json' has no public key")));
        _folder.Delete("jwks.json");
        await UntilAsync(() => Task.FromResult(HasLogged("access.json(4): 'jwks.json' cannot be read")));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(Stranger.Sign(Good), "/v1/leases/jobs"));
        _folder.Write("jwks.json", Signer.Set);
        await UntilAsync(async () => await StatusAsync(Signer.Sign(Good), "/v1/leases/jobs") == HttpStatusCode.OK);
    }

    [Fact]
    public async Task Keys_AsPem_VerifyWhateverIdATokenNames()
    {
        _folder.Write("keys.pem", Signer.Pems);
        _folder.Write("access.json", $$"""{ {{Rules}}, "jwt": {{Jwts.Section("keys.pem")}} }""");
        await using var host = await _folder.StartAsync(_leases, _time);
        foreach (var (token, status) in new[]
        {
            (Signer.Sign(Good, "whatever"), HttpStatusCode.OK), (Signer.Sign(Good, kid: null), HttpStatusCode.OK),
            (Signer.SignRsa(Good, RSASignaturePadding.Pkcs1, "RS256"), HttpStatusCode.OK),
            (Stranger.Sign(Good), HttpStatusCode.Unauthorized),
            (Jwts.SignSecret(Good, Signer.RsaBytes, kid: null), HttpStatusCode.Unauthorized),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/whoami");
            request.Headers.Authorization = new("Bearer", token);
            using var reply = await host.Client.SendAsync(request);
            Assert.Equal(status, reply.StatusCode);
        }
    }

    private string With(Action<JsonObject> change)
    {
        var claims = Good;
        change(claims);
        return Signer.Sign(claims);
    }

    private static string Changed(string token, int part, string text)
    {
        var parts = token.Split('.');
        parts[part] = text;
        return string.Join('.', parts);
    }

    private static string SignedByItsOwnKey(JsonObject claims) => Stranger.Sign(claims, "own", header: header =>
    {
        header["jwk"] = Stranger.CurveKey("own");
        header["jku"] = "http://127.0.0.1:1/jwks.json";
    });

    private bool HasLogged(string text) => _host.Log.Errors.Any(error => error.Contains(text, StringComparison.Ordinal));

    // Moves the clock of the host on until something has come of it.
    private Task UntilAsync(Func<Task<bool>> isTrue) => _time.AdvanceUntilAsync(isTrue, TimeSpan.FromSeconds(1));

    private async Task<HttpStatusCode> StatusAsync(string token, string path)
    {
        using var reply = await SendAsync(HttpMethod.Get, path, token);
        return reply.StatusCode;
    }

    private async Task<HttpStatusCode> AcquireAsync(string token, string resource, string owner)
    {
        using var reply = await SendAsync(
            HttpMethod.Post, "/v1/leases/acquire", token, $$"""{"resource":"{{resource}}","owner":"{{owner}}","ttlMs":60000}""");
        return reply.StatusCode;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string token, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        if (body is not null) request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        return await _host.Client.SendAsync(request);
    }
}

internal static class JsonObjects
{
    public static JsonObject With(this JsonObject json, string name, JsonNode value)
    {
        json[name] = value;
        return json;
    }
}
