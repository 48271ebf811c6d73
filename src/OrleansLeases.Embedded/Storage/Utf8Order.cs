using System.Text;

namespace OrleansLeases.Embedded;

/// <summary>The byte order of names in UTF-8. It differs from that of .NET's UTF-16 strings where surrogates meet U+E000 and above.</summary>
internal static class Utf8Order
{
    public static int Compare(string one, string other) =>
        Encoding.UTF8.GetBytes(one).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(other));
}
