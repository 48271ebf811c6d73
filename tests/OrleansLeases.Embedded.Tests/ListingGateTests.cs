using System.Runtime.CompilerServices;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Core;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests;

/// <summary>However many list, few listings run at once, the rest is refused, and holders go on.</summary>
public sealed class ListingGateTests
{
    [Fact]
    public async Task ManyListings_AreRefusedBeyondTheBound_WhileHoldersGoOn()
    {
        var store = new SlowToList();
        await using var leases = Engines.Over(store, new ManualTimeProvider());
        var grant = await leases.GrantAsync(By("ann"));

        Task<LeaseResult<LeasePage>>[] lists = [.. Enumerable.Range(0, 32).Select(_ => leases.ListAsync(new ListLeasesRequest()).AsTask())];
        await UntilAsync(
            () => Task.FromResult(
                store.Running == ListingGate.MaxRunning && lists.Count(list => list.IsCompleted) == 32 - ListingGate.MaxAdmitted));
        var keys = await leases.ListKeysAsync(new ListKeysRequest());
        await leases.RenewAsync(grant);
        await leases.GrantAsync(By("bob", "other"));

        Assert.Equal("listings", Assert.IsType<Refusal.LimitReached>(keys.Refusal).Limit);
        store.GoOn.SetResult();
        var answers = await Task.WhenAll(lists).WaitAsync(WaitTimeout);
        Assert.Equal(ListingGate.MaxAdmitted, answers.Count(answer => answer.Refusal is null));
        Assert.Equal(ListingGate.MaxRunning, store.MostRunning);
        Assert.False(store.OnThePool);
        Assert.Null((await leases.ListAsync(new ListLeasesRequest())).Refusal);
    }

    [Fact]
    public async Task AListing_WhoseCallerIsGone_GivesItsPlaceBack()
    {
        var store = new SlowToList();
        await using var leases = Engines.Over(store, new ManualTimeProvider());
        await leases.GrantAsync(By("ann"));
        using var gone = new CancellationTokenSource();
        Task[] lists =
            [.. Enumerable.Range(0, ListingGate.MaxAdmitted).Select(_ => leases.ListAsync(new ListLeasesRequest(), gone.Token).AsTask())];

        await gone.CancelAsync();
        store.GoOn.SetResult();

        await UntilAsync(() => Task.FromResult(lists.All(list => list.IsCompleted)));
        // The front ends the calls; the listings behind them end after it.
        await UntilAsync(async () => (await leases.ListAsync(new ListLeasesRequest())).Refusal is null);
    }

    /// <summary>A store whose listings wait until they may go on.</summary>
    private sealed class SlowToList : IRecordStore
    {
        private readonly MemoryRecordStore _behind = new();
        private int _running;

        public TaskCompletionSource GoOn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Running => Volatile.Read(ref _running);

        public int MostRunning { get; private set; }

        public bool OnThePool { get; private set; }

        public bool IsDurable => false;

        public ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name) => _behind.LoadAsync(kind, name);

        public ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background) =>
            _behind.SaveAsync(previous, next, background);

        public async IAsyncEnumerable<StoredRecord> RangeAsync(
            RecordKind kind, string from, bool heldOnly, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            lock (GoOn)
            {
                MostRunning = Math.Max(MostRunning, ++_running);
                OnThePool |= Thread.CurrentThread.IsThreadPoolThread;
            }

            GoOn.Task.Wait(CancellationToken.None);
            await foreach (var record in _behind.RangeAsync(kind, from, heldOnly, cancellationToken)) yield return record;
            lock (GoOn) _running--;
        }

        public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
            _behind.DueAsync(query, cancellationToken);
    }
}
