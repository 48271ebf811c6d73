using System.Diagnostics.CodeAnalysis;

namespace OrleansLeases.Surrogates;

/// <summary>
/// The collections of the contracts as the types that cross fastest, whatever they are of. What is of that type already
/// is not copied, since contracts are not changed once they are made. Null stays null.
/// </summary>
internal static class WireCollections
{
    [return: NotNullIfNotNull(nameof(list))]
    public static T[]? Array<T>(IReadOnlyList<T>? list) => list as T[] ?? list?.ToArray();

    // A comparer of its own would have to cross as well, and might not exist on the other side; names are compared byte
    // by byte.
    [return: NotNullIfNotNull(nameof(entries))]
    public static Dictionary<string, T>? Dictionary<T>(IReadOnlyDictionary<string, T>? entries) => entries switch
    {
        null => null,
        Dictionary<string, T> plain when ReferenceEquals(plain.Comparer, EqualityComparer<string>.Default) => plain,
        _ => new(entries, null),
    };
}
