using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>Proofs of tokens: made, checked, forged, and signed by keys that change.</summary>
public sealed class ProofTests : IAsyncLifetime
{
    private readonly EmbeddedLeases _leases = EmbeddedLeases.InMemory();
    private readonly ManualTimeProvider _time = new();
    private GatewayHost _host = null!;
    private LeaseProofVerifier _verifier = null!;

    public async Task InitializeAsync()
    {
        _host = await StartAsync(_leases);
        _verifier = VerifierOf(_host);
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _leases.DisposeAsync();
    }

    [Fact]
    public async Task Grant_ThatAskedForAProof_IsProved()
    {
        var (proof, grant) = await ProveAsync("orders/42");

        var proved = (await _verifier.VerifyAsync(proof))!;

        Assert.Equal(("orders/42", "ann", grant.Token), (proved.Resource, proved.Owner, proved.Token));
        Assert.Equal(_time.GetUtcNow().ToUnixTimeSeconds(), proved.IssuedAt.ToUnixTimeSeconds());
        Assert.Equal((await InfoAsync(_host)).Service, proved.Service);
    }

    [Fact]
    public async Task Grant_ThatAskedForNone_HasNone() => Assert.Null((await AcquireAsync(_host, "a", "")).Proof);

    [Fact]
    public async Task Grant_WhenReplayed_IsProvedAgain()
    {
        const string Same = ""","requestId":"r","proof":true""";
        await AcquireAsync(_host, "a", Same);

        var again = await AcquireAsync(_host, "a", Same);

        Assert.True(again.Replayed);
        Assert.Equal(again.Token, (await _verifier.VerifyAsync(again.Proof!))!.Token);
    }

    [Fact]
    public async Task Proof_InABatchOrWithoutAServer_IsRefusedByName()
    {
        var batch = await _host.PostAsync(
            "/v1/batch", """{"operations":[{"op":"acquire","resource":"a","owner":"b","ttlMs":1000,"proof":true}]}""");
        var direct = await _leases.AcquireAsync(new() { Resource = "a", Owner = "b", Ttl = TimeSpan.FromSeconds(1), Proof = true });

        Assert.Contains("\"proof\"", batch.Body.GetRawText(), StringComparison.Ordinal);
        Assert.Contains("proof", Assert.IsType<Refusal.InvalidRequest>(direct.Refusal).Errors.Keys);
    }

    [Fact]
    public async Task Server_WithoutAPlaceForKeys_RefusesAndGrantsNothing()
    {
        await using var host = await GatewayHost.StartAsync(_leases);

        var reply = await host.PostAsync("/v1/leases/acquire", Body("a", ""","proof":true"""));

        Assert.Equal((int)HttpStatusCode.BadRequest, reply.Status);
        Assert.Equal((int)HttpStatusCode.NotFound, (await host.GetAsync("/.well-known/jwks.json")).Status);
        Assert.Equal(0, (await _leases.GetAsync(new() { Resource = "a" })).Value.LastToken);
    }

    [Fact]
    public async Task Proof_ThatWasAltered_ProvesNothing()
    {
        var (proof, _) = await ProveAsync("orders/42");
        var (header, payload, signature) = Parts(proof);
        var greater = Encoded(Decoded(payload).Replace("\"token\":", "\"token\":9", StringComparison.Ordinal));

        Assert.Null(await _verifier.VerifyAsync($"{header}.{greater}.{signature}"));
        Assert.Null(await _verifier.VerifyAsync($"{header}.{payload}."));
        Assert.Null(await _verifier.VerifyAsync($"{header}.{payload}"));
        Assert.Null(await _verifier.VerifyAsync($"{proof}.{signature}"));
        Assert.Null(await _verifier.VerifyAsync(""));
        Assert.Null(await _verifier.VerifyAsync("a.b.c"));
        Assert.Null(await _verifier.VerifyAsync(new string('.', 100_000)));
        Assert.NotNull(await _verifier.VerifyAsync(proof));
    }

