namespace OrleansLeases.Grains;

/// <summary>
/// Decides from one look after another whether this silo may claim leases as far as its clock goes. A look that could not
/// tell leaves the verdict as it is; once all have been such for a while, nothing vouches for the clock any more.
/// </summary>
/// <param name="bound">How far off the database's clock may be.</param>
internal sealed class ClockVerdict(TimeSpan bound)
{
    /// <summary>How long looks may fail to tell until the silo stops claiming.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private TimeSpan? _blindSince;

    /// <summary>How far off the clock was found; null where it is right.</summary>
    public string? Off { get; private set; }

    /// <summary>That looks have long been unable to tell; null where they have not.</summary>
    public string? Blind { get; private set; }

    /// <summary>Whether the last look could not tell.</summary>
    public bool Missed => _blindSince is not null;

    /// <summary>Takes in what a look said.</summary>
    /// <param name="look">What it said.</param>
    /// <param name="now">The monotonic time of the look.</param>
    /// <returns>Whether this silo's clock is right; null where the look could not tell.</returns>
    public bool? Take(ClockComparison look, TimeSpan now)
    {
        if (look.IsWithin(bound) is not { } within)
        {
            _blindSince ??= now;
            if (now - _blindSince.Value >= Patience)
            {
                Blind = $"The database has answered too slowly for {Patience.TotalSeconds:F0} s and more to compare clocks with it: "
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
