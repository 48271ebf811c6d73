namespace OrleansLeases.Torture.Recipes;

/// <summary>The time from a worker's first to its last sight of one valid lease, by the machine's monotonic clock.</summary>
internal sealed record Tenure(string How, long Token, long From, long Until)
{
    public const string Alone = "alone";
    public const string WithOthers = "with-others";

    /// <summary>Pairs that should never have been at once.</summary>
    public static IReadOnlyList<string> FindOverlaps(IEnumerable<Tenure> tenures)
    {
        List<string> found = [];
        Tenure? last = null;
        foreach (var tenure in tenures.OrderBy(tenure => tenure.From))
        {
            // Of those before, the one that lasted longest, and the last that was alone, are in the way.
            if (last is not null && tenure.From <= last.Until && (tenure.How == Alone || last.How == Alone))
            {
                found.Add($"{last}, and {tenure}");
            }

            if (last is null || tenure.Until > last.Until) last = tenure;
        }

        return found;
    }

    /// <summary>How many there were at once, at most.</summary>
    public static int MostAtOnce(IReadOnlyCollection<Tenure> tenures) =>
        tenures.Max(tenure => tenures.Count(other => other.From <= tenure.From && tenure.From <= other.Until));
}
