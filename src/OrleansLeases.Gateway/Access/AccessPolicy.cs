using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace OrleansLeases.Gateway.Access;

/// <summary>The rules of an access file, as they were when it was read. Thread-safe.</summary>
internal sealed class AccessPolicy
{
    /// <summary>In a rule, every principal that has a credential.</summary>
    public const string Everybody = "*";

    // The rights of so many principals are kept ready.
    private const int MostRemembered = 10_000;

    private readonly ConcurrentDictionary<string, AccessRights> _known = new(StringComparer.Ordinal);
    private readonly FrozenDictionary<string, KeyText>.AlternateLookup<ReadOnlySpan<char>> _keys;
    private readonly FrozenSet<string> _groups;
    private readonly AccessText _text;

    /// <param name="text">The file.</param>
    /// <param name="jwt">What verifies JWTs as it says; null for none.</param>
    /// <param name="certificates">What it says of client certificates, with its authorities; null for none.</param>
    public AccessPolicy(AccessText text, IJwtVerifier? jwt = null, ClientCertificates? certificates = null)
    {
        (_text, Jwt, Certificates) = (text, jwt, certificates);
        _groups = text.Groups.Keys.Concat(text.Rules.Select(rule => rule.Value.Group).OfType<string>())
            .Concat(text.Quotas.Select(quota => quota.Value.Group).OfType<string>()).ToFrozenSet(StringComparer.Ordinal);
        var kinds = jwt is null ? "an API key" : "an API key or a JWT";
        var shown = certificates is null ? "" : ", or show a client certificate";
        NoCredential = new(
            $"The call has no credential, and this service wants one: send the header 'Authorization: Bearer …' with {kinds}{shown}.");
        NoBearer = new($"The header Authorization is not 'Bearer …' with {kinds}. An API key begins with 'olk_'.");
        _keys = text.Keys.ToFrozenDictionary(key => key.Value.Id!, key => key.Value, StringComparer.Ordinal)
            .GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Answers a call without a credential.</summary>
    public Refusal.Unauthorized NoCredential { get; }

    /// <summary>Answers a call whose header has none of the kinds that are taken.</summary>
    public Refusal.Unauthorized NoBearer { get; }

    /// <summary>Verifies JWTs; null where none are taken.</summary>
    public IJwtVerifier? Jwt { get; }

    /// <summary>Whom client certificates are for; null where none are taken.</summary>
    public ClientCertificates? Certificates { get; }

    /// <summary>The key of an id that is in the file itself; null where there is none.</summary>
    public KeyText? KeyOf(ReadOnlySpan<char> id) => _keys.TryGetValue(id, out var key) ? key : null;

    /// <summary>What a principal may do.</summary>
    /// <param name="principal">Its name.</param>
    /// <param name="groups">The groups that its credential says it is in, besides those that the file puts it in.</param>
    /// <exception cref="ArgumentException">The name is no principal's.</exception>
    public AccessRights RightsOf(string principal, IReadOnlyList<string> groups)
    {
        // A directory puts people into hundreds of groups of which the rules know a few.
        if (groups.Count > 0) groups = [.. groups.Where(_groups.Contains)];
        var key = groups.Count == 0 ? principal : $"{principal}\0{string.Join('\0', groups)}";
        if (_known.TryGetValue(key, out var rights)) return rights;
        if (_known.Count >= MostRemembered) _known.Clear();
        return _known.GetOrAdd(key, _ => Find(principal, groups));
    }

    private AccessRights Find(string principal, IReadOnlyList<string> groups)
    {
        var all = groups.Concat(_text.Groups.Where(group => group.Value.Contains(principal)).Select(group => group.Key)).ToHashSet();
        bool Is(WhoText who) => who.Principal == principal || who.Principal == Everybody || (who.Group is { } group && all.Contains(group));
        // Of several quotas for one prefix the principal's own counts, else that of the first of its groups.
        var quotas = _text.Quotas.Select(quota => quota.Value).Where(Is)
            .OrderBy(quota => quota.Principal is null).DistinctBy(quota => quota.PathOrAll).Select(quota => quota.ToRule());
        return new AccessRights(principal, _text.Rules.Select(rule => rule.Value).Where(Is).Select(rule => rule.ToRule()), quotas);
    }
}
