namespace OrleansLeases.Simulation.Network;

internal sealed partial class RemoteService
{
    public async ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default)
    {
        request = request with { RequestId = request.RequestId ?? NewRequestId() };
        var hears = Asks(request);
        var result = await CallAsync(
            "acquire",
            (service, stop) => service.AcquireAsync(
                planted.HasFlag(Planted.RepeatsAreNew) ? request with { RequestId = NewRequestId() } : request, stop),
            cancellationToken, requestId: request.RequestId, wait: request.Wait).ConfigureAwait(false);
        hears(result);
        return result;
    }

    public async ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default)
    {
        var hears = Asks(request);
        var result = await CallAsync("renew", (service, stop) => service.RenewAsync(request, stop), cancellationToken)
            .ConfigureAwait(false);
        hears(result);
        return result;
    }

    public async ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(
        RenewBatchRequest request, CancellationToken cancellationToken = default)
    {
        var hear = request.Leases.Select(Asks).ToList();
        var result = await CallAsync(
            "renew-batch", (service, stop) => service.RenewBatchAsync(request, stop), cancellationToken).ConfigureAwait(false);
        if (!result.TryGetValue(out var reply, out _)) return result;
        for (var i = 0; i < hear.Count; i++) hear[i](reply.Results[i]);
        return result;
    }

    public async ValueTask<LeaseResult<BatchReply>> BatchAsync(BatchRequest request, CancellationToken cancellationToken = default)
    {
        var hear = request.Operations.Select(Asks).ToList();
        // A delete has no request id, so a repeat would be another deletion.
        var once = request.Operations.Any(operation => operation is BatchOperation.DeleteKey);
        var result = await CallAsync(
            "batch", (service, stop) => service.BatchAsync(request, stop), cancellationToken, once: once, newGrantsOf: NewGrants)
            .ConfigureAwait(false);
        if (!result.TryGetValue(out var reply, out _)) return result;
        for (var i = 0; i < hear.Count; i++) hear[i](reply.Results[i]);
        return result;

        IEnumerable<LeaseGrant> NewGrants(BatchReply made) => request.Operations.Zip(made.Results)
            .Where(pair => pair is { First: BatchOperation.Acquire, Second.Refusal: null })
            .Select(pair => pair.Second.As<LeaseGrant>().Value).Where(grant => !grant.Replayed);
    }

    public async ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken = default)
    {
        var hears = Asks(request);
        var result = await CallAsync(
            "release",
            (service, stop) => planted.HasFlag(Planted.ReleaseOfAnyToken)
                ? ReleaseAnyAsync(service, request, stop)
                : service.ReleaseAsync(request, stop),
            cancellationToken).ConfigureAwait(false);
        hears(result);
        return result;
    }

    public async ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken = default)
    {
        request = request with { RequestId = request.RequestId ?? NewRequestId() };
        var hears = Asks(request);
        var result = await CallAsync(
            "transfer", (service, stop) => service.TransferAsync(request, stop), cancellationToken, requestId: request.RequestId)
            .ConfigureAwait(false);
        hears(result);
        return result;
    }

    public ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default)
    {
        request = request with { RequestId = request.RequestId ?? NewRequestId() };
        Asks(request);
        return CallAsync(
            "break", (service, stop) => service.BreakAsync(request, stop), cancellationToken, requestId: request.RequestId);
    }

    public async ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default)
    {
        var hears = Asks(request);
        var result = await CallAsync("get", (service, stop) => service.GetAsync(request, stop), cancellationToken, isChange: false)
            .ConfigureAwait(false);
        hears(result);
        return result;
    }

    public ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken = default) =>
        CallAsync("list", (service, stop) => service.ListAsync(request, stop), cancellationToken, isChange: false);

    public ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default) =>
        CallAsync("history", (service, stop) => service.HistoryAsync(resource, stop), cancellationToken, isChange: false);

    public ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken = default)
    {
        request = request with { RequestId = request.RequestId ?? NewRequestId() };
        return CallAsync(
            "put",
            (service, stop) => service.PutKeyAsync(
                key, planted.HasFlag(Planted.RepeatsAreNew) ? request with { RequestId = NewRequestId() } : request, stop),
            cancellationToken, requestId: request.RequestId);
    }

    public async ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default)
    {
        var hears = AsksKey(key);
        var result = await CallAsync(
            "get-key", (service, stop) => service.GetKeyAsync(key, stop), cancellationToken, isChange: false).ConfigureAwait(false);
        hears(result);
        return result;
    }

    // It has no request id, so a repeat would be another deletion.
    public ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(
        string key, long? ifVersion = null, CancellationToken cancellationToken = default) =>
        CallAsync("delete", (service, stop) => service.DeleteKeyAsync(key, ifVersion, stop), cancellationToken, once: true);

    public ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
        string key, AddToCounterRequest request, CancellationToken cancellationToken = default)
    {
        request = request with { RequestId = request.RequestId ?? NewRequestId() };
        return CallAsync(
            "add",
            (service, stop) => service.AddToCounterAsync(
                key, planted.HasFlag(Planted.RepeatsAreNew) ? request with { RequestId = NewRequestId() } : request, stop),
            cancellationToken, requestId: request.RequestId);
    }

    public async ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default)
    {
        var asked = _scheduler.Now;
        var result = await CallAsync(
            "list-keys", (service, stop) => service.ListKeysAsync(request, stop), cancellationToken, isChange: false).ConfigureAwait(false);
        if (!result.TryGetValue(out var page, out _)) return result;
        foreach (var key in page.Keys)
        {
            if (key.Lease is { } lease) truth.ShowsKey(key.Key, lease, asked);
        }

        return result;
    }

    public ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default) =>
        CallAsync("info", (service, stop) => service.InfoAsync(stop), cancellationToken, isChange: false);

    private static async ValueTask<LeaseResult<LeaseRelease>> ReleaseAnyAsync(
        ILeaseService service, ReleaseRequest request, CancellationToken stop)
    {
        var info = await service.GetAsync(new() { Resource = request.Resource }, stop).ConfigureAwait(false);
        return info.TryGetValue(out var lease, out _) && lease.Holders is [var holder, ..]
            ? await service.ReleaseAsync(request with { Owner = holder.Owner, Token = holder.Token }, stop).ConfigureAwait(false)
            : await service.ReleaseAsync(request, stop).ConfigureAwait(false);
    }
}
