using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace OrleansLeases.Client.Internal;

/// <summary>What may follow <c>Bearer</c> in a header (RFC 6750). Nothing here names a token in a message.</summary>
internal static class BearerToken
{
    public const string Form = "it takes 1 to 16384 letters, digits and '-._~+/=', without spaces";

    private const int MaxLength = 16_384;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    public static bool IsValid([NotNullWhen(true)] string? token) =>
        token is { Length: > 0 and <= MaxLength } && !token.AsSpan().ContainsAnyExcept(Allowed);

    /// <summary>Reads a file with a token, which is read for each request: it is small, and may be replaced at any time.</summary>
    public static string Read(string file)
    {
        using var reader = new StreamReader(file);
        var text = new char[MaxLength + 2];
        return new string(text, 0, reader.ReadBlock(text)).Trim();
    }
}
