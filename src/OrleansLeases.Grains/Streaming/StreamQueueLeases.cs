using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orleans.LeaseProviders;
using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// The leases of a stream provider's queues, for Orleans' queue balancer: each is an exclusive lease of
/// <c>stream-queues/{category}/{key}</c>, whose owner is the silo. Thread-safe.
/// </summary>
/// <param name="leases">Grants the leases.</param>
/// <param name="limits">The bounds of requests.</param>
/// <param name="owner">The silo, by its address with its generation.</param>
/// <param name="time">The clock of the start of a lease.</param>
/// <param name="logger">Logs failed releases.</param>
/// <remarks>
/// A failure is a result, with a sentence in its exception. Only a malformed request is an exception, since there is no code for it,
/// and the balancer logs an exception as an error. Nothing was requested from the service then.
/// </remarks>
internal sealed partial class StreamQueueLeases(
    ILeaseService leases, LeaseLimits limits, string owner, TimeProvider time, ILogger<StreamQueueLeases> logger) : ILeaseProvider
{
    /// <summary>What the names of all these leases start with.</summary>
    public const string Prefix = "stream-queues/";

    private readonly RequestChecks _checks = new(limits);
    // By resource, the request ids whose outcome is unknown: there may be a grant whose response was lost.
    private readonly ConcurrentDictionary<string, string> _unsettled = new();

    public async Task<AcquireLeaseResult[]> Acquire(string category, LeaseRequest[] leaseRequests)
    {
        ArgumentNullException.ThrowIfNull(category);
        ArgumentNullException.ThrowIfNull(leaseRequests);
        var requests = Array.ConvertAll(
            leaseRequests,
            asked => new AcquireRequest { Resource = ResourceOf(category, asked.ResourceKey), Owner = owner, Ttl = asked.Duration });
        foreach (var request in requests)
            if (_checks.Check(request) is { } refusal)
            {
                throw new ArgumentException($"'{request.Resource}' cannot be leased: {refusal.Detail}", nameof(leaseRequests));
            }

        return await Task.WhenAll(
            requests.Zip(leaseRequests, (request, asked) => AcquireAsync(request, asked.ResourceKey))).ConfigureAwait(false);
    }

    public async Task<AcquireLeaseResult[]> Renew(string category, AcquiredLease[] aquiredLeases)
    {
        ArgumentNullException.ThrowIfNull(category);
        ArgumentNullException.ThrowIfNull(aquiredLeases);
        var results = new AcquireLeaseResult[aquiredLeases.Length];
        var known = new List<Renewal>(aquiredLeases.Length);
        for (var i = 0; i < results.Length; i++)
        {
            var lease = aquiredLeases[i];
            if (QueueToken.Parse(lease.Token) is { } token)
            {
                known.Add(new(i, lease.ResourceKey, token.Renew(ResourceOf(category, lease.ResourceKey))));
            }
            else results[i] = Failure(lease.ResourceKey, ResponseCode.InvalidToken, $"'{lease.Token}' is no token of these leases.");
        }

        await RenewAsync(known, results).ConfigureAwait(false);
        // The balancer gives a queue up at the first failure, and nobody can have it then until its lease has run out. Grains
        // that move answer at the second call. Decision balancer-gets-no-lies.
        known.RemoveAll(renewal => results[renewal.Index].StatusCode != ResponseCode.TransientFailure);
        await RenewAsync(known, results).ConfigureAwait(false);
        return results;
    }

    public Task Release(string category, AcquiredLease[] aquiredLeases)
    {
        ArgumentNullException.ThrowIfNull(category);
        ArgumentNullException.ThrowIfNull(aquiredLeases);
        return Task.WhenAll(
            aquiredLeases.Select(lease => ReleaseAsync(ResourceOf(category, lease.ResourceKey), QueueToken.Parse(lease.Token))));
    }

    // Each part is one segment, so that no two pairs make one name.
    private static string ResourceOf(string category, string key) => $"{Prefix}{Segment(category)}/{Segment(key)}";

    private static string Segment(string name) =>
        name.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal);

    private async Task<AcquireLeaseResult> AcquireAsync(AcquireRequest request, string key)
    {
        if (_unsettled.TryRemove(request.Resource, out var untold))
        {
            var again = await AskAsync(request with { RequestId = untold }, key).ConfigureAwait(false);
            if (again.StatusCode != ResponseCode.InvalidToken) return again;
            // What was granted then has ended.
        }

        return await AskAsync(request with { RequestId = RequestIds.New() }, key).ConfigureAwait(false);
    }

    private async Task<AcquireLeaseResult> AskAsync(AcquireRequest request, string key)
    {
        var sent = time.GetUtcNow();
        var result = await leases.AcquireAsync(request).ConfigureAwait(false);
        if (result.TryGetValue(out var grant, out var refusal))
        {
            var token = new QueueToken(grant.Token, owner);
            if (!grant.Replayed) return Success(key, token, sent, grant.Elapsed + grant.Remaining);
            // It has been running for a while, and the balancer counts on all of it.
            sent = time.GetUtcNow();
            var renewed = await leases.RenewAsync(token.Renew(request.Resource)).ConfigureAwait(false);
            if (renewed.TryGetValue(out var renewal, out refusal)) return Success(key, token, sent, renewal.Elapsed + renewal.Remaining);
        }

        var failure = Failure(key, refusal);
        if (failure.StatusCode == ResponseCode.TransientFailure) _unsettled[request.Resource] = request.RequestId!;
        return failure;
    }

    private async Task RenewAsync(List<Renewal> renewals, AcquireLeaseResult[] results)
    {
        foreach (var batch in renewals.Chunk(limits.MaxBatch))
        {
            var sent = time.GetUtcNow();
            var result = await leases.RenewBatchAsync(
                new RenewBatchRequest { Leases = Array.ConvertAll(batch, renewal => renewal.Request) }).ConfigureAwait(false);
            if (!result.TryGetValue(out var reply, out var refusal))
            {
                foreach (var renewal in batch) results[renewal.Index] = Failure(renewal.Key, refusal);
                continue;
            }

            foreach (var (renewal, answer) in batch.Zip(reply.Results))
            {
                results[renewal.Index] = answer.TryGetValue(out var renewed, out var why)
                    ? Success(
                        renewal.Key, new QueueToken(renewal.Request.Token, renewal.Request.Owner), sent, reply.Elapsed + renewed.Remaining)
                    : Failure(renewal.Key, why);
            }
        }
    }

    private async Task ReleaseAsync(string resource, QueueToken? token)
    {
        if (token is null) return;
        var result = await leases.ReleaseAsync(token.Release(resource)).ConfigureAwait(false);
        // Who does not hold it has nothing to release.
        if (result.Refusal is { } refusal and not Refusal.NotHolder)
        {
            LogNotReleased(logger, VisibleText.Show(resource), VisibleText.Show(refusal.Detail));
        }
    }

    // Counted from before the call: the holder has stopped by its deadline, however long the response took.
    private static AcquireLeaseResult Success(string key, QueueToken token, DateTimeOffset sent, TimeSpan duration) =>
        new(new AcquiredLease(key, duration, token.ToString(), sent.UtcDateTime), ResponseCode.OK, null);

    private static AcquireLeaseResult Failure(string key, Refusal refusal) => Failure(key, CodeOf(refusal), refusal.Detail);

    private static AcquireLeaseResult Failure(string key, ResponseCode code, string detail) =>
        new(new AcquiredLease(key), code, new OrleansException(detail));

    private static ResponseCode CodeOf(Refusal refusal) => refusal switch
    {
        Refusal.Held => ResponseCode.LeaseNotAvailable,
        // Of a renewal, or of a request id whose grant has ended or was for another duration.
        Refusal.NotHolder or Refusal.Conflict or Refusal.InvalidRequest => ResponseCode.InvalidToken,
        _ => ResponseCode.TransientFailure,
    };

    [LoggerMessage(7421, LogLevel.Warning, "The lease of '{Resource}' could not be released and runs out by itself: {Detail}")]
    private static partial void LogNotReleased(ILogger logger, string resource, string detail);

    private readonly record struct Renewal(int Index, string Key, RenewRequest Request);
}
