namespace OrleansLeases.Grains;

/// <summary>
/// Decides from successive comparisons whether this silo's clock allows it to claim leases. An inconclusive comparison leaves the
/// verdict as it is; once all have been inconclusive for a while, the clock counts as unverified.
/// </summary>
/// <param name="bound">How far off the database's clock may be.</param>
internal sealed class ClockVerdict(TimeSpan bound)
{
    /// <summary>How long comparisons may be inconclusive until the silo stops claiming.</summary>
    public static readonly TimeSpan InconclusiveLimit = TimeSpan.FromSeconds(60);

    private TimeSpan? _blindSince;

    /// <summary>How far off the clock was found; null where it is right.</summary>
    public string? Off { get; private set; }

    /// <summary>The problem where comparisons have been inconclusive for that long; otherwise null.</summary>
    public string? Blind { get; private set; }

    /// <summary>Whether the last comparison was inconclusive.</summary>
    public bool Missed => _blindSince is not null;

    /// <summary>Takes a comparison into account.</summary>
    /// <param name="look">The comparison.</param>
    /// <param name="now">The monotonic time of the comparison.</param>
    /// <returns>Whether this silo's clock is right; null where the comparison was inconclusive.</returns>
    public bool? Take(ClockComparison look, TimeSpan now)
    {
        if (look.IsWithin(bound) is not { } within)
        {
            _blindSince ??= now;
            if (now - _blindSince.Value >= InconclusiveLimit)
            {
                Blind = $"The database has answered too slowly for {InconclusiveLimit.TotalSeconds:F0} s and more "
                    + "to compare clocks with it: "
                    + $"in more than {bound.TotalSeconds:F1} s (half of ClockSkew). Find out why, or raise ClockSkew at all silos.";
            }

            return null;
        }

        _blindSince = null;
        Blind = null;
        Off = within ? null
            : $"This silo's clock is {look.SurelyOff.TotalSeconds:F1} s {(look.Least > TimeSpan.Zero
                ? "behind"
                : "ahead of")} the database's; "
                + $"{bound.TotalSeconds:F1} s are allowed (half of ClockSkew). Synchronize the clocks.";
        return within;
    }
}
