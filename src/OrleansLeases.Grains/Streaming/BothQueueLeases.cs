using System.Globalization;
using Orleans.LeaseProviders;

namespace OrleansLeases.Grains;

/// <summary>
/// The leases of queues while they move from one provider to another: a queue is held where both have granted it. So a silo that has this
/// shares a provider with each silo that still has the one alone, and with each that has the other alone already. Thread-safe.
/// </summary>
/// <remarks>The former one is asked first, and by all silos, so that no two of them take the one and refuse each other the other.</remarks>
/// <param name="former">The provider of before.</param>
/// <param name="next">The provider that is moved to.</param>
internal sealed class BothQueueLeases(ILeaseProvider former, ILeaseProvider next) : ILeaseProvider
{
    public async Task<AcquireLeaseResult[]> Acquire(string category, LeaseRequest[] leaseRequests)
    {
        ArgumentNullException.ThrowIfNull(leaseRequests);
        var results = await former.Acquire(category, leaseRequests).ConfigureAwait(false);
        int[] granted = [.. IndicesOf(results)];
        if (granted.Length == 0) return results;
        AcquireLeaseResult[] others;
        try
        {
            others = await next.Acquire(category, [.. granted.Select(i => leaseRequests[i])]).ConfigureAwait(false);
        }
        catch
        {
            // Whoever asked is told of no lease, and would release none.
            await GiveUpAsync(former, category, granted.Select(i => results[i].AcquiredLease!)).ConfigureAwait(false);
            throw;
        }

        return await TogetherAsync(category, results, granted, others).ConfigureAwait(false);
    }

    public async Task<AcquireLeaseResult[]> Renew(string category, AcquiredLease[] aquiredLeases)
    {
        ArgumentNullException.ThrowIfNull(aquiredLeases);
        var results = await former.Renew(category, Array.ConvertAll(aquiredLeases, FormerOf)).ConfigureAwait(false);
        var others = await next.Renew(category, Array.ConvertAll(aquiredLeases, NextOf)).ConfigureAwait(false);
        // What the one has lost the other gives up, so that a silo may take the queue which needs both.
        var lost = Enumerable.Range(0, results.Length).Where(i => !IsGranted(results[i]) && IsGranted(others[i]));
        await GiveUpAsync(next, category, lost.Select(i => others[i].AcquiredLease!)).ConfigureAwait(false);
        int[] granted = [.. IndicesOf(results)];
        return await TogetherAsync(category, results, granted, [.. granted.Select(i => others[i])]).ConfigureAwait(false);
    }

    public async Task Release(string category, AcquiredLease[] aquiredLeases)
    {
        ArgumentNullException.ThrowIfNull(aquiredLeases);
        var ofFormer = Array.ConvertAll(aquiredLeases, FormerOf);
        try
        {
            await next.Release(category, Array.ConvertAll(aquiredLeases, NextOf)).ConfigureAwait(false);
        }
        catch
        {
            await GiveUpAsync(former, category, ofFormer).ConfigureAwait(false);
            throw;
        }

        await former.Release(category, ofFormer).ConfigureAwait(false);
    }

    /// <summary>
    /// Releases leases that are of no use once another call has failed or was refused. A failure to release them is ignored: the caller
    /// must receive the grants, or the first error. A lease that is not released expires.
    /// </summary>
    private static async Task GiveUpAsync(ILeaseProvider provider, string category, IEnumerable<AcquiredLease> leases)
    {
        AcquiredLease[] all = [.. leases];
        if (all.Length == 0) return;
        try
        {
            await provider.Release(category, all).ConfigureAwait(false);
        }
        catch (Exception)
        {
        }
    }

    private async Task<AcquireLeaseResult[]> TogetherAsync(
        string category, AcquireLeaseResult[] results, int[] granted, AcquireLeaseResult[] others)
    {
        List<AcquiredLease> alone = [];
        foreach (var (i, other) in granted.Zip(others))
        {
            var one = results[i].AcquiredLease!;
            if (!IsGranted(other)) alone.Add(one);
            results[i] = IsGranted(other) ? new(Join(one, other.AcquiredLease!), other.StatusCode, null!) : other;
        }

        await GiveUpAsync(former, category, alone).ConfigureAwait(false);
        return results;
    }

    private static IEnumerable<int> IndicesOf(AcquireLeaseResult[] results) =>
        Enumerable.Range(0, results.Length).Where(i => IsGranted(results[i]));

    private static bool IsGranted(AcquireLeaseResult result) => result is { StatusCode: ResponseCode.OK, AcquiredLease: not null };

    // The tokens of both in one: the length of the first goes before it, whatever they are made of. A provider may have none.
    private static AcquiredLease Join(AcquiredLease one, AcquiredLease other) => new(
        one.ResourceKey, one.Duration < other.Duration ? one.Duration : other.Duration,
        string.Create(CultureInfo.InvariantCulture, $"{one.Token?.Length ?? 0}:{one.Token}{other.Token}"),
        one.StartTimeUtc < other.StartTimeUtc ? one.StartTimeUtc : other.StartTimeUtc);

    private static AcquiredLease FormerOf(AcquiredLease both) => With(both, Split(both.Token!).Former);

    private static AcquiredLease NextOf(AcquiredLease both) => With(both, Split(both.Token!).Next);

    private static AcquiredLease With(AcquiredLease both, string token) => new(both.ResourceKey, both.Duration, token, both.StartTimeUtc);

    private static (string Former, string Next) Split(string token)
    {
        var colon = token.IndexOf(':', StringComparison.Ordinal);
        var length = int.Parse(token.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture);
        return (token.Substring(colon + 1, length), token[(colon + 1 + length)..]);
    }
}
