using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>Asks for an API key.</summary>
public sealed record CreateApiKeyRequest
{
    /// <summary>What it is called in listings: 1 to 128 characters.</summary>
    public required string Name { get; init; }

    /// <summary>The principal that its holder is: a path of segments, such as <c>ci</c> or <c>teams/billing</c>.</summary>
    public required string Principal { get; init; }

    /// <summary>How long it is valid; for ever where left out.</summary>
    [JsonPropertyName("expiresInMs")]
    public TimeSpan? ExpiresIn { get; init; }
}

/// <summary>An API key, without what proves it.</summary>
public record ApiKeyInfo
{
    /// <summary>What names it, also when it is revoked.</summary>
    public required string Id { get; init; }

    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>The principal.</summary>
    public required string Principal { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Until when it is valid; absent where for ever.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>When it was last used, to some minutes; absent where never.</summary>
    public DateTimeOffset? LastUsed { get; init; }
}

/// <summary>An API key that was just made.</summary>
public sealed record CreatedApiKey : ApiKeyInfo
{
    /// <summary>The credential itself. The service keeps a hash of it only: it is shown this once.</summary>
    public required string Token { get; init; }

    /// <summary>Names the key, and never its token.</summary>
    /// <returns>The id.</returns>
    public override string ToString() => Id;
}

/// <summary>All API keys of a service.</summary>
public sealed record ApiKeyList
{
    /// <summary>The keys, by name.</summary>
    public required IReadOnlyList<ApiKeyInfo> Tokens { get; init; }
}

/// <summary>An API key that is valid no longer.</summary>
public sealed record RevokedApiKey
{
    /// <summary>The key.</summary>
    public required string Id { get; init; }

    /// <summary>Whether there was such a key.</summary>
    public required bool Existed { get; init; }
}

/// <summary>Who the caller is, and what it may do.</summary>
public sealed record CallerInfo
{
    /// <summary>The principal; <c>anonymous</c> where the service wants no credentials.</summary>
    public required string Principal { get; init; }

    /// <summary>What it may do.</summary>
    public required IReadOnlyList<CallerRule> Rules { get; init; }

    /// <summary>What it may use up, at each server.</summary>
    public required IReadOnlyList<QuotaRule> Quotas { get; init; }
}

/// <summary>A rule that gives a caller rights.</summary>
public sealed record CallerRule
{
    /// <summary>The names it is for; empty for all.</summary>
    public required string Prefix { get; init; }

    /// <summary>The rights: <c>read</c>, <c>hold</c>, <c>break</c>, <c>keys</c>, <c>admin</c>.</summary>
    public required IReadOnlyList<string> Verbs { get; init; }

    /// <summary>The owners it may hold as; absent where they are the principal's own.</summary>
    public IReadOnlyList<string>? Owners { get; init; }
}
