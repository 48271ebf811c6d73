using System.Text.Json;

namespace OrleansLeases.Gateway.Json;

/// <summary>The words of an enumeration as they are on the wire.</summary>
internal static class KebabEnum<T>
    where T : struct, Enum
{
    private static readonly Dictionary<string, T> ByWord = Enum.GetValues<T>()
        .ToDictionary(value => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString()), StringComparer.Ordinal);

    /// <summary>All of them, for a message.</summary>
    public static string Listed { get; } = string.Join(", ", ByWord.Keys.Select(word => $"'{word}'"));

    public static bool TryParse(string word, out T value) => ByWord.TryGetValue(word, out value);
}
