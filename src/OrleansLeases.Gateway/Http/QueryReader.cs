using System.Globalization;
using Microsoft.AspNetCore.Http;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Http;

/// <summary>Reads the query and collects everything that is wrong with it, by parameter.</summary>
internal struct QueryReader
{
    private readonly Dictionary<string, string>? _values;

    /// <param name="context">The call.</param>
    /// <param name="names">The parameters that it takes.</param>
    /// <param name="errors">Takes what is wrong.</param>
    public QueryReader(HttpContext context, FieldNames names, ref FieldErrors errors)
    {
        var query = context.Request.QueryString;
        if (!query.HasValue) return;
        _values = new(StringComparer.Ordinal);
        var rest = query.Value.AsSpan(1);
        foreach (var range in rest.Split('&'))
        {
            var pair = rest[range];
            if (!pair.IsEmpty) Read(pair, names, ref errors);
        }
    }

    /// <summary>What is wrong with a parameter that is none of these.</summary>
    public static string IsUnknown(FieldNames names) => $"is no parameter of this; it takes {names.Listed}";

    public readonly string? Text(string name) => _values?.GetValueOrDefault(name);

    public readonly bool? Boolean(string name, ref FieldErrors errors)
    {
        if (Text(name) is not { } text) return null;
        if (text is "true" or "false") return text == "true";
        errors.Add(name, $"takes true or false, was '{FieldErrors.Shorten(text)}'");
        return null;
    }

    public readonly int? Count(string name, ref FieldErrors errors)
    {
        if (Text(name) is not { } text) return null;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)) return value;
        errors.Add(name, $"takes an integer, was '{FieldErrors.Shorten(text)}'");
        return null;
    }

    public readonly long? Integer(string name, ref FieldErrors errors)
    {
        if (Text(name) is not { } text) return null;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)) return value;
        errors.Add(name, $"takes an integer, was '{FieldErrors.Shorten(text)}'");
        return null;
    }

    public readonly T? Word<T>(string name, ref FieldErrors errors)
        where T : struct, Enum
    {
        if (Text(name) is not { } text) return null;
        if (KebabEnum<T>.TryParse(text, out var value)) return value;
        errors.Add(name, $"takes one of {KebabEnum<T>.Listed}, was '{FieldErrors.Shorten(text)}'");
        return null;
    }

    private readonly void Read(ReadOnlySpan<char> pair, FieldNames names, ref FieldErrors errors)
    {
        var equals = pair.IndexOf('=');
        var encodedName = equals < 0 ? pair : pair[..equals];
        if (!PercentEncoding.TryDecode(encodedName, plusIsSpace: true, out var name, out _))
        {
            errors.Add(FieldErrors.Shorten(encodedName.ToString()), IsUnknown(names));
            return;
        }

        if (names.IndexOf(name) < 0)
            errors.Add(name, IsUnknown(names));
        else if (_values!.ContainsKey(name))
            errors.Add(name, "is given more than once");
        else if (PercentEncoding.TryDecode(equals < 0 ? "" : pair[(equals + 1)..], plusIsSpace: true, out var value, out var problem))
            _values.Add(name, value);
        else
            errors.Add(name, problem);
    }
}
