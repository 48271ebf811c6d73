namespace OrleansLeases.Embedded.Tests.Hosting;

/// <summary>What goes on behind calls has nothing of whoever made the first one.</summary>
public sealed class AmbientStateTests
{
    private static readonly AsyncLocal<string?> Tenant = new();

    [Fact]
    public async Task Background_HasNothingOfWhoeverOpenedTheEngine()
    {
        var time = new Observing();
        Tenant.Value = "A";
        await using var engine = EmbeddedLeases.InMemory(time: time);
        var grant = await engine.AcquireAsync(new() { Resource = "r", Owner = "a", Ttl = TimeSpan.FromMilliseconds(500) });
        Assert.Null(grant.Refusal);
        Tenant.Value = null;

        var before = time.SeenOfA;
        // Two turns of the sweeper, and the end of the lease.
        var patience = TimeProvider.System.GetTimestamp();
        while (time.Looks < 4 || (await engine.HistoryAsync("r")).Value.Events.Count < 2)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(patience) < TimeSpan.FromSeconds(60), "The lease did not end.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        Assert.Equal(before, time.SeenOfA);
    }

    [Fact]
    public async Task Turn_ThatQueued_HasNothingOfWhoeverCameFirst()
    {
        var seen = new List<string?>();
        var write = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var store = new ScriptedStore(new MemoryRecordStore());
        store.BeforeSave = _ =>
        {
            seen.Add(Tenant.Value);
            return write.Task;
        };
        await using var engine = Engines.Over(store, TimeProvider.System);
        Tenant.Value = "A";
        var first = engine.AcquireAsync(Calls.By("a") with { Mode = LeaseMode.Shared }).AsTask();
        Tenant.Value = "B";
        var queued = engine.AcquireAsync(Calls.By("b") with { Mode = LeaseMode.Shared }).AsTask();
        write.SetResult();

        Assert.Null((await first.WaitAsync(Calls.Patience)).Refusal);
        Assert.Null((await queued.WaitAsync(Calls.Patience)).Refusal);
        Assert.Equal(["A", null], seen);
    }

    /// <summary>The system's clock, which notes for whom it is looked at.</summary>
    private sealed class Observing : TimeProvider
    {
        private int _looks;
        private int _seenOfA;

        /// <summary>By whoever is nobody's.</summary>
        public int Looks => Volatile.Read(ref _looks);

        public int SeenOfA => Volatile.Read(ref _seenOfA);

        public override long GetTimestamp()
        {
            if (Tenant.Value == "A") Interlocked.Increment(ref _seenOfA);
            else Interlocked.Increment(ref _looks);
            return base.GetTimestamp();
        }
    }
}
