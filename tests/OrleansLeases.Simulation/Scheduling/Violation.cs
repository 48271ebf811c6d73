namespace OrleansLeases.Simulation.Scheduling;

/// <summary>Something that must never be false was.</summary>
/// <param name="invariant">Which: I1 to I8, or a name.</param>
/// <param name="detail">What was seen.</param>
internal sealed class ViolationException(string invariant, string detail) : Exception($"{invariant}: {detail}")
{
    public string Invariant { get; } = invariant;
}
