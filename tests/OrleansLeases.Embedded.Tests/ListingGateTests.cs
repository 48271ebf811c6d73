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
        await UntilAsync(() => Task.FromResult(store.Running == ListingGate.RunAtOnce && lists.Count(list => list.IsCompleted) == 32 - ListingGate.TakeAtOnce));
        var keys = await leases.ListKeysAsync(new ListKeysRequest());
        await leases.RenewAsync(grant);
        await leases.GrantAsync(By("bob", "other"));

        Assert.Equal("listings", Assert.IsType<Refusal.LimitReached>(keys.Refusal).Limit);
        store.GoOn.SetResult();
        var answers = await Task.WhenAll(lists).WaitAsync(Patience);
        Assert.Equal(ListingGate.TakeAtOnce, answers.Count(answer => answer.Refusal is null));
        Assert.Equal(ListingGate.RunAtOnce, store.MostRunning);
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
        Task[] lists = [.. Enumerable.Range(0, ListingGate.TakeAtOnce).Select(_ => leases.ListAsync(new ListLeasesRequest(), gone.Token).AsTask())];

        await gone.CancelAsync();
        store.GoOn.SetResult();

        await UntilAsync(() => Task.FromResult(lists.All(list => list.IsCompleted)));
        Assert.Null((await leases.ListAsync(new ListLeasesRequest())).Refusal);
    }

    /// <summary>A store whose listings wait until they may go on.</summary>
    private sealed class SlowToList : IEmbeddedStore
    {
        private readonly MemoryStore _behind = new();
        private int _running;

        public TaskCompletionSource GoOn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Running => Volatile.Read(ref _running);

        public int MostRunning { get; private set; }

        public bool OnThePool { get; private set; }

        public bool Durable => false;

        public Task<string> Lost { get; } = new TaskCompletionSource<string>().Task;

        public int Epoch => 0;

        public string? Trouble => null;

        ValueTask<LeaseState> IRecordStore<LeaseState>.LoadAsync(string resource) => ((IRecordStore<LeaseState>)_behind).LoadAsync(resource);

        public ValueTask<SaveOutcome> SaveAsync(string resource, LeaseState previous, LeaseState next, bool background) =>
            _behind.SaveAsync(resource, previous, next, background);

        ValueTask<KeyState> IRecordStore<KeyState>.LoadAsync(string key) => ((IRecordStore<KeyState>)_behind).LoadAsync(key);

        public ValueTask<SaveOutcome> SaveAsync(string key, KeyState previous, KeyState next, bool background) =>
            _behind.SaveAsync(key, previous, next, background);

        public IEnumerable<(string Resource, LeaseState State)> ReadFrom(string from, bool held)
        {
            lock (GoOn)
            {
                MostRunning = Math.Max(MostRunning, ++_running);
                OnThePool |= Thread.CurrentThread.IsThreadPoolThread;
            }

            GoOn.Task.Wait();
            foreach (var record in _behind.ReadFrom(from, held)) yield return record;
            lock (GoOn) _running--;
        }

        public IEnumerable<(string Key, KeyState State)> ReadKeysFrom(string from) => _behind.ReadKeysFrom(from);

        public IReadOnlyList<DueRecord> DueAfter(DueRecord? last, TimeSpan until, int limit) => [];

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
