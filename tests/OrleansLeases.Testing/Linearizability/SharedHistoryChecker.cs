namespace OrleansLeases.Testing.Linearizability;

/// <summary>One grant of a resource that several may hold at once, as its holder was told of it.</summary>
/// <param name="Token">Its token.</param>
/// <param name="IsExclusive">It fits beside no other.</param>
/// <param name="Invoked">When it was first asked for.</param>
/// <param name="Returned">When its holder knew of it.</param>
/// <param name="SureUntil">
/// Until when its holder could count on it, renewals and all: no later than when anybody first asked to end it.
/// </param>
public sealed record SharedGrant(long Token, bool IsExclusive, TimeSpan Invoked, TimeSpan Returned, TimeSpan SureUntil);

/// <summary>
/// Checks a recorded history of a shared lease. Tokens say in which order its grants were made, so nothing is left to search for: that
/// order has to be the one of time, and those that surely were in force at one moment have to fit beside each other.
/// </summary>
public static class SharedHistoryChecker
{
    /// <summary>Looks for grants that do not fit.</summary>
    /// <param name="history">The grants, in any order.</param>
    /// <param name="capacity">How many shared ones may be in force at once.</param>
    /// <returns>Null where all fit; else those that do not.</returns>
    public static string? FindFault(IEnumerable<SharedGrant> history, int capacity)
    {
        SharedGrant[] grants = [.. history.OrderBy(grant => grant.Token)];
        var latestInvoked = TimeSpan.MinValue;
        foreach (var grant in grants)
        {
            if (grant.Returned < latestInvoked) return $"Token {grant.Token} was told before a lower one was asked for.";
            if (grant.Invoked > latestInvoked) latestInvoked = grant.Invoked;
        }

        // A set that does not fit is complete when the last of it begins.
        foreach (var last in grants)
        {
            if (last.SureUntil <= last.Returned) continue;
            SharedGrant[] beside = [.. grants.Where(one => one.Returned <= last.Returned && one.SureUntil > last.Returned)];
            if (beside.Length > (beside.Any(one => one.IsExclusive) ? 1 : capacity))
                return string.Join(Environment.NewLine, beside.Select(one => one.ToString()));
        }

        return null;
    }
}
