using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OrleansLeases.Fencing.Tests;

/// <summary>A lease service that signs whatever it is told, and publishes its key.</summary>
internal sealed class ProofSigner(string service, string keyId) : HttpMessageHandler
{
    private readonly string _service = service;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private int _fetches;

    public int Fetches => _fetches;

    public bool IsAway { get; init; }

    /// <summary>A proof; with another algorithm in its header, by no signature, or by one with the public key as the secret.</summary>
    public string Sign(
        string resource, long token, DateTimeOffset at, string? service = null, string alg = "ES256", string typ = "lease-proof+jwt")
    {
        var header = Encode(new { alg, kid = keyId, typ });
        var payload = Encode(new { resource, owner = "ann", token, service = service ?? _service, iat = at.ToUnixTimeSeconds() });
        var signed = Encoding.ASCII.GetBytes($"{header}.{payload}");
        var signature = alg switch
        {
            "none" => [],
            "HS256" => HMACSHA256.HashData(Encoding.ASCII.GetBytes(_key.ExportSubjectPublicKeyInfoPem()), signed),
            _ => _key.SignData(signed, HashAlgorithmName.SHA256),
        };
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
