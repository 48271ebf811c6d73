using System.Globalization;
using System.Text;

namespace OrleansLeases.Client.Internal;

/// <summary>Checks numbers and times of options.</summary>
internal static class OptionBounds
{
    /// <summary>What is wrong with a value; null where nothing is.</summary>
    public static string? Fault<T>(string name, T value, T least, T most)
        where T : IComparable<T> => value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; it takes {least} to {most}.");

    /// <summary>What is wrong with the name of a resource; null where nothing is that the service would refuse by its form.</summary>
    /// <param name="name">What has the value.</param>
    /// <param name="value">The value.</param>
    /// <param name="example">A name that fits.</param>
    public static string? NameFault(string name, string? value, string example) =>
        !string.IsNullOrEmpty(value) && Encoding.UTF8.GetByteCount(value) <= Names.MaxBytes && Names.BadSegmentOf(value) is null
            ? null
            : $"{name} is '{value}'; it takes a path of 1 to {Names.MaxBytes} bytes without empty, . or .. segments, such as {example}.";
}
