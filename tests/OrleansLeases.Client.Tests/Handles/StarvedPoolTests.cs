using System.Diagnostics.CodeAnalysis;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Embedded;

namespace OrleansLeases.Client.Tests.Handles;

/// <summary>Alone, since it takes the whole thread pool away from everybody.</summary>
[CollectionDefinition(nameof(StarvedPoolTests), DisableParallelization = true)]
[SuppressMessage("Naming", "CA1711", Justification = "So xunit calls it.")]
public sealed class StarvedPoolCollection;

[Collection(nameof(StarvedPoolTests))]
public sealed class StarvedPoolTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    [SuppressMessage("Usage", "xUnit1031", Justification = "There is no pool for a continuation to run on.")]
    public void LostTokens_WhenRenewalsHangAndThePoolIsStarved_AreCancelledAllTheSame()
    {
        var service = EmbeddedLeases.InMemory();
        var client = new LeaseClient(new Network(service) { FateOf = verb => verb == "renew" ? Fate.Hangs : Fate.Passes });
        var leases = Enumerable.Range(0, 20).Select(
            number => client.AcquireAsync($"r{number}", new() { Ttl = TimeSpan.FromSeconds(1) }).AsTask().Result).ToArray();
        // Not disposed of: whoever waits for it may come to it after the test.
        var goOn = new ManualResetEventSlim();
        var told = new CountdownEvent(leases.Length);
        var pooled = 0;
        foreach (var lease in leases)
        {
            lease.LostToken.Register(() =>
            {
                if (Thread.CurrentThread.IsThreadPoolThread) Interlocked.Increment(ref pooled);
                told.Signal();

                // Some come to no end, and must not hold up the others.
                if (lease == leases[3] || lease == leases[5]) goOn.Wait();
            });
        }

        // The pool grows by a thread or two a second: these are more than it grows by in an hour.
        for (var i = 0; i < 10_000; i++) ThreadPool.UnsafeQueueUserWorkItem(_ => goOn.Wait(), null);
        var starved = new TaskCompletionSource();
        ThreadPool.UnsafeQueueUserWorkItem(_ => starved.SetResult(), null);

        var all = told.Wait(Limit);

        var (isStarved, stillValid) = (!starved.Task.IsCompleted, leases.Count(lease => lease.IsValid()));
        goOn.Set();
        Assert.True(all, $"{told.CurrentCount} leases were not said to be lost.");
        Assert.True(isStarved);
        Assert.Equal((0, 0), (pooled, stillValid));
    }
}
