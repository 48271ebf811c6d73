using System.Text;

namespace OrleansLeases.Gateway.Access;

/// <summary>What the name of a principal is, whoever says it: a request, a token or a certificate.</summary>
internal static class PrincipalName
{
    /// <summary>What a name takes.</summary>
    public const string Form =
        "1 to 512 bytes of segments joined by '/', none of them empty, '.' or '..', without control characters, and not '*'";

    /// <summary>Whether a text is one.</summary>
    public static bool IsValid(string? name) =>
        name is { Length: > 0 } and not AccessPolicy.Everybody
        && Names.BadSegmentOf(name) is null
        && !name.Any(char.IsControl)
        && Encoding.UTF8.GetByteCount(name) <= Names.MaxBytes;
}
