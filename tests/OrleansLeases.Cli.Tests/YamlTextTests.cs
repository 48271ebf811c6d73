using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using OrleansLeases.Cli.Printing;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace OrleansLeases.Cli.Tests;

/// <summary>JSON as YAML, read by a parser of YAML that is not ours.</summary>
public sealed partial class YamlTextTests
{
    // What a reader of YAML takes for something else than a string, or for none at all, where it stands without quotes.
    private static readonly string[] Nasty =
    [
        "", " ", "  a", "a ", "no", "No", "NO", "n", "y", "yes", "on", "Off", "null", "Null", "~", "true", "False", "1", "-1",
        "1e3", "0x1F", "017", "0o17", "1_000", "1.5", ".5", ".inf", "-.INF", ".nan", "+1", "12:30:45", "2026-03-01",
        "2026-03-01T12:00:00Z", "<<", "=", "-", "- a", "--- ", "---", "...", "?", "? a", ":", ": ", "a: b", "a:", ":a", "#",
        "# a", "a #b", "[a", "]", "{a", "}", "a, b", "*a", "&a", "!a", "!!str", "|", ">", "|-", "%a", "@a", "`a", "'", "''",
        "'a'", "\"", "\"a\"", "\\", "\\n", "a\nb", "\n", "a\n", "\r\n", "\ta", "a\tb", "\0", "\u0007", "\u001b[31mred",
        "\u007f", "\u0085", "\u009b", "\u00a0", "\u2028", "\u2029", "\ufeff", "\u202eevil", "\u2066", "\u200b", "\u3164",
        "\ufffe", "\uffff", "\ufffd", "\ue000", "é", "日本", "😀", "\U000e0041", "a/b.c-d_e", "jobs/nightly", "10.0.0.7", "e1",
        "_", "/", "../a",
    ];

    [Fact]
    public void Strings_OfAnyKind_AreTheSameStrings()
    {
        foreach (var text in Nasty.Append(new string('x', 70_000)))
        {
            // As a value, in a list, and as a name.
            var json = JsonSerializer.Serialize(new Dictionary<string, object> { [text] = text, ["list"] = new[] { text, text } });
            var yaml = YamlText.Of(json);

            Assert.Equal(Shape(json), Shape(Parse(yaml)));
            // And no terminal is steered by it.
            Assert.DoesNotMatch(@"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}-[\n]]", yaml);
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"a":{},"b":[],"c":null,"d":true,"e":9007199254740991,"f":-1}""")]
    [InlineData("""{"a":{"b":{"c":1},"d":[1,[2,[],{}],{"e":[{"f":1,"g":[3]}]}]},"h":"i"}""")]
    [InlineData("""[[1,2],[[3]],{"a":1,"b":{"c":2}}]""")]
    public void Values_OfEachKind_KeepTheirShape(string json) => Assert.Equal(Shape(json), Shape(Parse(YamlText.Of(json))));

    [Fact]
    public void Lists_AreWrittenAsKubectlWritesThem() => Assert.Equal(
        """
        leases:
        - resource: jobs/nightly
          holders:
          - owner: ann
            ttlMs: 30000
            keys: []
        - resource: "no"
        next: "1"

        """,
        YamlText.Of("""
            {"leases":[{"resource":"jobs/nightly","holders":[{"owner":"ann","ttlMs":30000,"keys":[]}]},{"resource":"no"}],"next":"1"}
            """));

    /// <summary>What YAML says, as JSON: by the rules of YAML 1.1 or 1.2, whichever takes more for a word or a number.</summary>
    internal static string Parse(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return JsonSerializer.Serialize(ValueOf(stream.Documents.Single().RootNode));
    }

    /// <summary>JSON without the freedom that its writers have.</summary>
    internal static string Shape(string json) => JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(json));

    private static object? ValueOf(YamlNode node) => node switch
    {
        YamlMappingNode map => map.Children.ToDictionary(child => (string)ValueOf(child.Key)!, child => ValueOf(child.Value)),
        YamlSequenceNode list => list.Children.Select(ValueOf).ToArray(),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: var text } => PlainOf(text!),
        var scalar => ((YamlScalarNode)scalar).Value,
    };

    private static object? PlainOf(string text) =>
        Null().IsMatch(text) ? null
        : Boolean().IsMatch(text) ? text.Equals("true", StringComparison.OrdinalIgnoreCase)
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
        : Number().IsMatch(text) ? new { isNumber = text }
        : text;

    [GeneratedRegex(@"^(?:~|null|Null|NULL|)$")]
    private static partial Regex Null();

    [GeneratedRegex("^(?:y|n|yes|no|true|false|on|off)$", RegexOptions.IgnoreCase)]
    private static partial Regex Boolean();

    [GeneratedRegex(@"^[-+]?(?:[0-9.]|\.inf|\.nan).*$", RegexOptions.IgnoreCase)]
    private static partial Regex Number();
}
