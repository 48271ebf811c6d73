using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace OrleansLeases.Gateway.Access;

/// <summary>What an access file says, as it is written there.</summary>
internal sealed partial record AccessText
{
    public Dictionary<string, string[]> Groups { get; set; } = [];

    public Located<RuleText>[] Rules { get; set; } = [];

    public Located<QuotaText>[] Quotas { get; set; } = [];

    public Located<KeyText>[] Keys { get; set; } = [];

    public Located<JwtText>? Jwt { get; set; }

    public Located<CertificateText>? Certificates { get; set; }

    /// <summary>Reads a file.</summary>
    /// <param name="utf8">Its text.</param>
    /// <param name="file">Its name, for what is wrong.</param>
    /// <exception cref="InvalidDataException">It is wrong; the message has the line and the reason.</exception>
    public static AccessText Read(ReadOnlySpan<byte> utf8, string file)
    {
        if (utf8.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
        AccessText text;
        try
        {
            text = JsonSerializer.Deserialize(utf8, AccessJson.Default.AccessText) ?? throw new JsonException("It is null.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{file}({(error.LineNumber ?? 0) + 1}): {Plain(error.Message)}");
        }
        catch (WrongEntryException error)
        {
            throw Wrong(utf8, file, error.At, Plain(error.Message));
        }

        foreach (var (at, problem) in text.Problems()) throw Wrong(utf8, file, at, problem);
        return text;
    }

    /// <summary>Says what is wrong with a file, and in which line.</summary>
    public static InvalidDataException Wrong(ReadOnlySpan<byte> utf8, string file, long at, string problem) =>
        new($"{file}({LineOf(utf8, at)}): {problem}");

    private IEnumerable<(long At, string Problem)> Problems()
    {
        foreach (var (group, members) in Groups)
        {
            if (members is null || members.Contains(null!))
                yield return (0, $"The group '{group}' has null in it; it takes a list of names.");
        }

        foreach (var rule in Rules)
            if (rule.Value.Problem() is { } problem) yield return (rule.At, problem);
        foreach (var quota in Quotas)
            if (quota.Value.Problem() is { } problem) yield return (quota.At, problem);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in Keys)
        {
            if (key.Value.Problem() is { } problem) yield return (key.At, problem);
            else if (!ids.Add(key.Value.Id!)) yield return (key.At, $"The key '{key.Value.Id}' is there twice.");
        }

        if (Jwt is { } jwt && jwt.Value.Problem() is { } problemOfJwt) yield return (jwt.At, problemOfJwt);
        if (Certificates is { } certificates && certificates.Value.Problem() is { } wrong) yield return (certificates.At, wrong);
    }

    private static int LineOf(ReadOnlySpan<byte> utf8, long at) => 1 + utf8[..(int)at].Count((byte)'\n');

    // The serializer's own words name types of .NET.
    private static string Plain(string message)
    {
        if (UnknownField().Match(message) is { Success: true } unknown) return $"There is no field '{unknown.Groups[1]}' here.";
        if (TwiceField().Match(message) is { Success: true } twice) return $"The field '{twice.Groups[1]}' is there twice.";
        if (NullField().Match(message) is { Success: true } empty) return $"The field '{empty.Groups[1]}' is null; leave it out.";
        if (message.Contains("could not be converted", StringComparison.Ordinal)) return "A value is of the wrong type.";
        return message.Split(" Path: ")[0];
    }

    [GeneratedRegex("^The JSON property '([^']*)' could not be mapped")]
    private static partial Regex UnknownField();

    [GeneratedRegex("^The property or field '([^']*)'")]
    private static partial Regex NullField();

    [GeneratedRegex("^Duplicate property '([^']*)'")]
    private static partial Regex TwiceField();
}

/// <summary>Whom a rule or quota is for.</summary>
internal abstract record WhoText
{
    public string? Principal { get; set; }

    public string? Group { get; set; }

    public string? Prefix { get; set; }

    /// <summary>The prefix without a slash at its end, which says nothing.</summary>
    public string PathOrAll => Prefix is null ? "" : Prefix.EndsWith('/') ? Prefix[..^1] : Prefix;

    /// <summary>A principal that it is for.</summary>
    protected string Someone => Principal is null or AccessPolicy.Everybody ? "someone" : Principal;

    /// <summary>What is wrong, with the remedy.</summary>
    public virtual string? Problem()
    {
        if (Principal is null == Group is null) return "It takes either 'principal' or 'group'.";
        if (Prefix is null) return "It lacks 'prefix'; \"\" is for all names.";
        if (Prefix == "/") return "Its 'prefix' is '/'; it takes \"\" for all names, or their first segments.";
        return null;
    }

    public static string? ProblemOf(Action make)
    {
        try
        {
            make();
            return null;
        }
        catch (ArgumentException error)
        {
            return error.Message;
        }
    }
}

/// <summary>A rule of the file.</summary>
internal sealed record RuleText : WhoText
{
    private static readonly Dictionary<string, LeaseRights> Known = new(StringComparer.Ordinal)
    {
        ["read"] = LeaseRights.Read, ["hold"] = LeaseRights.Hold, ["break"] = LeaseRights.Break,
        ["keys"] = LeaseRights.Keys, ["admin"] = LeaseRights.Admin,
    };

