using System.Globalization;
using System.Text.Json;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>
/// The schemas of the OpenAPI document, and whether a value is as one of them says. Stricter than JSON Schema: a field that the schema
/// does not name is an error, and so is a keyword that this does not know.
/// </summary>
internal sealed class DocumentSchemas(JsonElement document)
{
    private static readonly HashSet<string> Keywords =
    [
        "$ref", "type", "format", "enum", "required", "properties", "additionalProperties", "items", "minimum", "maximum", "description",
    ];

    private readonly JsonElement _schemas = document.GetProperty("components").GetProperty("schemas");

    /// <summary>Fails where a value is not as its schema says.</summary>
    public void Check(JsonElement value, JsonElement schema, string where)
    {
        if (schema.TryGetProperty("$ref", out var reference))
            schema = _schemas.GetProperty(reference.GetString()!.Split('/')[^1]);
        foreach (var keyword in schema.EnumerateObject()) Assert.Contains(keyword.Name, Keywords);
        if (schema.TryGetProperty("type", out var type))
            Assert.True(IsOfType(value, type.GetString()!), $"{where} is no {type}: {value.GetRawText()}");
        if (schema.TryGetProperty("format", out var format))
            Assert.True(HasFormat(value, format.GetString()!), $"{where} is no {format}: {value.GetRawText()}");
        if (schema.TryGetProperty("minimum", out var least)) Assert.True(value.GetInt64() >= least.GetInt64(), $"{where} is too small.");
        if (schema.TryGetProperty("maximum", out var most)) Assert.True(value.GetInt64() <= most.GetInt64(), $"{where} is too large.");
        if (schema.TryGetProperty("enum", out var words))
            Assert.Contains(value.GetString(), words.EnumerateArray().Select(word => word.GetString()));
        if (value.ValueKind == JsonValueKind.Array)
            foreach (var item in value.EnumerateArray()) Check(item, schema.GetProperty("items"), $"{where}[]");
        if (value.ValueKind == JsonValueKind.Object) CheckFields(value, schema, where);
    }

    private void CheckFields(JsonElement value, JsonElement schema, string where)
    {
        if (schema.TryGetProperty("required", out var required))
            foreach (var field in required.EnumerateArray())
                Assert.True(value.TryGetProperty(field.GetString()!, out _), $"{where} has no {field}.");

        // An object of which nothing is said has any fields.
        if (!schema.TryGetProperty("properties", out var properties) && !schema.TryGetProperty("additionalProperties", out _)) return;
        foreach (var field in value.EnumerateObject())
        {
            if (properties.ValueKind != JsonValueKind.Object || !properties.TryGetProperty(field.Name, out var type))
            {
                Assert.True(
                    schema.TryGetProperty("additionalProperties", out type) && type.ValueKind == JsonValueKind.Object,
                    $"{where} has the field {field.Name}, which its schema does not have.");
            }

            Check(field.Value, type, $"{where}.{field.Name}");
        }
    }

    private static bool IsOfType(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        _ => false,
    };

    private static bool HasFormat(JsonElement value, string format) => format switch
    {
        "int32" => value.TryGetInt32(out _),
        "int64" => value.TryGetInt64(out _),
        "date-time" => DateTimeOffset.TryParse(value.GetString(), CultureInfo.InvariantCulture, out _),
        _ => false,
    };
}
