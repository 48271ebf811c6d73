namespace OrleansLeases.Core;

/// <summary>How long names are kept that are free, unbound and unwatched. Immutable.</summary>
/// <param name="usual">How long; zero for ever.</param>
/// <param name="byPrefix">How long for names that start so; of several prefixes the longest counts.</param>
internal sealed class Retention(TimeSpan usual, IReadOnlyDictionary<string, TimeSpan> byPrefix)
{
    /// <summary>The default of hosts.</summary>
    public static readonly TimeSpan Default = TimeSpan.FromDays(30);

    /// <summary>The least that is not for ever: repeats of a request come sooner.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromMinutes(1);

    /// <summary>The most that is not for ever.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromDays(3650);

    /// <summary>Keeps every name.</summary>
    public static readonly Retention ForEver = new(TimeSpan.Zero, new Dictionary<string, TimeSpan>());

    private readonly (string Prefix, TimeSpan Retain)[] _byPrefix =
        [.. byPrefix.Select(rule => (rule.Key, rule.Value)).OrderByDescending(rule => rule.Key.Length)];

    /// <summary>How long names are kept that no prefix covers; zero for ever.</summary>
    public TimeSpan Usual => usual;

    /// <summary>All times after which some name is dropped.</summary>
    public IReadOnlyList<TimeSpan> Times { get; } =
        [.. byPrefix.Values.Append(usual).Where(retain => retain > TimeSpan.Zero).Distinct().Order()];

    /// <summary>How long a name is kept; zero for ever.</summary>
    public TimeSpan Of(string name)
    {
        foreach (var (prefix, retain) in _byPrefix)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal)) return retain;
        }

        return usual;
    }

    /// <summary>Finds what is wrong with a configured time.</summary>
    /// <returns>What it takes instead; null where nothing is wrong.</returns>
    public static string? FlawOf(TimeSpan retain) => retain == TimeSpan.Zero || (retain >= Least && retain <= Most)
        ? null
        : $"{retain}; it takes {Least} to {Most}, or 0 for ever";
}
