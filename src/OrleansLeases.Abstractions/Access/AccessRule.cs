namespace OrleansLeases;

/// <summary>Gives rights on the names below a prefix. Rules only add to each other: what none gives is refused. Immutable.</summary>
public sealed record AccessRule
{
    /// <summary>
    /// The first segments of the names of resources and keys it is for: <c>jobs</c> is for <c>jobs</c> and <c>jobs/7</c>, and not for
    /// <c>jobsx</c>. Compared byte by byte. Empty for all names.
    /// </summary>
    public required string Prefix { get; init; }

    /// <summary>The rights.</summary>
    public required LeaseRights Rights { get; init; }

    /// <summary>
    /// The owners under whose names the caller may hold: each is for itself and for what is below it, as a prefix is, and <c>*</c> for
    /// all. Where there are none, which is the default, the principal's own name and what is below it.
    /// </summary>
    public IReadOnlyList<string> Owners { get; init; } = [];
}
