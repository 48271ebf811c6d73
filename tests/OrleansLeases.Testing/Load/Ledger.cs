using System.Collections.Concurrent;

namespace OrleansLeases.Testing.Load;

/// <summary>
/// What clients were told, on one clock. A holder believes from the moment its answer is there until its own
/// deadline: the sending of the call, what the service had it for, and what remained. Thread-safe.
/// </summary>
public sealed class Ledger
{
    private readonly long _start = TimeProvider.System.GetTimestamp();
    private readonly ConcurrentBag<Tenure> _tenures = [];
    private readonly ConcurrentBag<string> _faults = [];

    public TimeSpan Now => TimeProvider.System.GetElapsedTime(_start);

    public IReadOnlyList<Tenure> Tenures => [.. _tenures];

    public Tenure Begin(LeaseGrant grant, TimeSpan sent)
    {
        ArgumentNullException.ThrowIfNull(grant);
        return Begin(new Tenure(grant.Resource, grant.Owner, grant.Token, Now) { Until = sent + grant.Elapsed + grant.Remaining });
    }

    public Tenure Begin(Tenure tenure)
    {
        _tenures.Add(tenure);
        return tenure;
    }

    public void Fault(string what) => _faults.Add($"{Now}: {what}");

    /// <summary>
    /// What of this should never have happened: something told was taken back, two believed to hold at once, or a token came twice or
    /// went back.
    /// </summary>
    public IReadOnlyList<string> FindFaults()
    {
        List<string> found = [.. _faults.Order(StringComparer.Ordinal)];
        foreach (var ofResource in _tenures.GroupBy(tenure => tenure.Resource))
        {
            foreach (var same in ofResource.GroupBy(tenure => tenure.Token).Where(same => same.Count() > 1))
                found.Add($"A token was granted twice: {string.Join(", and ", same)}.");

            // Who was told too late to hold at all was in nobody's way.
            var inOrder = ofResource.Where(tenure => tenure.From < tenure.Until).OrderBy(tenure => tenure.From).ToList();
            foreach (var (before, after) in inOrder.Zip(inOrder.Skip(1)))
            {
                if (before.Token > after.Token) found.Add($"The token went back: {before}, then {after}.");
                if (before.Until > after.From) found.Add($"Two held at once: {before}, and {after}.");
            }
        }

        return found;
    }

    /// <summary>One holder's time with one token, as it knows it.</summary>
    public sealed record Tenure(string Resource, string Owner, long Token, TimeSpan From)
    {
        /// <summary>Until when it believes to hold.</summary>
        public TimeSpan Until { get; set; }

        /// <summary>When it was told that its lease has ended; null where it never was.</summary>
        public TimeSpan? Ended { get; set; }

        /// <summary>How it asked for its end, from before it asked: released or transferred; null where it did not.</summary>
        public LeaseEventKind? Asked { get; set; }

        /// <summary>Whether it was told that what it asked for is done.</summary>
        public bool Done { get; set; }
    }
}
