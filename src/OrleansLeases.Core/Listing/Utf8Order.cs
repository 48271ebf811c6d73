using System.Text;

namespace OrleansLeases.Core;

/// <summary>The byte order of names in UTF-8. It differs from that of .NET's UTF-16 strings where surrogates meet U+E000 and above.</summary>
public sealed class Utf8Order : IComparer<string>
{
    /// <summary>The only one.</summary>
    public static readonly Utf8Order Instance = new();

    private Utf8Order()
    {
    }

    /// <inheritdoc/>
    public int Compare(string? x, string? y) =>
        Encoding.UTF8.GetBytes(x ?? "").AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y ?? ""));
}
