namespace OrleansLeases.Core;

/// <summary>
/// The byte order of names in UTF-8. It differs from that of .NET's UTF-16 strings where surrogates meet U+E000 and above.
/// </summary>
internal sealed class Utf8Order : IComparer<string>
{
    /// <summary>The only one.</summary>
    public static readonly Utf8Order Instance = new();

    private Utf8Order()
    {
    }

    /// <inheritdoc/>
    public int Compare(string? x, string? y)
    {
        var one = x.AsSpan();
        var other = y.AsSpan();
        var same = one.CommonPrefixLength(other);
        return same == one.Length || same == other.Length
            ? one.Length.CompareTo(other.Length)
            : Rank(one[same]).CompareTo(Rank(other[same]));

        // A pair of surrogates is a character beyond all that one UTF-16 unit can be.
        static int Rank(char unit) => char.IsSurrogate(unit) ? unit + char.MaxValue : unit;
    }
}
