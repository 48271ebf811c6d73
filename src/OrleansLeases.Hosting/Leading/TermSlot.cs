namespace OrleansLeases.Hosting.Leading;

/// <summary>Where the scope of a service that leads has its term.</summary>
internal sealed class TermSlot
{
    /// <exception cref="InvalidOperationException">The scope is none of a service that leads.</exception>
    public LeaderTerm Term
    {
        get => field ?? throw new InvalidOperationException(
            $"There is a {nameof(LeaderTerm)} only for what a service that leads is made of; pass it on from there.");
        set;
    }
}
