namespace OrleansLeases.Client.Internal;

/// <summary>What is known of a change that was requested several times under one request id or token.</summary>
internal static class ChangeOutcome
{
    /// <summary>Whether the change may be made yet, or may have been made by an earlier call.</summary>
    /// <param name="refusal">What the last call came to.</param>
    /// <param name="afterUnknown">
    /// The outcome of an earlier call is not known. Then a refusal settles it only if it was given after a look at what is
    /// stored: a credential that has run out, or a bound that is hit, says nothing of that call.
    /// </param>
    public static bool IsUnsettled(Refusal? refusal, bool afterUnknown) =>
        refusal is Refusal.Unavailable or Refusal.OutcomeUnknown
        || (afterUnknown && refusal is (Refusal.LimitReached or Refusal.InvalidRequest or Refusal.Unauthorized or Refusal.Forbidden));
}
