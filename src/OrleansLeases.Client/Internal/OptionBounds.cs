using System.Globalization;

namespace OrleansLeases.Client.Internal;

/// <summary>Checks numbers and times of options.</summary>
internal static class OptionBounds
{
    /// <summary>What is wrong with a value; null where nothing is.</summary>
    public static string? Fault<T>(string name, T value, T least, T most)
        where T : IComparable<T> => value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; it takes {least} to {most}.");
}
