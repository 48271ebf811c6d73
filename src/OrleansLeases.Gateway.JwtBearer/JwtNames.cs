using System.Buffers.Text;
using System.Text.Json;

namespace OrleansLeases.Gateway.JwtBearer;

/// <summary>
/// The names in the claims of a token, as its issuer has written them. The claims of .NET make one text of 7 and "7", and of a list with
/// one name that name; a user who may choose a name at the issuer could be another principal here. Decision claims-are-texts.
/// </summary>
internal sealed class JwtNames
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false };

    private JwtNames(string? principal, IReadOnlyList<string> groups) => (Principal, Groups) = (principal, groups);

    /// <summary>The claim of the principal; null where it is not one text.</summary>
    public string? Principal { get; }

    /// <summary>The groups: one text, or the texts of a list. What is none names no group.</summary>
    public IReadOnlyList<string> Groups { get; }

    /// <summary>Reads the names.</summary>
    /// <param name="payload">The claims of a token whose signature is good, as they were encoded.</param>
    /// <param name="principalClaim">The claim with the principal.</param>
    /// <param name="groupsClaim">The claim with the groups; null for none.</param>
    /// <returns>The names; null where the claims cannot be read, such as with one that is there twice.</returns>
    public static JwtNames? Read(string payload, string principalClaim, string? groupsClaim)
    {
        try
        {
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(payload), Options);
            var principal = claims.RootElement.TryGetProperty(principalClaim, out var name) ? TextOf(name) : null;
            return new(
                principal, groupsClaim is not null && claims.RootElement.TryGetProperty(groupsClaim, out var groups)
                    ? GroupsOf(groups, groupsClaim)
                    : []);
        }
        // Half a surrogate pair is JSON, and no text.
        catch (Exception malformed) when (malformed is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    // For the claims that OAuth has for it, one text with spaces between the names.
    private static string[] GroupsOf(JsonElement groups, string claim)
    {
        var names = (groups.ValueKind == JsonValueKind.Array ? groups.EnumerateArray().Select(TextOf) : [TextOf(groups)]).OfType<string>();
        if (claim is "scope" or "scp") names = names.SelectMany(name => name.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return [.. names];
    }

    private static string? TextOf(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
