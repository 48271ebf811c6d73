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
    private readonly AccessText _text;

    public AccessPolicy(AccessText text)
    {
        _text = text;
        _keys = text.Keys.ToFrozenDictionary(key => key.Value.Id!, key => key.Value, StringComparer.Ordinal)
            .GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The key of an id that is in the file itself; null where there is none.</summary>
    public KeyText? KeyOf(ReadOnlySpan<char> id) => _keys.TryGetValue(id, out var key) ? key : null;

    /// <summary>What a principal may do.</summary>
    /// <param name="principal">Its name.</param>
    /// <param name="groups">The groups that its credential says it is in, besides those that the file puts it in.</param>
    /// <exception cref="ArgumentException">The name is no principal's.</exception>
    public AccessRights RightsOf(string principal, IReadOnlyList<string> groups)
    {
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
