using System.Text;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>The bodies of every endpoint that takes one, and what no body may hold, as raw JSON.</summary>
internal static class Shapes
{
    public const string Missing = "(missing)";
    public const string Twice = "(twice)";

    private const string DeepArray = "(deep array)";
    private const string DeepObject = "(deep object)";
    private const string Huge = "99999999999999999999";

    private static readonly string[] Anything = ["null", "[]", "[1]", "{}", """{"a":1}""", DeepArray, DeepObject];
    private static readonly string[] BadText =
        [.. Anything, "12", "true", """
        "\ud800"
        """, """
        "a\udc00\ud800"
        """, """
        "\ud800\ud800"
        """, "\"a\u00ff\"", "\"\u00c0\u0080\"", "\"\u00ed\u00a0\u0080\""];

    private static readonly string[] BadWord = [.. BadText, "\"Shared\"", "\"\"", "\"0\""];
    private static readonly string[] BadFlag = [.. Anything, "1", "0", "\"true\""];
    private static readonly string[] BadInteger = [.. Anything, "\"5\"", "true", "1.5", "1.0", "1e3", "1e999", Huge, "-" + Huge];
    private static readonly string[] BadMilliseconds = [.. BadInteger, "9223372036854775807", "-9223372036854775808", "922337203685478"];
    private static readonly string[] BadCount = [.. BadInteger, "2147483648", "-2147483649"];
    private static readonly string[] BadTexts =
        ["null", "[]", "[1]", DeepArray, "12", "true", "\"a\"", """{"\ud800":"a"}""", "{\"\u00ff\":\"a\"}"];

    private static readonly string[] BadList = ["null", "{}", "12", "\"a\"", DeepObject];

    /// <summary>By endpoint: its fields, each with whether it is required, a good value and bad ones.</summary>
    public static IReadOnlyDictionary<string, Field[]> ByEndpoint { get; } = new Dictionary<string, Field[]>
    {
        ["acquire"] =
        [
            Text("resource"), Text("owner"), new("ttlMs", true, "30000", BadMilliseconds), new("mode", false, "\"exclusive\"", BadWord),
            new("capacity", false, "2", BadCount), new("waitMs", false, "0", BadMilliseconds),
            new("lockDelayMs", false, "0", BadMilliseconds), new("holdAtLeastMs", false, "0", BadMilliseconds),
            new("proof", false, "false", BadFlag), new("metadata", false, """{"a":"b"}""", BadTexts), RequestId,
        ],
        ["renew"] = Renew,
        ["renew-batch"] = [new("leases", true, $"[{Object(Renew)}]", BadList)],
        ["release"] = [Text("resource"), Text("owner"), Token(true)],
        ["transfer"] = [Text("resource"), Text("owner"), Token(true), Text("newOwner"), OptionalTtl, RequestId],
        ["break"] =
        [
            Text("resource"), new("graceMs", true, "0", BadMilliseconds), Text("reason"), Token(false),
            new("force", false, "true", BadFlag), RequestId,
        ],
    };

    public static Field[] Renew => [Text("resource"), Text("owner"), Token(true), OptionalTtl];

    private static Field RequestId => new("requestId", false, "\"id\"", BadText);

    private static Field OptionalTtl => new("ttlMs", false, "30000", BadMilliseconds);

    /// <summary>Every endpoint with each of its fields and each bad value of it.</summary>
    public static IEnumerable<(string Endpoint, string Field, string Value)> AllBad() =>
        from shape in ByEndpoint
        from field in shape.Value
        from value in field.Bad.Append(Twice).Concat(field.Required ? [Missing] : [])
        select (shape.Key, field.Name, value);

    /// <summary>A body with the required fields of an endpoint and one field as given.</summary>
    public static string BodyWith(string endpoint, string name, string value) => Object(ByEndpoint[endpoint], name, value);

    public static string Object(Field[] fields, string? name = null, string value = Missing)
    {
        var parts = new List<string>();
        foreach (var field in fields)
        {
            if (field.Name != name)
            {
                if (field.Required) parts.Add($"\"{field.Name}\":{field.Good}");
            }
            else if (value == Twice)
            {
                parts.Add($"\"{name}\":{field.Good}");
                parts.Add($"\"{name}\":{field.Good}");
            }
            else if (value != Missing)
            {
                parts.Add($"\"{name}\":{Expand(value)}");
            }
        }

        return "{" + string.Join(",", parts) + "}";
    }

    /// <summary>The bytes of a body in which a character up to U+00FF stands for a byte.</summary>
    public static byte[] Bytes(string body) => Encoding.Latin1.GetBytes(body);

    private static Field Text(string name) => new(name, true, $"\"{name}-a\"", BadText);

    private static Field Token(bool required) => new("token", required, "1", BadInteger);

    private static string Expand(string value) => value switch
    {
        DeepArray => new string('[', 100_000) + new string(']', 100_000),
        DeepObject => string.Concat(Enumerable.Repeat("{\"a\":", 50_000)) + "1" + new string('}', 50_000),
        _ => value,
    };

    internal sealed record Field(string Name, bool Required, string Good, string[] BadWhereRequired)
    {
        // An optional field that is null is absent.
        public IEnumerable<string> Bad => Required ? BadWhereRequired : BadWhereRequired.Where(value => value != "null");
    }
}
