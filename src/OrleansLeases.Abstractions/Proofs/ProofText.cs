using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OrleansLeases;

/// <summary>The compact JWS of a proof, read and not yet believed.</summary>
internal readonly record struct ProofText(string KeyId, byte[] Signed, byte[] Signature, byte[] Payload)
{
    // Names of 512 bytes, all of them escaped, twice over.
    private const int MaxLength = 16 * 1024;

    /// <summary>Reads a proof whose header is one of a proof; null for anything else.</summary>
    public static ProofText? Read(string text)
    {
        var parts = text.Length <= MaxLength ? text.Split('.', 4) : [];
        if (parts.Length != 3) return null;
        try
        {
            using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[0]));
            var root = header.RootElement;
            // An extension that must be understood is not.
            if (!Says(root, "alg", LeaseProof.Algorithm) || !Says(root, "typ", LeaseProof.Type) || root.TryGetProperty("crit", out _)
                || !root.TryGetProperty("kid", out var id) || id.ValueKind != JsonValueKind.String)
                return null;
            var signed = Encoding.ASCII.GetBytes(text[..(parts[0].Length + 1 + parts[1].Length)]);
            return new(id.GetString()!, signed, Base64Url.DecodeFromChars(parts[2]), Base64Url.DecodeFromChars(parts[1]));
        }
        catch (Exception malformed) when (malformed is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Whether this key has signed it.</summary>
    public bool IsSignedBy(ECParameters key)
    {
        // One for each check: an ECDsa may be used by one thread at a time.
        using var verifier = ECDsa.Create(key);
        return verifier.VerifyData(Signed, Signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    /// <summary>What it says; null where that is not what a proof says.</summary>
    public LeaseProof? Claims()
    {
        try
        {
            using var payload = JsonDocument.Parse(Payload);
            var root = payload.RootElement;
            return new(
                root.GetProperty("resource").GetString()!, root.GetProperty("owner").GetString()!, root.GetProperty("token").GetInt64(),
                root.GetProperty("service").GetString()!, DateTimeOffset.FromUnixTimeSeconds(root.GetProperty("iat").GetInt64()));
        }
        catch (Exception malformed) when (malformed is FormatException or JsonException or InvalidOperationException
            or KeyNotFoundException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>The keys of a JWKS that may sign proofs, by their ids. Others in it are left out.</summary>
    /// <exception cref="JsonException">It is no JWKS, or has no such key.</exception>
    public static Dictionary<string, ECParameters> ReadKeys(ReadOnlyMemory<byte> jwks)
    {
        using var document = JsonDocument.Parse(jwks);
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("keys", out var keys)
            || keys.ValueKind != JsonValueKind.Array)
            throw new JsonException("It has no keys.");
        var found = new Dictionary<string, ECParameters>(StringComparer.Ordinal);
        foreach (var key in keys.EnumerateArray())
        {
            if (!Says(key, "kty", "EC") || !Says(key, "crv", "P-256") || !Says(key, "alg", LeaseProof.Algorithm)) continue;
            try
            {
                var point = new ECParameters
                {
                    Curve = ECCurve.NamedCurves.nistP256,
                    Q =
                    {
                        X = Base64Url.DecodeFromChars(key.GetProperty("x").GetString()),
                        Y = Base64Url.DecodeFromChars(key.GetProperty("y").GetString()),
                    },
                };
                // Here and not with each proof: one that is no point of the curve would fail the call that came with it.
                ECDsa.Create(point).Dispose();
                found[key.GetProperty("kid").GetString()!] = point;
            }
            catch (Exception malformed) when (malformed is FormatException or InvalidOperationException or KeyNotFoundException
                or ArgumentNullException or CryptographicException)
            {
                throw new JsonException("A key of it cannot be read.", malformed);
            }
        }

        // A service always has one. Taken for all that there are, none would have every proof look forged.
        return found.Count > 0 ? found : throw new JsonException("It has no key that may sign proofs.");
    }

    private static bool Says(JsonElement element, string name, string value) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var said)
            && said.ValueKind == JsonValueKind.String && said.ValueEquals(value);
}
