namespace OrleansLeases.Grains;

/// <summary>
/// One comparison with the database's clock. That clock was read at some moment between the query's start and its end, so how far it
/// is ahead of this silo's lies between two bounds, which are as far apart as the query took.
/// </summary>
/// <param name="Least">How far the database's clock is ahead at least; negative where it may be behind.</param>
/// <param name="Most">How far it is ahead at most.</param>
internal readonly record struct ClockComparison(TimeSpan Least, TimeSpan Most)
{
    /// <summary>Compares.</summary>
    /// <param name="database">The database's clock.</param>
    /// <param name="sent">This silo's wall clock before the query.</param>
    /// <param name="took">How long the query took, by the monotonic clock.</param>
    public static ClockComparison Of(TimeSpan database, TimeSpan sent, TimeSpan took) => new(database - sent - took, database - sent);

    /// <summary>How far this silo's clock is most likely ahead: as if the database had read its own halfway through the query.</summary>
    public TimeSpan Ahead => -(Least + Most) / 2;

    /// <summary>How far off this silo's clock surely is.</summary>
    public TimeSpan SurelyOff => Least > TimeSpan.Zero ? Least : Most < TimeSpan.Zero ? -Most : TimeSpan.Zero;

    /// <summary>
    /// Whether the clocks are surely within a bound of each other, or surely not; null where the query took too long to know.
    /// </summary>
    public bool? IsWithin(TimeSpan bound) =>
        Least >= -bound && Most <= bound ? true
        : Least > bound || Most < -bound ? false
        : null;
}