    public string[]? Verbs { get; set; }

    public string[] Owners { get; set; } = [];

    public override string? Problem()
    {
        if (base.Problem() is { } problem) return problem;
        if (Verbs is not { Length: > 0 }) return $"It lacks 'verbs': {Words}.";
        if (Verbs.Contains(null!) || Owners.Contains(null!)) return "A list has null in it; take it out.";
        if (Verbs.FirstOrDefault(verb => !Known.ContainsKey(verb)) is { } unknown) return $"'{unknown}' is no verb; it takes {Words}.";
        return ProblemOf(() => _ = new AccessRights(Someone, [ToRule()]));
    }

    public AccessRule ToRule() => new()
    {
        Prefix = PathOrAll, Rights = Verbs!.Aggregate(LeaseRights.None, (rights, verb) => rights | Known[verb]), Owners = Owners,
    };

    private static string Words => string.Join(", ", Known.Keys);
}

/// <summary>A quota of the file.</summary>
internal sealed record QuotaText : WhoText
{
    public int? Leases { get; set; }

    public int? Waits { get; set; }

    public int? Watches { get; set; }

    public int? Keys { get; set; }

    public long? KeyBytes { get; set; }

    public int? FreshNamesPerMinute { get; set; }

    public int? CallsPerSecond { get; set; }

    public override string? Problem()
    {
        if (base.Problem() is { } problem) return problem;
        long?[] bounds = [Leases, Waits, Watches, Keys, KeyBytes, FreshNamesPerMinute, CallsPerSecond];
        if (bounds.All(bound => bound is null))
            return "It bounds nothing; it takes leases, waits, watches, keys, keyBytes, freshNamesPerMinute, callsPerSecond.";
        if (bounds.Any(bound => bound < 0)) return "A bound is below 0; it takes 0 or more.";
        return ProblemOf(() => _ = new AccessRights(Someone, [], [ToRule()]));
    }

    public QuotaRule ToRule() => new()
    {
        Prefix = PathOrAll, Leases = Leases, Waits = Waits, Watches = Watches, Keys = Keys, KeyBytes = KeyBytes,
        FreshNamesPerMinute = FreshNamesPerMinute, CallsPerSecond = CallsPerSecond,
    };
}

/// <summary>An API key that is in the file itself: the first one, or all that a service without a store of its own has.</summary>
internal sealed record KeyText
{
    public string? Id { get; set; }

    public string? Name { get; set; }

    public string? Principal { get; set; }

    /// <summary>The hash of the whole key, in hexadecimal digits.</summary>
    public string? Sha256 { get; set; }

    public DateTimeOffset? Expires { get; set; }

    [JsonIgnore]
    public byte[] Hash => Convert.FromHexString(Sha256!);

    public string? Problem()
    {
        const string Remedy = "; `leases token create NAME --principal P --for-file` prints one.";
        // Not quoted: it may be the whole key that somebody has pasted there.
        if (!ApiKeyText.IsId(Id)) return $"A key's 'id' takes {ApiKeyText.IdLength} hexadecimal digits{Remedy}";
        if (Sha256 is not { Length: 64 } || Sha256.Any(c => !char.IsAsciiHexDigit(c)))
            return $"The key '{Id}' has no 'sha256' of 64 hexadecimal digits{Remedy}";
        return WhoText.ProblemOf(() => _ = new AccessRights(Principal!, []));
    }
}

/// <summary>A value and where in the text it begins.</summary>
internal readonly record struct Located<T>(T Value, long At);

/// <summary>Reads a value with its place.</summary>
internal sealed class LocatedConverter<T> : JsonConverter<Located<T>>
    where T : class
{
    public override Located<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var at = reader.TokenStartIndex;
        try
        {
            var value = JsonSerializer.Deserialize(ref reader, (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T)));
            return new(value ?? throw new JsonException("A list has null in it; take it out."), at);
        }
        catch (JsonException error)
        {
            throw new WrongEntryException(at, error.Message);
        }
    }

    public override void Write(Utf8JsonWriter writer, Located<T> value, JsonSerializerOptions options) => throw new NotSupportedException();
}

/// <summary>An entry of a list that cannot be read.</summary>
internal sealed class WrongEntryException(long at, string message) : Exception(message)
{
    /// <summary>Where it begins.</summary>
    public long At => at;
}

/// <summary>The JSON of an access file: with comments and commas at the end, and without unknown fields.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    AllowTrailingCommas = true,
    ReadCommentHandling = JsonCommentHandling.Skip,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters =
    [
        typeof(LocatedConverter<RuleText>), typeof(LocatedConverter<QuotaText>), typeof(LocatedConverter<KeyText>),
        typeof(LocatedConverter<JwtText>), typeof(LocatedConverter<CertificateText>),
    ])]
[JsonSerializable(typeof(AccessText))]
[JsonSerializable(typeof(RuleText))]
[JsonSerializable(typeof(QuotaText))]
[JsonSerializable(typeof(KeyText))]
[JsonSerializable(typeof(JwtText))]
[JsonSerializable(typeof(CertificateText))]
internal sealed partial class AccessJson : JsonSerializerContext;
