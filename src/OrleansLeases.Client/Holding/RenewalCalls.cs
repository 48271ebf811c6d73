namespace OrleansLeases.Client.Holding;

/// <summary>The calls that renew several leases at once. Thread-safe.</summary>
internal sealed class RenewalCalls(ILeaseService service, ServiceLimits limits, TimeProvider time)
{
    /// <summary>How many leases one call may renew.</summary>
    public int MaxBatch => limits.Known.MaxBatch;

    /// <summary>Renews a batch; a failure is returned as a refusal of all of it.</summary>
    public async Task<LeaseResult<RenewBatchReply>> RenewAsync(HeldLease[] batch)
    {
        // By then another call for the same leases is on its way; even a late answer counts, from when its call was sent.
        // Decision renewals-are-sent-again.
        var limit = 3 * batch.Max(lease => lease.RenewalTimeout);
        _ = limits.AskAsync(CancellationToken.None).AsTask();
        var request = new RenewBatchRequest { Leases = Array.ConvertAll(batch, lease => lease.Renewal) };
        var answer = await Attempt.MakeAsync(
            stop => service.RenewBatchAsync(request, stop), limit, time, CancellationToken.None).ConfigureAwait(false);
        return answer.TryGetValue(out var reply, out _) && reply.Results.Count != batch.Length
            ? new Refusal.OutcomeUnknown(null, $"The service answered for {reply.Results.Count} of {batch.Length} leases.")
            : answer;
    }
}
