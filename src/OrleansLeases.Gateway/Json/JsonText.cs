using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace OrleansLeases.Gateway.Json;

/// <summary>
/// The text of a JSON string. <see cref="Utf8JsonReader.GetString"/> throws where the bytes are not UTF-8 or a
/// surrogate is alone; here both are an answer.
/// </summary>
internal static class JsonText
{
    public static bool TryGet(ref readonly Utf8JsonReader json, [NotNullWhen(true)] out string? text)
    {
        text = null;
        if (!Utf8.IsValid(json.ValueSpan)) return false;
        if (!json.ValueIsEscaped)
        {
            text = Encoding.UTF8.GetString(json.ValueSpan);
            return true;
        }

        if (!SurrogatesArePaired(json.ValueSpan)) return false;
        text = json.GetString()!;
        return true;
    }

    private static bool SurrogatesArePaired(ReadOnlySpan<byte> escaped)
    {
        var high = false;
        while (!escaped.IsEmpty)
        {
            var isEscape = escaped[0] == '\\';
            var unit = isEscape && escaped[1] == 'u' ? UnitOf(escaped[2..6]) : '\0';
            if (high != char.IsLowSurrogate(unit)) return false;
            high = char.IsHighSurrogate(unit);
            escaped = escaped[(!isEscape ? 1 : escaped[1] == 'u' ? 6 : 2)..];
        }

        return !high;
    }

    private static char UnitOf(ReadOnlySpan<byte> hex) =>
        (char)ushort.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
