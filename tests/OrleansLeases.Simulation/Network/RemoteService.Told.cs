using OrleansLeases.Core;
using OrleansLeases.Simulation.Checking;

namespace OrleansLeases.Simulation.Network;

// What becomes known by a call: that it is made, and what its caller is told, alone or as a part of a batch.
internal sealed partial class RemoteService
{
    private Action<LeaseResult<LeaseGrant>> Asks(AcquireRequest request)
    {
        var told = histories.Begin(request.Resource, CallKind.Acquire, request: RequestFingerprint.Of(request).Id);
        return result =>
        {
            told.Take(result);
            if (result.TryGetValue(out var grant, out _)) truth.IsGranted(grant.Resource, grant.Token);
        };
    }

    private Action<LeaseResult<LeaseRenewal>> Asks(RenewRequest request)
    {
        var told = histories.Begin(request.Resource, CallKind.Renew, request.Token);
        return result =>
        {
            told.Take(result);
            Learn(request.Resource, request.Token, result.Refusal);
        };
    }

    private Action<LeaseResult<LeaseRelease>> Asks(ReleaseRequest request)
    {
        truth.MayEnd(request.Resource, request.Owner, request.Token);
        var told = histories.Begin(request.Resource, CallKind.Release, request.Token);
        return result =>
        {
            told.Take(result);
            if (result.TryGetValue(out _, out var refusal)) truth.ToldEnded(request.Resource, request.Token);
            else Learn(request.Resource, request.Token, refusal);
        };
    }

    private Action<LeaseResult<LeaseGrant>> Asks(TransferRequest request)
    {
        truth.MayEnd(request.Resource, request.Owner, request.Token);
        var told = histories.Begin(request.Resource, CallKind.Transfer, request.Token, RequestFingerprint.Of(request).Id);
        return result =>
        {
            told.Take(result);
            if (!result.TryGetValue(out var grant, out _)) return;
            truth.IsGranted(grant.Resource, grant.Token);
            truth.ToldEnded(request.Resource, request.Token);
        };
    }

    private void Asks(BreakRequest request)
    {
        if (request.Force) truth.MayEnd(request.Resource, owner: null, request.Token);
        histories.Begin(request.Resource, CallKind.Break, request.Token);
    }

    private Action<LeaseResult<LeaseInfo>> Asks(GetLeaseRequest request)
    {
        var told = cluster.Hosts.Length == 1 || request.Consistent ? histories.Begin(request.Resource, CallKind.Read) : null;
        return result => told?.Take(result);
    }

    private Action<LeaseResult<KeyValue>> AsksKey(string key)
    {
        var asked = _scheduler.Now;
        return result =>
        {
            if (result.TryGetValue(out var value, out _) && value.Lease is { } lease) truth.ShowsKey(key, lease, asked);
        };
    }

    private Action<BatchResult> Asks(BatchOperation operation)
    {
        switch (operation)
        {
            case BatchOperation.Acquire acquire:
                return In(Asks(acquire.Request));
            case BatchOperation.Renew renew:
                return In(Asks(renew.Request));
            case BatchOperation.Release release:
                return In(Asks(release.Request));
            case BatchOperation.Transfer transfer:
                return In(Asks(transfer.Request));
            case BatchOperation.Get get:
                return In(Asks(get.Request));
            case BatchOperation.GetKey key:
                return In(AsksKey(key.Key));
            case BatchOperation.Break broken:
                Asks(broken.Request);
                goto default;
            default:
                return _ => { };
        }

        static Action<BatchResult> In<T>(Action<LeaseResult<T>> hears)
            where T : class => result => hears(result.As<T>());
    }

    private void Learn(string resource, long token, Refusal? refusal)
    {
        if (refusal is Refusal.NotHolder { Reason: not (NotHolderReason.NeverHeld or NotHolderReason.Superseded) })
            truth.ToldEnded(resource, token);
    }
}
