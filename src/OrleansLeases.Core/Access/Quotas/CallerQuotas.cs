using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace OrleansLeases.Core;

/// <summary>The quotas of all callers at this server. Thread-safe.</summary>
/// <param name="time">The clock of the leases.</param>
internal sealed class CallerQuotas(TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Principal, string Prefix), QuotaUse> _uses = new();
    private readonly long _start = time.GetTimestamp();

    private TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>Takes what a call needs of every quota of its name, or of none.</summary>
    public Refusal? Take(LeaseCaller caller, AccessRights rights, in Demand demand)
    {
        var rules = rights.QuotasOf(demand.Name, demand.IsPrefix);
        foreach (var rule in rules)
        {
            if (UseOf(caller, rule).Take(rule, demand, Now) is not { } refusal) continue;
            foreach (var before in rules.TakeWhile(before => before != rule)) UseOf(caller, before).Return(demand);
            return refusal;
        }

        return null;
    }

    public void Return(LeaseCaller caller, AccessRights rights, in Demand demand)
    {
        foreach (var rule in rights.QuotasOf(demand.Name, demand.IsPrefix)) UseOf(caller, rule).Return(demand);
    }

    /// <summary>Notes what became of a call.</summary>
    /// <returns>The same result; a watch gives back its place when it ends.</returns>
    public LeaseResult<TReply> Settle<TRequest, TReply>(
        LeaseCaller caller, AccessRights rights, Verb<TRequest, TReply> verb, TRequest request, Demand? demand, LeaseResult<TReply> result)
        where TReply : class
    {
        object content = result.TryGetValue(out var reply, out var refusal) ? reply : refusal;
        var name = demand?.Name ?? verb.Subject?.Invoke(request, reply).Name ?? "";
        foreach (var rule in rights.QuotasOf(name, demand is { IsPrefix: true }))
        {
            var use = UseOf(caller, rule);
            if (demand is { } taken) use.Settle(taken, content, Now);
            Note(use, request, content);
        }

        if (content is not LeaseWatch watch || demand is not { } open) return result;
        var end = new EndOfWatch(watch, () => Return(caller, rights, new(open.Name) { Watches = true, IsPrefix = open.IsPrefix }));
        return (TReply)(object)new LeaseWatch(end.EventsAsync(), end);
    }

    private void Note<TRequest>(QuotaUse use, TRequest request, object content)
    {
        switch (request, content)
        {
            case (RenewRequest renew, LeaseRenewal renewal):
                use.Renewed(renew.Resource, renew.Token, Now + renewal.Remaining);
                break;
            case (ReleaseRequest release, LeaseRelease):
                use.Ended(release.Resource, release.Token);
                break;
            case (TransferRequest transfer, LeaseGrant):
                use.Ended(transfer.Resource, transfer.Token);
                break;
            case (_, KeyDeletion deleted):
                use.Deleted(deleted.Key);
                break;
        }
    }

    private QuotaUse UseOf(LeaseCaller caller, QuotaRule rule) =>
        _uses.GetOrAdd((caller.Principal, rule.Prefix), static _ => new QuotaUse());

    private sealed class EndOfWatch(LeaseWatch watch, Action end) : IDisposable
    {
        private Action? _end = end;

        public async IAsyncEnumerable<WatchEvent> EventsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            using (this)
            {
                await foreach (var change in watch.WithCancellation(cancellationToken).ConfigureAwait(false)) yield return change;
            }
        }

        public void Dispose()
        {
            watch.Dispose();
            Interlocked.Exchange(ref _end, null)?.Invoke();
        }
    }
}
