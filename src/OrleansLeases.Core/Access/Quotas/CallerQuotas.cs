using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace OrleansLeases.Core;

/// <summary>The quotas of all callers at this server. Thread-safe.</summary>
/// <param name="host">Says what is still there.</param>
/// <param name="time">The clock of the leases.</param>
internal sealed class CallerQuotas(IServiceHost host, TimeProvider time)
{
    private static readonly TimeSpan LookTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(string Principal, string Prefix), QuotaUse> _uses = new();
    private readonly long _start = time.GetTimestamp();
    private long _forgetAt = ForgetEvery.Ticks;

    /// <summary>How many principals and prefixes something is counted for.</summary>
    public int Count => _uses.Count;

    private TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>
    /// Takes what a call needs of every quota of its name, or of none. At a bound it first looks whether what is counted is still there:
    /// leases are renewed and broken, and keys deleted, at other servers too.
    /// </summary>
    public async ValueTask<Refusal?> TakeAsync(LeaseCaller caller, AccessRights rights, Demand demand)
    {
        if (IsTimeToForget()) _ = Background.Run(ForgetAndPauseAsync);
        var rules = rights.QuotasOf(demand.Name, demand.IsPrefix);
        foreach (var rule in rules)
        {
            var refusal = Take(caller, rule, demand);
            if (refusal is { Limit: "leases" or "keys" or "keyBytes" } over)
            {
                var use = UseOf(caller, rule);
                await (over.Limit == "leases" ? LookAtLeasesAsync(use) : LookAtKeysAsync(use)).ConfigureAwait(false);
                refusal = Take(caller, rule, demand);
            }

            if (refusal is null) continue;
            foreach (var before in rules.TakeWhile(before => before != rule)) UseOf(caller, before).Return(demand);
            return refusal;
        }

        return null;
    }

    /// <summary>Takes a call that is forbidden: it costs the server too, and a record of the audit.</summary>
    public Refusal? TakeCall(LeaseCaller caller, AccessRights rights, string name)
    {
        foreach (var rule in rights.QuotasOf(name, isPrefix: false))
        {
            Refusal.LimitReached? refusal;
            while (!UseOf(caller, rule).TryTakeCall(rule, Now, out refusal)) Drop(caller, rule);
            if (refusal is not null) return refusal;
        }

        return null;
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
            if (demand is { } taken) use.Settle(rule, taken, content, Now);
            Note(use, request, content);
        }

        if (content is not LeaseWatch watch || demand is not { } open) return result;
        var end = new EndOfWatch(watch, () => Return(caller, rights, new(open.Name) { Watches = true, IsPrefix = open.IsPrefix }));
        return (TReply)(object)new LeaseWatch(end.EventsAsync(), end);
    }

    /// <summary>Notes a call whose caller has left before its response: what it may have done counts until that is known.</summary>
    public void Leave(LeaseCaller caller, AccessRights rights, Demand demand, bool isChange)
    {
        foreach (var rule in rights.QuotasOf(demand.Name, demand.IsPrefix))
        {
            if (isChange) UseOf(caller, rule).Settle(rule, demand, new Refusal.OutcomeUnknown(null, ""), Now);
            else UseOf(caller, rule).Return(demand);
        }
    }

    /// <summary>
    /// Forgets those that have not called for long and have nothing left that counts. Else every principal that ever called would stay,
    /// and where credentials name them by the user, those are many.
    /// </summary>
    public async Task ForgetIdleAsync()
    {
        foreach (var (of, use) in _uses)
        {
            if (!use.IsIdle(Now)) continue;
            await LookAtLeasesAsync(use).ConfigureAwait(false);
            await LookAtKeysAsync(use).ConfigureAwait(false);
            if (use.TryRetire(Now)) _uses.TryRemove(new(of, use));
        }
    }

    // One at a time: where the host is slow to tell what is left, a look at many takes long.
    private async Task ForgetAndPauseAsync()
    {
        try
        {
            await ForgetIdleAsync().ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _forgetAt, Now.Ticks + ForgetEvery.Ticks);
        }
    }

    private bool IsTimeToForget()
    {
        var at = Volatile.Read(ref _forgetAt);
        return Now.Ticks >= at && Interlocked.CompareExchange(ref _forgetAt, long.MaxValue, at) == at;
    }

    private Refusal.LimitReached? Take(LeaseCaller caller, QuotaRule rule, Demand demand)
    {
        Refusal.LimitReached? refusal;
        while (!UseOf(caller, rule).TryTake(rule, demand, Now, out refusal)) Drop(caller, rule);
        return refusal;
    }

    private Task LookAtLeasesAsync(QuotaUse use) => Task.WhenAll(use.LeasesToLookAt(Now).Select(lease => LookAtAsync(use, lease)));

    private Task LookAtKeysAsync(QuotaUse use) => Task.WhenAll(use.KeysToLookAt(Now).Select(key => LookAtAsync(use, key)));

    private async Task LookAtAsync(QuotaUse use, QuotaUse.HeldLease lease)
    {
        var request = new GetLeaseRequest { Resource = lease.Resource };
        var answer = await AnswerAsync(() => host.GetAsync(request, CancellationToken.None)).ConfigureAwait(false);
        if (answer?.TryGetValue(out var found, out _) == true) use.Found(lease, found.Holders.FirstOrDefault(lease.Is), Now);
    }

    private async Task LookAtAsync(QuotaUse use, string key)
    {
        var answer = await AnswerAsync(() => host.GetKeyAsync(key, CancellationToken.None)).ConfigureAwait(false);
        if (answer is { } found && found.Refusal is null or Refusal.NotFound) use.Found(key, found.Refusal is null, Now);
    }

    // What cannot be found out counts as it is.
    private static async Task<LeaseResult<T>?> AnswerAsync<T>(Func<Task<LeaseResult<T>>> look)
        where T : class
    {
        try
        {
            return await look().WaitAsync(LookTimeout, TimeProvider.System).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return null;
        }
    }

    private void Return(LeaseCaller caller, AccessRights rights, in Demand demand)
    {
        foreach (var rule in rights.QuotasOf(demand.Name, demand.IsPrefix)) UseOf(caller, rule).Return(demand);
    }

    private static void Note<TRequest>(QuotaUse use, TRequest request, object content)
    {
        switch (request, content)
        {
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

    // One that has retired, unless it has been replaced already.
    private void Drop(LeaseCaller caller, QuotaRule rule)
    {
        if (_uses.TryGetValue((caller.Principal, rule.Prefix), out var use) && use.IsRetired)
            _uses.TryRemove(new((caller.Principal, rule.Prefix), use));
    }

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
