using OrleansLeases.Testing.Linearizability;

namespace OrleansLeases.Torture.Checking;

/// <summary>
/// The calls of one exclusive lease as a history to check. Repeats of a request are one operation: it took effect at some time from the
/// first try to the first response that says so; what no response told may have taken effect at any time, or never.
/// </summary>
/// <remarks>
/// Renewals that were not told are left out: they can only put off the latest end, which the caller's grace has to cover.
/// </remarks>
internal static class Histories
{
    /// <param name="calls">The calls of one resource, by whomever.</param>
    /// <param name="withRefusals">Whether refusals are of the moment: not so where several activations may respond.</param>
    public static IReadOnlyList<LeaseOperation> Of(IEnumerable<RecordedCall> calls, bool withRefusals)
    {
        var inOrder = calls.OrderBy(call => call.Returned).ToList();
        return
        [
            .. inOrder.GroupBy(call => call.Request switch
            {
                AcquireRequest acquire => (Kind: 0, Of: $"{acquire.Owner} {acquire.RequestId}"),
                ReleaseRequest release => (Kind: 1, Of: $"{release.Token}"),
                TransferRequest transfer => (Kind: 2, Of: $"{transfer.Token}"),
                _ => (Kind: 3, Of: ""),
            }).SelectMany(tries => tries.Key.Kind switch
            {
                0 => Acquired([.. tries]),
                1 => Released([.. tries]),
                2 => Transferred([.. tries]),
                _ => tries.Where(call => call.Reply is not null).Select(Renewed),
            }),
            .. withRefusals ? inOrder.Select(Refused).OfType<LeaseOperation>() : [],
        ];
    }

    private static IEnumerable<LeaseOperation> Acquired(IReadOnlyList<RecordedCall> tries)
    {
        var request = (AcquireRequest)tries[0].Request;
        var first = tries.Min(call => call.Invoked);
        if (tries.FirstOrDefault(call => call.Reply is not null) is not { } told)
        {
            // One that waited in vain may have been granted in the last moment, and given back.
            yield return new LeaseOperation.GrantedUntold(first, TimeSpan.MaxValue, null, request.Owner, TimeSpan.Zero, request.Ttl)
            {
                Certain = false,
            };
            yield break;
        }

        var grant = (LeaseGrant)told.Reply!;
        yield return new LeaseOperation.Granted(
            first, told.Returned, grant.Owner, grant.Token, told.Invoked + grant.Elapsed + grant.Remaining - first, grant.Ttl);
        foreach (var repeat in RepeatsOf(tries, told)) yield return repeat;
    }

    private static IEnumerable<LeaseOperation> Released(IReadOnlyList<RecordedCall> tries)
    {
        var token = ((ReleaseRequest)tries[0].Request).Token;
        var told = tries.FirstOrDefault(call => call.Reply is not null);
        if (told is null && !tries.Any(call => call.IsOpen)) yield break;
        yield return new LeaseOperation.Ended(tries.Min(call => call.Invoked), told?.Returned ?? TimeSpan.MaxValue, token)
        {
            Certain = told is not null,
        };
    }

    private static IEnumerable<LeaseOperation> Transferred(IReadOnlyList<RecordedCall> tries)
    {
        var request = (TransferRequest)tries[0].Request;
        var first = tries.Min(call => call.Invoked);
        if (tries.FirstOrDefault(call => call.Reply is not null) is not { } told)
        {
            // Also where it was refused: the new grant may have been over before it could be told.
            yield return new LeaseOperation.GrantedUntold(
                first, TimeSpan.MaxValue, request.Token, request.NewOwner, TimeSpan.Zero, TimeSpan.Zero)
            {
                Certain = false,
            };
            yield break;
        }

        var grant = (LeaseGrant)told.Reply!;
        yield return new LeaseOperation.Transferred(
            first, told.Returned, request.Token, grant.Owner, grant.Token, told.Invoked + grant.Elapsed + grant.Remaining - first,
            grant.Ttl);
        foreach (var repeat in RepeatsOf(tries, told)) yield return repeat;
    }

    // What a repeat is told of its grant holds as what a renewal is told.
    private static IEnumerable<LeaseOperation> RepeatsOf(IEnumerable<RecordedCall> tries, RecordedCall told) =>
        tries.Where(call => call != told && call.Reply is not null).Select(call => call.Reply is LeaseGrant grant
            ? new LeaseOperation.Renewed(call.Invoked, call.Returned, grant.Token, grant.Elapsed + grant.Remaining, grant.Ttl)
            : throw new InvalidOperationException($"{call} is no grant."));

    private static LeaseOperation Renewed(RecordedCall call)
    {
        var renewal = (LeaseRenewal)call.Reply!;
        return new LeaseOperation.Renewed(
            call.Invoked, call.Returned, ((RenewRequest)call.Request).Token, renewal.Elapsed + renewal.Remaining, renewal.Ttl);
    }

    private static LeaseOperation? Refused(RecordedCall call) => (call.Refusal, call.Request) switch
    {
        (Refusal.Held { Holders: [var holder] }, AcquireRequest) => new LeaseOperation.FoundHeld(call.Invoked, call.Returned, holder.Owner),
        (Refusal.NotHolder, RenewRequest renewal) => new LeaseOperation.NotHolder(call.Invoked, call.Returned, renewal.Token),
        (Refusal.NotHolder, ReleaseRequest release) => new LeaseOperation.NotHolder(call.Invoked, call.Returned, release.Token),
        _ => null,
    };
}