    [Theory]
    [InlineData("alg", "none")]
    [InlineData("alg", "HS256")]
    [InlineData("alg", "es256")]
    [InlineData("typ", "JWT")]
    [InlineData("kid", "other")]
    [InlineData("crit", "exp")]
    public async Task Proof_OfAnotherHeader_ProvesNothingThoughItsKeySignedIt(string field, string value)
    {
        var (proof, _) = await ProveAsync("orders/42");
        var (header, payload, _) = Parts(proof);
        var changed = JsonNode.Parse(Decoded(header))!;
        changed[field] = value;

        var forged = await SignAsync($"{Encoded(changed.ToJsonString())}.{payload}");

        Assert.Null(await _verifier.VerifyAsync(forged));
        Assert.NotNull(await _verifier.VerifyAsync(await SignAsync($"{header}.{payload}")));
    }

    [Fact]
    public async Task Proof_SignedWithThePublicKeyAsASecret_ProvesNothing()
    {
        var (proof, _) = await ProveAsync("orders/42");
        var (header, payload, _) = Parts(proof);
        var secret = Encoding.UTF8.GetBytes((await _host.GetAsync("/.well-known/jwks.json")).Body.GetRawText());
        foreach (var named in (string[])[header, Encoded(Decoded(header).Replace("ES256", "HS256", StringComparison.Ordinal))])
        {
            var mac = HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes($"{named}.{payload}"));
            Assert.Null(await _verifier.VerifyAsync($"{named}.{payload}.{Base64Url.EncodeToString(mac)}"));
        }
    }

    [Fact]
    public async Task Proof_OfAnotherService_ProvesNothing()
    {
        await using var other = EmbeddedLeases.InMemory();
        await using var host = await StartAsync(other);
        var foreign = (await AcquireAsync(host, "orders/42", ""","proof":true""")).Proof!;
        var (own, _) = await ProveAsync("orders/42");

        Assert.NotEqual((await InfoAsync(host)).Service, (await InfoAsync(_host)).Service);
        Assert.Null(await _verifier.VerifyAsync(foreign));
        Assert.NotNull(await VerifierOf(host).VerifyAsync(foreign));
        Assert.Null(await VerifierOf(_host, new() { Time = _time, Service = "another" }).VerifyAsync(own));
    }

    [Fact]
    public async Task Proof_OfTheFutureOrTooOld_ProvesNothing()
    {
        var verifier = VerifierOf(_host, new() { Time = _time, MaxAge = TimeSpan.FromHours(1) });
        var ahead = VerifierOf(_host, new() { Time = new ManualTimeProvider(_time.GetUtcNow() - TimeSpan.FromMinutes(2)) });
        var (proof, _) = await ProveAsync("orders/42");

        Assert.Null(await ahead.VerifyAsync(proof));
        Assert.NotNull(await verifier.VerifyAsync(proof));
        _time.Advance(TimeSpan.FromMinutes(61));
        Assert.Null(await verifier.VerifyAsync(proof));
    }

    [Fact]
    public async Task Keys_AreRotated_PublishedAheadOfTheirUse_AndKeptForTheProofsTheySigned()
    {
        var (first, _) = await ProveAsync("a");
        Assert.Single(await KeyIdsAsync());

        _time.Advance(TimeSpan.FromDays(29));
        var announced = await KeyIdsAsync();
        Assert.Equal(2, announced.Length);
        Assert.Equal(KeyIdOf(first), KeyIdOf((await ProveAsync("b")).Proof));

        _time.Advance(TimeSpan.FromDays(1));
        var (second, _) = await ProveAsync("c");
        Assert.Equal(announced[1], KeyIdOf(second));
        Assert.NotNull(await _verifier.VerifyAsync(first));
        Assert.NotNull(await _verifier.VerifyAsync(second));

        _time.Advance(TimeSpan.FromDays(401));
        Assert.DoesNotContain(announced[0], await KeyIdsAsync());
        Assert.Null(await _verifier.VerifyAsync(first));
    }

    [Fact]
    public async Task Keys_OfTwoServersOfAStore_AreTheSame()
    {
        await using var second = await StartAsync(_leases);

        var both = await Task.WhenAll(ProveAsync("a"), Task.Run(async () =>
        {
            var grant = await AcquireAsync(second, "b", ""","proof":true""");
            return (grant.Proof!, grant);
        }));

        Assert.Equal(KeyIdOf(both[0].Item1), KeyIdOf(both[1].Item1));
        Assert.Equal((await InfoAsync(_host)).Service, (await InfoAsync(second)).Service);
    }

    [Fact]
    public async Task Keys_WhenPublished_AreThePublicHalvesAlone()
    {
        await ProveAsync("a");

        var jwks = JsonNode.Parse((await _host.GetAsync("/.well-known/jwks.json")).Body.GetRawText())!;

        var key = Assert.Single(jwks["keys"]!.AsArray())!.AsObject();
        Assert.Equal(["kty", "crv", "alg", "use", "kid", "x", "y"], key.Select(field => field.Key));
    }

    [Fact]
    public async Task Verifier_FloodedWithUnknownKeys_FetchesOnce()
    {
        var fetches = new Counting();
        var verifier = new LeaseProofVerifier(new HttpClient(fetches), _host.Address, new() { Time = _time });
        var (proof, _) = await ProveAsync("a");
        await verifier.VerifyAsync(proof);
        var (header, payload, signature) = Parts(proof);
        for (var i = 0; i < 100; i++)
        {
            var unknown = Encoded(Decoded(header).Replace(KeyIdOf(proof), $"made-up-{i}", StringComparison.Ordinal));
            Assert.Null(await verifier.VerifyAsync($"{unknown}.{payload}.{signature}"));
        }

        Assert.Equal(1, fetches.Count);
        Assert.NotNull(await verifier.VerifyAsync(proof));
    }

    [Fact]
    public async Task Verifier_WhileTheServerIsAway_TakesWhatItKnowsAndSaysWhereItKnowsNothing()
    {
        var (proof, _) = await ProveAsync("a");
        await _verifier.VerifyAsync(proof);
        await _host.StopAsync();
        _time.Advance(TimeSpan.FromHours(2));

        Assert.NotNull(await _verifier.VerifyAsync(proof));
        await Assert.ThrowsAsync<HttpRequestException>(async () => await VerifierOf(_host).VerifyAsync(proof));
    }

    // Such as those of an application that issues tokens of its own, or of a server without the store.
    [Theory]
    [InlineData("""{"keys":[]}""")]
    [InlineData("""{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}""")]
    public async Task Keys_OfSomethingElse_TakeNothingFromThoseThatAreKnown(string others)
    {
        var (proof, _) = await ProveAsync("a");
        var own = await _host.Client.GetStringAsync("/.well-known/jwks.json");
        using var server = new Answering(own);
        using var http = new HttpClient(server);
        var verifier = new LeaseProofVerifier(http, _host.Address, new() { Time = _time });
        Assert.NotNull(await verifier.VerifyAsync(proof));

        server.Body = others;
        _time.Advance(TimeSpan.FromMinutes(6));

        Assert.NotNull(await verifier.VerifyAsync(proof));
        await Assert.ThrowsAsync<HttpRequestException>(
            async () => await new LeaseProofVerifier(http, _host.Address, new() { Time = _time }).VerifyAsync(proof));
    }

    [Theory]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAA")]
    [InlineData("")]
    public async Task Keys_ThatAreNoPointsOfTheCurve_AreNotTaken(string x)
    {
        var (proof, _) = await ProveAsync("a");
        var jwks = $$"""{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","kid":"{{KeyIdOf(proof)}}","x":"{{x}}","y":"{{x}}"}]}""";
        using var http = new HttpClient(new Answering(jwks));

        var error = await Assert.ThrowsAsync<HttpRequestException>(
            async () => await new LeaseProofVerifier(http, _host.Address, new() { Time = _time }).VerifyAsync(proof));

        Assert.IsType<JsonException>(error.InnerException);
    }

    [Fact]
    public async Task Keys_WhileTheirStoreIsAway_AreAskedForOnceASecond_AndLoggedOnce()
    {
        var records = new Records(_leases.ServiceRecords) { IsAway = true };
        await using var host = await GatewayHost.StartAsync(
            _leases, time: _time, services: services => services.AddSingleton<IServiceRecords>(records));

        for (var i = 0; i < 50; i++) Assert.Equal(503, (await host.GetAsync("/.well-known/jwks.json")).Status);
        _time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 50; i++) Assert.Equal(503, (await host.PostAsync("/v1/leases/acquire", Body("a", ""","proof":true"""))).Status);

        Assert.Equal(2, records.Loads);
        Assert.Single(host.Log.Texts, text => text.Contains("The keys of the proofs cannot be read", StringComparison.Ordinal));
        records.IsAway = false;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull((await AcquireAsync(host, "a", ""","proof":true""")).Proof);
    }

    private Task<GatewayHost> StartAsync(EmbeddedLeases leases) => GatewayHost.StartAsync(
        leases, time: _time, services: services => services.AddSingleton(leases.ServiceRecords));

    private LeaseProofVerifier VerifierOf(GatewayHost host, LeaseProofOptions? options = null) =>
        new(new HttpClient(), host.Address, options ?? new() { Time = _time });

    private async Task<(string Proof, LeaseGrant Grant)> ProveAsync(string resource)
    {
        var grant = await AcquireAsync(_host, resource, ""","proof":true""");
        return (grant.Proof!, grant);
    }

    private static async Task<LeaseGrant> AcquireAsync(GatewayHost host, string resource, string more)
    {
        var reply = await host.PostAsync("/v1/leases/acquire", Body(resource, more));
        Assert.Equal((int)HttpStatusCode.OK, reply.Status);
        return JsonSerializer.Deserialize(reply.Body.GetRawText(), LeaseJson.Default.LeaseGrant)!;
    }

    private static async Task<ServiceInfo> InfoAsync(GatewayHost host) =>
        JsonSerializer.Deserialize((await host.GetAsync("/v1/info")).Body.GetRawText(), LeaseJson.Default.ServiceInfo)!;

    private async Task<string[]> KeyIdsAsync()
    {
        var jwks = JsonNode.Parse((await _host.GetAsync("/.well-known/jwks.json")).Body.GetRawText())!;
        return [.. jwks["keys"]!.AsArray().Select(key => (string)key!["kid"]!)];
    }

    // With the service's own key, as nobody can who does not read its store.
    private async Task<string> SignAsync(string signed)
    {
        var stored = JsonNode.Parse((await _leases.ServiceRecords.LoadAsync("proof-keys")).Value!)!["keys"]![0]!;
        byte[] Number(string name) => Convert.FromBase64String((string)stored[name]!);
        using var key = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256, D = Number("d"), Q = { X = Number("x"), Y = Number("y") },
        });
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    private static string Body(string resource, string more) =>
        $$"""{"resource":"{{resource}}","owner":"ann","ttlMs":30000{{more}}}""";

    private static (string Header, string Payload, string Signature) Parts(string proof) =>
        proof.Split('.') is [var header, var payload, var signature] ? (header, payload, signature) : throw new FormatException(proof);

    private static string KeyIdOf(string proof) => (string)JsonNode.Parse(Decoded(Parts(proof).Header))!["kid"]!;

    private static string Decoded(string part) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(part));

    private static string Encoded(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private sealed class Counting() : DelegatingHandler(new HttpClientHandler())
    {
        public int Count { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Count++;
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class Answering(string body) : HttpMessageHandler
    {
        public string Body { get; set; } = body;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(Body) });
    }

    /// <summary>The records of a service, whose store may be away.</summary>
    private sealed class Records(IServiceRecords behind) : IServiceRecords
    {
        public bool IsAway { get; set; }

        public int Loads { get; private set; }

        public ValueTask<ServiceRecord> LoadAsync(string name, CancellationToken cancellationToken = default)
        {
            Loads++;
            return IsAway ? throw new IOException("The store is away.") : behind.LoadAsync(name, cancellationToken);
        }

        public ValueTask<ServiceRecord?> TrySaveAsync(
            ServiceRecord read, string? value, CancellationToken cancellationToken = default) =>
            behind.TrySaveAsync(read, value, cancellationToken);

        public ValueTask<IReadOnlyList<ServiceRecord>> ListAsync(string prefix, CancellationToken cancellationToken = default) =>
            behind.ListAsync(prefix, cancellationToken);
    }
}
