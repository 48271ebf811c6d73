namespace OrleansLeases;

/// <summary>What one principal may do, found by the segments of a name: as quick with a hundred rules as with one. Immutable.</summary>
public sealed class AccessRights
{
    private const string AnyOwner = "*";

    private readonly Dictionary<string, Entry> _byPrefix = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Entry>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    /// <summary>Gathers the rules of a principal.</summary>
    /// <param name="principal">The name of the principal, under which and below which it may hold by itself.</param>
    /// <param name="rules">Its rules, those of its groups among them.</param>
    /// <param name="quotas">Its quotas, each for another prefix; null for none.</param>
    /// <exception cref="ArgumentException">
    /// The principal is <c>*</c>, it or a prefix is no path of segments, <see cref="LeaseRights.Admin"/> is given below a prefix, or two
    /// quotas are for the same prefix.
    /// </exception>
    public AccessRights(string principal, IEnumerable<AccessRule> rules, IEnumerable<QuotaRule>? quotas = null)
    {
        ArgumentNullException.ThrowIfNull(rules);
        CheckPath(principal, "principal");
        // A name that somebody registered under must not be taken for the owners of a rule that says all.
        if (principal == AnyOwner)
            throw new ArgumentException($"principal is '{principal}', which rules use for all; it takes another name.");
        Rules = [.. rules];
        foreach (var rule in Rules) Add(principal, rule);
        _lookup = _byPrefix.GetAlternateLookup<ReadOnlySpan<char>>();
        var readable = Rules.Where(rule => rule.Rights.HasFlag(LeaseRights.Read)).Select(rule => rule.Prefix);
        Readable = [.. readable.Distinct().Where(IsOutermost)];
        Quotas = [.. quotas ?? []];
        foreach (var quota in Quotas.Where(quota => quota.Prefix.Length > 0)) CheckPath(quota.Prefix, "prefix");
        if (Quotas.GroupBy(quota => quota.Prefix).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new ArgumentException($"'{principal}' has two quotas for the prefix '{twice.Key}'; put them into one.");
    }

    /// <summary>No rights at all: those of a credential that is no longer valid.</summary>
    public static AccessRights None { get; } = new("nobody", []);

    /// <summary>The rules.</summary>
    public IReadOnlyList<AccessRule> Rules { get; }

    /// <summary>The quotas. A name counts for each whose prefix it is at or below.</summary>
    public IReadOnlyList<QuotaRule> Quotas { get; }

    /// <summary>The prefixes below which everything may be read, none of them below another.</summary>
    internal IReadOnlyList<string> Readable { get; }

    /// <summary>Whether one of the rules gives a right on a name.</summary>
    /// <param name="right">The right.</param>
    /// <param name="name">The name of a resource or a key.</param>
    /// <returns>Whether it does.</returns>
    public bool May(LeaseRights right, string name)
    {
        var place = new Ancestors(name);
        while (place.MoveNext())
        {
            if (_lookup.TryGetValue(place.Current, out var entry) && (entry.Rights & right) == right) return true;
        }

        return false;
    }

    /// <summary>Whether one of the rules lets the principal hold a resource under the name of an owner.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="owner">The owner.</param>
    /// <returns>Whether it does.</returns>
    public bool MayHold(string resource, string owner)
    {
        var place = new Ancestors(resource);
        while (place.MoveNext())
        {
            if (!_lookup.TryGetValue(place.Current, out var entry) || !entry.Rights.HasFlag(LeaseRights.Hold)) continue;
            foreach (var own in entry.Owners)
                if (own == AnyOwner || IsAtOrBelow(owner, own)) return true;
        }

        return false;
    }

    /// <summary>The quotas of a name; of a prefix, those of all names that start with it.</summary>
    internal IEnumerable<QuotaRule> QuotasOf(string name, bool isPrefix) => Quotas.Count == 0 ? [] : Quotas.Where(quota =>
        IsAtOrBelow(name, quota.Prefix) || (isPrefix && quota.Prefix.StartsWith(name, StringComparison.Ordinal)));

    private static bool IsAtOrBelow(string name, string prefix) =>
        prefix.Length == 0
        || (name.StartsWith(prefix, StringComparison.Ordinal) && (name.Length == prefix.Length || name[prefix.Length] == '/'));

    private static void CheckPath(string path, string what)
    {
        if (string.IsNullOrEmpty(path) || Names.BadSegmentOf(path) is not null)
            throw new ArgumentException($"{what} is '{path}'; it takes segments joined by '/', none of them empty, '.' or '..'.");
    }

    private void Add(string principal, AccessRule rule)
    {
        if (rule.Prefix.Length > 0) CheckPath(rule.Prefix, "prefix");
        if (rule.Prefix.Length > 0 && rule.Rights.HasFlag(LeaseRights.Admin))
            throw new ArgumentException($"admin is given for the prefix '{rule.Prefix}'; it is for the whole service: the prefix is ''.");
        foreach (var owner in rule.Owners) CheckPath(owner, "owners");
        string[] owners = !rule.Rights.HasFlag(LeaseRights.Hold) ? [] : rule.Owners.Count > 0 ? [.. rule.Owners] : [principal];
        _byPrefix[rule.Prefix] = _byPrefix.TryGetValue(rule.Prefix, out var before)
            ? new(before.Rights | rule.Rights, [.. before.Owners, .. owners])
            : new(rule.Rights, owners);
    }

    private bool IsOutermost(string prefix) => !Rules.Any(other =>
        other.Rights.HasFlag(LeaseRights.Read) && other.Prefix != prefix && IsAtOrBelow(prefix, other.Prefix));

    private sealed record Entry(LeaseRights Rights, string[] Owners);

    /// <summary>A name, then the path above it, and so on to the empty one.</summary>
    private ref struct Ancestors(string name)
    {
        private int _length = -1;

        public readonly ReadOnlySpan<char> Current => name.AsSpan(0, _length);

        public bool MoveNext()
        {
            if (_length == 0) return false;
            _length = _length < 0 ? name.Length : Math.Max(0, name.AsSpan(0, _length).LastIndexOf('/'));
            return true;
        }
    }
}
