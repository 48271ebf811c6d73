using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace OrleansLeases.DistributedLocks.Internal;

/// <summary>Makes resources of names that may be any text. Decision distributed-lock-names.</summary>
internal static class ResourceNames
{
    /// <summary>The longest prefix, which leaves a hash its room.</summary>
    public const int MaxPrefixBytes = 256;

    private const int MaxBytes = 512;
    private const char HashMark = '~';
    private const int HashDigits = 64;
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Makes the resource of a name. No two names have the same one.</summary>
    public static string Of(string? prefix, string name)
    {
        var whole = prefix is null ? name : $"{prefix}/{name}";
        // A name that looks like a hash is hashed too: it would be the resource of the name with that hash.
        if (IsPath(name, MaxBytes) && IsPath(whole, MaxBytes) && !IsHash(name)) return whole;
        return prefix is null ? Hash(name) : $"{prefix}/{Hash(name)}";
    }

    /// <summary>Whether resources may begin with a text and a <c>/</c>.</summary>
    public static bool IsPrefix(string text) => IsPath(text, MaxPrefixBytes);

    private static bool IsPath(string text, int maxBytes) =>
        text.Split('/').All(segment => segment is not ("" or "." or ".."))
        && !text.Any(char.IsControl)
        && BytesOf(text) <= maxBytes;

    private static bool IsHash(string name) =>
        name.Length == 1 + HashDigits && name[0] == HashMark && !name.AsSpan(1).ContainsAnyExcept(Digits);

    // Of the UTF-16 code units: a name with half of a surrogate pair has no UTF-8, and stands for itself all the same.
    private static string Hash(string name)
    {
        var units = new byte[name.Length * 2];
        for (var i = 0; i < name.Length; i++) BinaryPrimitives.WriteUInt16LittleEndian(units.AsSpan(i * 2), name[i]);
        return HashMark + Convert.ToHexStringLower(SHA256.HashData(units));
    }

    private static int BytesOf(string text)
    {
        try
        {
            return Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            return int.MaxValue;
        }
    }
}
