using System.Collections.Concurrent;

namespace OrleansLeases.Torture.Load;

/// <summary>
/// What clients were told, on one clock. A holder believes from the moment its answer is there until its own
/// deadline: the sending of the call, what the service had it for, and what remained.
/// </summary>
internal sealed class Ledger
{
    private readonly long _start = TimeProvider.System.GetTimestamp();
    private readonly ConcurrentBag<Tenure> _tenures = [];
    private readonly ConcurrentBag<string> _faults = [];

    public TimeSpan Now => TimeProvider.System.GetElapsedTime(_start);

    public IReadOnlyList<Tenure> Tenures => [.. _tenures];

    public Tenure Begin(LeaseGrant grant, TimeSpan sent)
    {
        var tenure = new Tenure(grant.Resource, grant.Owner, grant.Token, Now) { Until = sent + grant.Held + grant.Remaining };
        _tenures.Add(tenure);
        return tenure;
    }

    public void Fault(string what) => _faults.Add($"{Now}: {what}");

    /// <summary>Checks that nothing told was taken back, no two believed to hold at once, and tokens grew.</summary>
    public void AssertSound()
    {
        Assert.Empty(_faults);
        foreach (var ofResource in _tenures.Where(tenure => tenure.From < tenure.Until).GroupBy(tenure => tenure.Resource))
        {
            var inOrder = ofResource.OrderBy(tenure => tenure.From).ToList();
            foreach (var (before, after) in inOrder.Zip(inOrder.Skip(1)))
            {
                Assert.True(before.Token < after.Token, $"The token did not grow: {before}, then {after}.");
                Assert.True(before.Until <= after.From, $"Two held at once: {before}, and {after}.");
            }
        }
    }

    /// <summary>One holder's time with one token, as it knows it.</summary>
    internal sealed record Tenure(string Resource, string Owner, long Token, TimeSpan From)
    {
        /// <summary>Until when it believes to hold.</summary>
        public TimeSpan Until { get; set; }
    }
}
