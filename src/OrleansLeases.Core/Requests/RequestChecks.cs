using System.Globalization;
using System.Text;

namespace OrleansLeases.Core;

/// <summary>Checks requests against the bounds of a service before they reach a keeper. A refusal names every bad field.</summary>
/// <param name="limits">The bounds.</param>
internal sealed partial class RequestChecks(LeaseLimits limits)
{
    private const int MaxRequestIdBytes = 128;
    private const int MaxMetadataEntries = 16;
    private const int MaxMetadataBytes = 2048;
    private const int MaxPageSize = 1000;
    private const int MaxValueBytes = 64 * 1024;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>
    /// What is wrong under any limits, for who does not know them yet. It must not reach a grain: on Orleans' wire half a surrogate pair
    /// becomes another character, and the grain would take the name for a good one.
    /// </summary>
    internal static RequestChecks OfAnyLimits { get; } = new(new LeaseLimits
    {
        MinTtl = TimeSpan.Zero,
        MaxTtl = TimeSpan.MaxValue,
        MaxWait = TimeSpan.MaxValue,
        MaxHolders = int.MaxValue,
        MaxWaiters = int.MaxValue,
        MaxBatch = 100_000,
    });

    private static void Page(ref Errors errors, string? prefix, string? after, int pageSize)
    {
        if (prefix is { Length: > 0 }) Name(ref errors, "prefix", prefix);
        if (after is not null) Name(ref errors, "after", after);
        if (pageSize is < 1 or > MaxPageSize) errors.Add("pageSize", $"pageSize is {pageSize}; it takes 1 to {MaxPageSize}.");
    }

    private static void Lease(ref Errors errors, string resource, string owner, long token)
    {
        Path(ref errors, "resource", resource);
        Name(ref errors, "owner", owner);
        Token(ref errors, token);
    }

    private static void Token(ref Errors errors, long token, string field = "token")
    {
        if (!Tokens.IsToken(token)) errors.Add(field, $"{field} is {token}; it takes 1 to {Tokens.Max}.");
    }

    private static void Path(ref Errors errors, string field, string? name)
    {
        if (!Name(ref errors, field, name)) return;
        if (Names.BadSegmentOf(name!) is not { } segment) return;
        var found = segment.Length == 0 ? "an empty segment" : $"the segment '{segment}'";
        errors.Add(
            field,
            $"{field} is '{Shown(name!)}', which has {found}; "
                + "a name is a path of segments joined by '/', none of them empty, '.' or '..'.");
    }

    private static bool Name(ref Errors errors, string field, string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            errors.Add(field, $"{field} is {(name is null ? "missing" : "empty")}; it takes 1 to {Names.MaxBytes} bytes of UTF-8.");
            return false;
        }

        // Nearly every name is short and plain.
        if (name.Length <= Names.MaxBytes && !name.AsSpan().ContainsAnyExceptInRange(' ', '~')) return true;
        if (Bytes(name) is not { } bytes)
        {
            errors.Add(field, $"{field} is not valid Unicode; it has half of a surrogate pair.");
            return false;
        }

        if (bytes > Names.MaxBytes)
        {
            errors.Add(field, $"{field} has {bytes} bytes of UTF-8; it takes 1 to {Names.MaxBytes}.");
            return false;
        }

        for (var i = 0; i < name.Length; i++)
        {
            if (!char.IsControl(name[i])) continue;
            errors.Add(field, $"{field} has the control character U+{(int)name[i]:X4} at position {i}; take it out.");
            return false;
        }

        return true;
    }

    private static void RequestId(ref Errors errors, string? requestId)
    {
        if (requestId is null) return;
        if (Bytes(requestId) is not { } bytes) errors.Add("requestId", "requestId is not valid Unicode; it has half of a surrogate pair.");
        else if (bytes is < 1 or > MaxRequestIdBytes)
            errors.Add("requestId", $"requestId has {bytes} bytes of UTF-8; it takes 1 to {MaxRequestIdBytes}.");
        else if (requestId.Any(char.IsControl)) errors.Add("requestId", "requestId has a control character; take it out.");
    }

    private static void Duration(ref Errors errors, string field, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value >= least && value <= most) return;
        errors.Add(field, string.Create(
            CultureInfo.InvariantCulture,
            $"{field} is {value.TotalMilliseconds}; it takes {least.TotalMilliseconds} to {most.TotalMilliseconds} milliseconds."));
    }

    private static int? Bytes(string text)
    {
        try
        {
            return Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            return null;
        }
    }

    private static string Shown(string name) => name.Length <= 80 ? name : name[..80] + "…";

    // Most requests are well-formed, so nothing is made until something is wrong.
    private struct Errors
    {
        private Dictionary<string, string[]>? _byField;

        public readonly Refusal? Refusal => _byField is null
            ? null
            : new Refusal.InvalidRequest(_byField, string.Join(' ', _byField.Values.SelectMany(messages => messages)));

        public void Add(string field, string message)
        {
            _byField ??= [];
            _byField[field] = _byField.TryGetValue(field, out var before) ? [.. before, message] : [message];
        }
    }
}
