namespace OrleansLeases.Client;

/// <summary>Why a lease was lost. Immutable.</summary>
/// <param name="Reason">
/// <see cref="NotHolderReason.Expired"/> also where the holder's own clock says so, and the service was not heard;
/// <see cref="NotHolderReason.Released"/> where someone else released it by its token.
/// </param>
/// <param name="Detail">All of it in a sentence for people.</param>
public sealed record LeaseLoss(NotHolderReason Reason, string Detail)
{
    /// <summary>Concluded from the holder's own clock; the service may know of a later deadline.</summary>
    internal bool DecidedLocally { get; init; }
}
