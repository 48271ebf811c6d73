using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrleansLeases.Gateway.Proofs;

/// <summary>The name of a service and the keys of its proofs, as they are stored. Immutable.</summary>
internal sealed partial record ProofKeys(string Service, IReadOnlyList<StoredProofKey> Keys)
{
    private static readonly TimeSpan Period = TimeSpan.FromDays(30);
    // Long before its first use, a key is where those find it who fetch the keys now and then.
    private static readonly TimeSpan Ahead = TimeSpan.FromDays(1);
    private static readonly TimeSpan Retained = TimeSpan.FromDays(400);

    public static ProofKeys? Read(string? value) => value is null ? null : JsonSerializer.Deserialize(value, StoredJson.Default.ProofKeys);

    public string Write() => JsonSerializer.Serialize(this, StoredJson.Default.ProofKeys);

    public static ProofKeys Make(DateTimeOffset now) => new(Guid.NewGuid().ToString("N"), [StoredProofKey.Make(now)]);

    /// <summary>As it is to be now: with the next key where it is time, and without those that retired long ago.</summary>
    /// <returns>The same object where nothing is to change.</returns>
    public ProofKeys At(DateTimeOffset now)
    {
        var keys = Keys.Where((_, at) => at + 1 == Keys.Count || Keys[at + 1].From + Retained > now).ToList();
        var due = keys[^1].From + Period;
        if (now >= due - Ahead) keys.Add(StoredProofKey.Make(due > now + Ahead ? due : now + Ahead));
        else if (keys.Count == Keys.Count) return this;
        return this with { Keys = keys };
    }

    /// <summary>
    /// With a new key alone, which signs at once: the others have leaked. All of them, since they are stored together.
    /// Decision proof-keys-are-retired-together.
    /// </summary>
    public ProofKeys Retire(DateTimeOffset now) => this with { Keys = [StoredProofKey.Make(now)] };

    /// <summary>The key that signs now.</summary>
    public StoredProofKey Signing(DateTimeOffset now) => Keys.LastOrDefault(key => key.From <= now) ?? Keys[0];

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(ProofKeys))]
    private sealed partial class StoredJson : JsonSerializerContext;
}

/// <summary>A key that signs proofs from some time on, until the next does.</summary>
internal sealed record StoredProofKey(DateTimeOffset From, byte[] D, byte[] X, byte[] Y)
{
    public static StoredProofKey Make(DateTimeOffset from)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var made = key.ExportParameters(includePrivateParameters: true);
        return new(from, made.D!, made.Q.X!, made.Q.Y!);
    }

    /// <summary>Its id: the thumbprint of RFC 7638, so that no two keys have the same.</summary>
    [JsonIgnore]
    public string Id => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(
        $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(X)}}","y":"{{Base64Url.EncodeToString(Y)}}"}""")));

    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        // One for each signature: an ECDsa may be used by one thread at a time.
        using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = D, Q = { X = X, Y = Y } });
        return key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    public void WritePublic(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("kty"u8, "EC"u8);
        json.WriteString("crv"u8, "P-256"u8);
        json.WriteString("alg"u8, LeaseProof.Algorithm);
        json.WriteString("use"u8, "sig"u8);
        json.WriteString("kid"u8, Id);
        json.WriteString("x"u8, Base64Url.EncodeToString(X));
        json.WriteString("y"u8, Base64Url.EncodeToString(Y));
        json.WriteEndObject();
    }

    // A dump or a log of it must not show the key.
    public override string ToString() => Id;
}
