namespace OrleansLeases.Core;

/// <summary>What the keeper has contributed to the totals of its host, and takes back once it is gone.</summary>
internal sealed partial class LeaseKeeper
{
    private int _countedHolders;
    private int _countedWaiters;

    internal void CountRenewal(LeaseReply reply, bool stored)
    {
        if (reply.Refusal is null) _host.Metrics?.Renewed(stored);
        else _host.Metrics?.RenewalRefused();
    }

    private void LogChanges(LeaseState before, LeaseState next)
    {
        if (_host.Log is not { IsOn: true } log || next.Log.Last == before.Log.Last) return;
        foreach (var (_, change) in next.Log.After(before.Log.Last)) log.Changed(Name, change);
    }

    private protected override void OnRetired_NeedsLock() => CountHolders_NeedsLock();

    // The number of holders changes with what is stored only, so that renewals in memory do not take the lock.
    private void CountHolders()
    {
        if (_host.Metrics is null || (_stopped is null && _state?.Holders.Length == _countedHolders)) return;
        lock (_gate) CountHolders_NeedsLock();
    }

    private void CountHolders_NeedsLock()
    {
        var holders = _retired || _stopped is not null ? 0 : _state?.Holders.Length ?? _countedHolders;
        if (holders == _countedHolders) return;
        _host.Metrics?.Held(holders - _countedHolders);
        _countedHolders = holders;
    }

    private void CountWaiters_NeedsLock()
    {
        if (_waiters.Count == _countedWaiters) return;
        _host.Metrics?.Waiting(_waiters.Count - _countedWaiters);
        _countedWaiters = _waiters.Count;
    }

    private void CountWait(Waiter waiter, string outcome, Instant now)
    {
        _host.Metrics?.Waited(now.Monotonic - waiter.Since, outcome);
        waiter.Span.Answered(outcome, isFault: false);
        waiter.Span?.Dispose();
    }
}
