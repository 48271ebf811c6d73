using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace OrleansLeases.Cli.Printing;

/// <summary>
/// JSON as YAML in lines of its own: what is a string in the one is a string in the other, for readers of YAML 1.1 and 1.2. Decision
/// yaml-of-the-json.
/// </summary>
internal static partial class YamlText
{
    private const int Step = 2;

    // Of escapes, each of ten characters, it makes less than that.
    private const int LongestKey = 100;

    /// <summary>A document, with the end of its last line.</summary>
    public static string Of(string json)
    {
        using var document = JsonDocument.Parse(json);
        var text = new StringBuilder();
        AppendLines(text, document.RootElement, indent: 0, isBegun: false);
        return text.ToString();
    }

    /// <param name="text">Takes the lines.</param>
    /// <param name="value">What they say.</param>
    /// <param name="indent">Where they begin.</param>
    /// <param name="isBegun">Whether the first one has begun already, as behind a dash.</param>
    private static void AppendLines(StringBuilder text, JsonElement value, int indent, bool isBegun)
    {
        if (IsInline(value))
        {
            Append(text, value);
            text.Append('\n');
        }
        else if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in value.EnumerateArray())
            {
                Begin();
                text.Append("- ");
                AppendLines(text, item, indent + Step, isBegun: true);
            }
        }
        else
        {
            foreach (var field in value.EnumerateObject())
            {
                Begin();
                // YAML takes up to 1,024 characters for a key as such.
                var isLong = field.Name.Length > LongestKey;
                if (isLong) text.Append("? ");
                Append(text, field.Name);
                if (isLong) text.Append('\n').Append(' ', indent);
                text.Append(':').Append(IsInline(field.Value) ? ' ' : '\n');
                AppendLines(
                    text, field.Value, field.Value.ValueKind == JsonValueKind.Array ? indent : indent + Step, IsInline(field.Value));
            }
        }

        void Begin()
        {
            if (!isBegun) text.Append(' ', indent);
            isBegun = false;
        }
    }

    private static bool IsInline(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        _ => true,
    };

    // Empty lists and objects, numbers and words are written as in JSON.
    private static void Append(StringBuilder text, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String) Append(text, value.GetString()!);
        else text.Append(value.GetRawText());
    }

    private static void Append(StringBuilder text, string value)
    {
        if (Plain().IsMatch(value) && !Word().IsMatch(value))
        {
            text.Append(value);
            return;
        }

        text.Append('"');
        VisibleText.Visit(value, (part, isShown) => text.Append(part switch
        {
            "\"" or "\\" => $"\\{part}",
            "\n" => "\\n",
            // Neither is a character to YAML.
            "\ufffe" or "\uffff" => VisibleText.Escape(part),
            _ => isShown ? part : VisibleText.Escape(part),
        }));
        text.Append('"');
    }

    // Whatever has a meaning in YAML, or might be read as a number or a time, has another character or begins with none of these.
    [GeneratedRegex(@"\A[A-Za-z_/][A-Za-z0-9_./-]*\z")]
    private static partial Regex Plain();

    [GeneratedRegex(@"\A(?:null|true|false|yes|no|on|off|y|n)\z", RegexOptions.IgnoreCase)]
    private static partial Regex Word();
}
