namespace OrleansLeases.Gateway.Access;

/// <summary>What an access file says of client certificates.</summary>
internal sealed record CertificateText
{
    private const string Uri = "uri";

    /// <summary>A file with the certificates of those that issue them, as PEM.</summary>
    public string? Authorities { get; set; }

    /// <summary>A file with lists of those that were revoked, as PEM; null for none.</summary>
    public string? Revoked { get; set; }

    /// <summary>Which of its names is the principal's: <c>cn</c>, <c>dns</c> or <c>uri</c>.</summary>
    public string? Principal { get; set; }

    /// <summary>What stands before the principal in a URI, such as <c>spiffe://example.org/</c>.</summary>
    public string? UriPrefix { get; set; }

    /// <summary>What is wrong, with the remedy.</summary>
    public string? Problem()
    {
        if (Authorities is not { Length: > 0 })
            return "'certificates' lacks 'authorities': the file with the certificates of those that issue them, as PEM.";
        if (Revoked is "") return "'revoked' of 'certificates' is empty; name a file, or leave it out.";
        if (Principal is not ("cn" or "dns" or Uri))
        {
            return $"'certificates' has '{Principal}' as 'principal'; it takes cn, the common name of the subject, or dns or uri, its "
                + "alternative names.";
        }

        if (Principal != Uri) return UriPrefix is null ? null : "'uriPrefix' goes with the principal 'uri'; leave it out.";
        return UriPrefix is { Length: > 0 } && UriPrefix.EndsWith('/') && System.Uri.TryCreate(UriPrefix, UriKind.Absolute, out _) ? null
            : "'certificates' takes the principal from a uri, and 'uriPrefix' is not what stands before it, such as "
                + "'spiffe://example.org/'.";
    }

    /// <summary>The name of the principal that a certificate is for.</summary>
    /// <returns>The name, or what is wrong with it.</returns>
    public (string? Principal, string? Problem) PrincipalOf(CertificateNames names)
    {
        var (found, kind) = Principal switch
        {
            "cn" => (names.CommonNames, "common name in its subject"),
            "dns" => (names.DnsNames, "DNS name among its alternative names"),
            _ => (names.Uris, "URI among its alternative names"),
        };
        // With a choice, which of them the rules are for would be the choice of whoever had it issued.
        if (found is not [var name]) return (null, $"it has {(found.Count == 0 ? "no" : "more than one")} {kind}");
        if (Principal == Uri)
        {
            if (!name.StartsWith(UriPrefix!, StringComparison.Ordinal)) return (null, $"its URI does not begin with '{UriPrefix}'");
            name = name[UriPrefix!.Length..];
        }

        // DNS knows no case, and a certificate for all names below one is for nobody in particular.
        if (Principal == "dns") name = name.ToLowerInvariant();
        return !PrincipalName.IsValid(name) || name.Contains('*')
            ? (null, $"its {kind} is no name of a principal: {PrincipalName.Form}")
            : (name, null);
    }
}
