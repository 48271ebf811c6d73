namespace OrleansLeases.Client;

/// <summary>Why a lease was lost. Immutable.</summary>
/// <param name="Reason">
/// <see cref="NotHolderReason.Expired"/> also where the deadline passed on the holder's own clock and the service did not respond;
/// <see cref="NotHolderReason.Released"/> where another caller released it by its token.
/// </param>
/// <param name="Detail">A sentence for people.</param>
public sealed record LeaseLoss(NotHolderReason Reason, string Detail)
{
    /// <summary>Concluded from the holder's own clock; the service may know of a later deadline.</summary>
    internal bool DecidedLocally { get; init; }
}
