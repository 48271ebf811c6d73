using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Testing;

namespace OrleansLeases.Fencing.Tests;

/// <summary>A fence that callers reach who are not trusted: it takes no token without its proof.</summary>
public sealed class ProofTests : IAsyncLifetime
{
    private readonly Signer _service = new("ours", "1");
    private readonly ManualTimeProvider _time = new();
    private FencedDatabase _database = null!;
    private ProtectedService _fenced = null!;

    public async Task InitializeAsync()
    {
        _database = await FencedDatabase.MakeAsync();
        _fenced = await StartAsync(_service);
    }

    public async Task DisposeAsync()
    {
        await _fenced.DisposeAsync();
        await _database.DisposeAsync();
        _service.Dispose();
    }

    [Fact]
    public async Task Request_WithAProof_IsLetInUnderItsToken()
    {
        Assert.Equal(HttpStatusCode.OK, (await PutAsync(Prove(33))).Status);
        Assert.Equal(HttpStatusCode.OK, (await PutAsync(Prove(34), token: "34")).Status);
        Assert.Equal([33, 34], _fenced.Ran);
    }

    [Fact]
    public async Task Request_WithATokenAlone_IsToldWhichHeaderToSend()
    {
        var (status, problem) = await _fenced.PutAsync(33);

        Assert.Equal(HttpStatusCode.PreconditionRequired, status);
        Assert.Equal("Lease-Proof", Assert.Single(problem!["errors"]!.AsObject()).Key);
        Assert.Empty(_fenced.Ran);
    }

    [Fact]
    public async Task Request_WithAProofOfAnotherTokenOrResource_IsForbidden()
    {
        await AssertForbiddenAsync(Prove(33), "34");
        await AssertForbiddenAsync(Prove(33), "x");
        await AssertForbiddenAsync(Prove(33, resource: "orders/43"));
        await AssertForbiddenAsync(Prove(33, resource: "orders/42/"));
        await AssertForbiddenAsync(Prove(0));
        await AssertForbiddenAsync(Prove(long.MaxValue));
    }

    [Fact]
    public async Task Attacker_WithMadeUpForeignAndFutureProofs_NeitherPassesNorClosesTheFence()
    {
        using var foreign = new Signer("ours", "1");
        using var unknown = new Signer("ours", "2");
        const long Greatest = (1L << 53) - 1;

        await AssertForbiddenAsync("made.up.proof");
        await AssertForbiddenAsync(foreign.Sign("orders/42", Greatest, _time.GetUtcNow()));
        await AssertForbiddenAsync(unknown.Sign("orders/42", Greatest, _time.GetUtcNow()));
        await AssertForbiddenAsync(_service.Sign("orders/42", Greatest, _time.GetUtcNow() + TimeSpan.FromMinutes(2)));
        await AssertForbiddenAsync(_service.Sign("orders/42", Greatest, _time.GetUtcNow() - TimeSpan.FromDays(2)));

        Assert.Equal(HttpStatusCode.OK, (await PutAsync(Prove(33))).Status);
        Assert.Equal([33], _fenced.Ran);
    }

    [Fact]
    public async Task Proof_OfALeaseThatWasOvertaken_IsRefusedWhenReplayed()
    {
        var old = Prove(33);
        await PutAsync(old);
        await PutAsync(Prove(34));

        Assert.Equal(HttpStatusCode.Conflict, (await PutAsync(old)).Status);
        Assert.Equal([33, 34], _fenced.Ran);
    }

    [Fact]
    public async Task FloodOfNames_WithoutProofs_LeavesNoRowAndAsksForKeysOnce()
    {
        using var foreign = new Signer("ours", "made-up");
        for (var i = 0; i < 50; i++)
        {
            var request = new HttpRequestMessage(HttpMethod.Put, $"/orders/{i}");
            request.Headers.Add("Lease-Proof", foreign.Sign($"orders/{i}", 1, _time.GetUtcNow()));
            Assert.Equal(HttpStatusCode.Forbidden, (await _fenced.SendAsync(request)).Status);
        }

        Assert.Equal(1, _service.Fetches);
        await using var source = Npgsql.NpgsqlDataSource.Create(_database.ConnectionString);
        await using var count = source.CreateCommand("select count(*) from lease_fence_token");
        Assert.Equal(0L, await count.ExecuteScalarAsync());
    }

    [Fact]
    public async Task Keys_ThatCannotBeFetched_LetNobodyIn()
    {
        using var away = new Signer("ours", "1") { IsAway = true };
        await using var fenced = await StartAsync(away);
        using var request = new HttpRequestMessage(HttpMethod.Put, "/orders/42");
        request.Headers.Add("Lease-Proof", Prove(33));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await fenced.SendAsync(request)).Status);
        Assert.Empty(fenced.Ran);
    }

    private Task<ProtectedService> StartAsync(Signer service) => ProtectedService.StartAsync(
        _database.ConnectionString,
        services: services => services.AddSingleton(new LeaseProofVerifier(
            new HttpClient(service), new Uri("http://leases"), new() { Time = _time, MaxAge = TimeSpan.FromDays(1), Service = "ours" })));

    private string Prove(long token, string resource = "orders/42") => _service.Sign(resource, token, _time.GetUtcNow());

    private async Task<(HttpStatusCode Status, System.Text.Json.Nodes.JsonObject? Problem)> PutAsync(string proof, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/orders/42");
        request.Headers.Add("Lease-Proof", proof);
        if (token is not null) request.Headers.Add("Fencing-Token", token);
        return await _fenced.SendAsync(request);
    }

    private async Task AssertForbiddenAsync(string proof, string? token = null)
    {
        var (status, problem) = await PutAsync(proof, token);
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Equal("urn:orleans-leases:forbidden", (string)problem!["type"]!);
    }

    /// <summary>A lease service that signs whatever it is told, and publishes its key.</summary>
    private sealed class Signer(string service, string keyId) : HttpMessageHandler
    {
        private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private int _fetches;

        public int Fetches => _fetches;

        public bool IsAway { get; init; }

        public string Sign(string resource, long token, DateTimeOffset at)
        {
            var header = Encode(new { alg = "ES256", kid = keyId, typ = "lease-proof+jwt" });
            var payload = Encode(new { resource, owner = "ann", token, service, iat = at.ToUnixTimeSeconds() });
            var signature = _key.SignData(Encoding.ASCII.GetBytes($"{header}.{payload}"), HashAlgorithmName.SHA256);
            return $"{header}.{payload}.{Base64Url.EncodeToString(signature)}";
        }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _fetches);
            if (IsAway) throw new HttpRequestException("away");
            Assert.Equal("http://leases/.well-known/jwks.json", request.RequestUri!.AbsoluteUri);
            var key = _key.ExportParameters(includePrivateParameters: false).Q;
            var jwk = new
            {
                kty = "EC", crv = "P-256", alg = "ES256", kid = keyId,
                x = Base64Url.EncodeToString(key.X), y = Base64Url.EncodeToString(key.Y),
            };
            return Task.FromResult(new HttpResponseMessage
            {
                Content = new StringContent(JsonSerializer.Serialize(new { keys = new[] { jwk } })),
            });
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) _key.Dispose();
            base.Dispose(disposing);
        }

        private static string Encode<T>(T value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
    }
}
