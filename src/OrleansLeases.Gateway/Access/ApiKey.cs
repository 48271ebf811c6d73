using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrleansLeases.Gateway.Access;

/// <summary>
/// The text of an API key: <c>olk_</c>, which scanners for leaked secrets can know it by, an id of 64 bits, and 256 random bits that prove
/// it. A hash of them is stored, and needs no salt and no slowness: nobody guesses 256 bits.
/// </summary>
internal static class ApiKeyText
{
    public const string Prefix = "olk_";
    public const int IdLength = 16;

    private const int SecretLength = 43;
    private const int Length = 4 + IdLength + 1 + SecretLength;

    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdef");

    public static (string Id, string Token) New()
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdLength / 2));
        return (id, $"{Prefix}{id}_{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32))}");
    }

    /// <summary>Whether a credential has the form of an API key; its id is then that of the one it says it is.</summary>
    public static bool TryParse(ReadOnlySpan<char> token, out ReadOnlySpan<char> id)
    {
        id = default;
        if (token.Length != Length || !token.StartsWith(Prefix, StringComparison.Ordinal) || token[4 + IdLength] != '_') return false;
        id = token.Slice(4, IdLength);
        return IsId(id);
    }

    public static bool IsId(ReadOnlySpan<char> id) => id.Length == IdLength && !id.ContainsAnyExcept(Hexadecimal);

    /// <summary>What an access file says of a key.</summary>
    public static string Entry(string id, string token, CreateApiKeyRequest request, DateTimeOffset now)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(token, hash);
        var key = new KeyText
        {
            Id = id,
            Name = request.Name,
            Principal = request.Principal,
            Sha256 = Convert.ToHexStringLower(hash),
            Expires = now + request.ExpiresIn,
        };
        return JsonSerializer.Serialize(key, AccessJson.Default.KeyText);
    }

    public static void Hash(ReadOnlySpan<char> token, Span<byte> hash)
    {
        // What has the form of a key, and is not ASCII, is none, but must be hashed to be refused.
        Span<byte> utf8 = stackalloc byte[Encoding.UTF8.GetMaxByteCount(Length)];
        SHA256.HashData(utf8[..Encoding.UTF8.GetBytes(token, utf8)], hash);
    }
}

/// <summary>An API key as it is stored.</summary>
internal sealed record StoredApiKey
{
    [JsonPropertyName("v")]
    public int Schema { get; init; } = 1;

    public required string Name { get; init; }

    public required string Principal { get; init; }

    public required byte[] Hash { get; init; }

    public required DateTimeOffset Created { get; init; }

    public DateTimeOffset? Expires { get; init; }

    public DateTimeOffset? LastUsed { get; init; }

    public static StoredApiKey? Read(string? value)
    {
        if (value is null) return null;
        var key = JsonSerializer.Deserialize(value, ApiKeyJson.Default.StoredApiKey);
        return key is { Schema: 1, Hash.Length: SHA256.HashSizeInBytes } ? key : null;
    }

    public string Write() => JsonSerializer.Serialize(this, ApiKeyJson.Default.StoredApiKey);

    public ApiKeyInfo ToInfo(string id) => new()
    {
        Id = id, Name = Name, Principal = Principal, Created = Created, Expires = Expires, LastUsed = LastUsed,
    };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredApiKey))]
internal sealed partial class ApiKeyJson : JsonSerializerContext;
