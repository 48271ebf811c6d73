using System.Net;

namespace OrleansLeases.Gateway.Access;

/// <summary>What an access file says of JWTs.</summary>
internal sealed record JwtText
{
    /// <summary>Who issues them, as their <c>iss</c> says.</summary>
    public string? Issuer { get; set; }

    /// <summary>Whom they are for: what their <c>aud</c> says of this service.</summary>
    public string? Audience { get; set; }

    /// <summary>Where the issuer publishes its keys, by OpenID Connect discovery.</summary>
    public string? Authority { get; set; }

    /// <summary>A file with its public keys instead, as JWKS or PEM.</summary>
    public string? Keys { get; set; }

    /// <summary>The claim that names the principal.</summary>
    public string PrincipalClaim { get; set; } = "sub";

    /// <summary>The claim that names the groups of the rules that the principal is in; null for none.</summary>
    public string? GroupsClaim { get; set; }

    /// <summary>What is wrong, with the remedy.</summary>
    public string? Problem()
    {
        if (Issuer is not { Length: > 0 }) return "'jwt' lacks 'issuer': what the claim 'iss' of the tokens says.";
        if (Audience is not { Length: > 0 }) return "'jwt' lacks 'audience': what the claim 'aud' of tokens for this service says.";
        if (Authority is null == Keys is null)
            return "'jwt' takes either 'authority', which publishes the issuer's keys, or 'keys', a file with them.";
        if (Keys is "") return "'keys' of 'jwt' is empty; name a file.";
        if (Authority is not null && !IsSafe(Authority))
            return $"'authority' of 'jwt' is '{Authority}'; it takes an https address, or an http one on this machine.";
        return PrincipalClaim.Length == 0 || GroupsClaim is "" ? "A claim of 'jwt' has no name; leave it out." : null;
    }

    /// <summary>Whether what is read from an address is its own: by https, or on this machine.</summary>
    public static bool IsSafe(string address) => Uri.TryCreate(address, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && IsLoopback(uri)));

    private static bool IsLoopback(Uri uri) =>
        uri.Host == "localhost" || (IPAddress.TryParse(uri.DnsSafeHost, out var address) && IPAddress.IsLoopback(address));
}
