using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>Issues JWTs, made by hand so that any part of one can be wrong.</summary>
internal sealed class Jwts : IDisposable
{
    public const string Issuer = "https://issuer.example.org";
    public const string Audience = "leases";

    private readonly ECDsa _curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly RSA _rsa = RSA.Create(2048);

    /// <summary>The section of an access file that takes these, with the keys in a file beside it.</summary>
    public static string Section(string keys = "jwks.json") =>
        $$"""{ "issuer": "{{Issuer}}", "audience": "{{Audience}}", "keys": "{{keys}}", "groupsClaim": "groups" }""";

    /// <summary>The public keys as a set: 'curve', then 'rsa'.</summary>
    public string Set => JsonSerializer.Serialize(new JsonObject { ["keys"] = new JsonArray(CurveKey("curve"), RsaKey("rsa")) });

    /// <summary>The public key of the curve as PEM.</summary>
    public string Pem => _curve.ExportSubjectPublicKeyInfoPem();

    /// <summary>Both, as PEM.</summary>
    public string Pems => $"{Pem}\n{_rsa.ExportSubjectPublicKeyInfoPem()}";

    /// <summary>The public key of RSA as bytes, for whoever takes it for a secret.</summary>
    public byte[] RsaBytes => _rsa.ExportSubjectPublicKeyInfo();

    /// <summary>The claims of a token that is good for an hour.</summary>
    public static JsonObject Claims(string subject, DateTimeOffset now, params string[] groups)
    {
        var claims = new JsonObject
        {
            ["iss"] = Issuer, ["aud"] = Audience, ["sub"] = subject, ["exp"] = now.AddHours(1).ToUnixTimeSeconds(),
        };
        if (groups.Length > 0) claims["groups"] = new JsonArray([.. groups.Select(group => (JsonNode)group)]);
        return claims;
    }

    /// <summary>A token signed with the key of the curve.</summary>
    public string Sign(JsonObject claims, string? kid = "curve", string algorithm = "ES256", Action<JsonObject>? header = null) =>
        Join(Header(algorithm, kid, header), claims, input => _curve.SignData(input, HashAlgorithmName.SHA256));

    /// <summary>A token signed with the key of the curve, whose claims are what becomes of these as text.</summary>
    public string Sign(JsonObject claims, Func<string, string> change)
    {
        var payload = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(change(claims.ToJsonString())));
        var input = $"{Encode(Header("ES256", "curve", null))}.{payload}";
        return $"{input}.{Base64Url.EncodeToString(_curve.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256))}";
    }

    /// <summary>A token signed with the key of RSA.</summary>
    public string SignRsa(JsonObject claims, RSASignaturePadding padding, string algorithm, string kid = "rsa") =>
        Join(Header(algorithm, kid, null), claims, input => _rsa.SignData(input, HashAlgorithmName.SHA256, padding));

    /// <summary>A token signed with a secret.</summary>
    public static string SignSecret(JsonObject claims, byte[] secret, string? kid) =>
        Join(Header("HS256", kid, null), claims, input => HMACSHA256.HashData(secret, input));

    /// <summary>A token whose parts are given.</summary>
    public static string Join(JsonObject header, JsonObject claims, Func<byte[], byte[]> sign)
    {
        var input = $"{Encode(header)}.{Encode(claims)}";
        return $"{input}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(input)))}";
    }

    public static JsonObject Header(string algorithm, string? kid, Action<JsonObject>? more)
    {
        var header = new JsonObject { ["alg"] = algorithm, ["typ"] = "JWT" };
        if (kid is not null) header["kid"] = kid;
        more?.Invoke(header);
        return header;
    }

    public static string Encode(JsonObject part) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));

    public void Dispose()
    {
        _curve.Dispose();
        _rsa.Dispose();
    }

    /// <summary>The public key of the curve as it stands in a set.</summary>
    public JsonObject CurveKey(string kid)
    {
        var point = _curve.ExportParameters(includePrivateParameters: false).Q;
        return new()
        {
            ["kty"] = "EC", ["crv"] = "P-256", ["kid"] = kid, ["use"] = "sig",
            ["x"] = Base64Url.EncodeToString(point.X!), ["y"] = Base64Url.EncodeToString(point.Y!),
        };
    }

    private JsonObject RsaKey(string kid)
    {
        var key = _rsa.ExportParameters(includePrivateParameters: false);
        return new()
        {
            ["kty"] = "RSA", ["kid"] = kid,
            ["n"] = Base64Url.EncodeToString(key.Modulus!), ["e"] = Base64Url.EncodeToString(key.Exponent!),
        };
    }
}
