using System.Collections;
using System.Globalization;

namespace OrleansLeases.GrainInterfaces.Tests;

/// <summary>A value in full as text: records compare their lists and dictionaries by reference, this by content.</summary>
internal static class Shape
{
    public static string Of(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        TimeSpan span => span.ToString("c", CultureInfo.InvariantCulture),
        DateTimeOffset time => time.ToString("O", CultureInfo.InvariantCulture),
        Enum or IConvertible => $"{value.GetType().Name} {Convert.ToString(value, CultureInfo.InvariantCulture)}",
        IReadOnlyDictionary<string, string> entries => OfEntries(entries),
        IReadOnlyDictionary<string, string[]> entries => OfEntries(entries),
        IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(Of))}]",
        _ when value.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(LeaseResult<>) =>
            OfResult(value),
        _ =>
            $"{value.GetType().Name} {{ {string.Join(
                ", ", Contracts.PropertiesOf(value.GetType()).Select(property => $"{property.Name} = {Of(property.GetValue(value))}"))} }}",
    };

    private static string OfEntries<T>(IReadOnlyDictionary<string, T> entries) =>
        $"{{ {string.Join(
            ", ", entries.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{Of(entry.Key)}: {Of(entry.Value)}"))} }}";

    private static string OfResult(object result)
    {
        if (result.Equals(Activator.CreateInstance(result.GetType()))) return "no result";
        var refusal = result.GetType().GetProperty(nameof(LeaseResult<>.Refusal))!.GetValue(result);
        return $"result {Of(refusal ?? result.GetType().GetProperty(nameof(LeaseResult<>.Value))!.GetValue(result))}";
    }
}
