using OrleansLeases.Embedded.Tests.Watching;
using OrleansLeases.Testing;

namespace OrleansLeases.Embedded.Tests.Hosting;

/// <summary>What goes on behind calls has nothing of whoever made the first one.</summary>
public sealed class AmbientStateTests
{
    private static readonly AsyncLocal<string?> Tenant = new();

    [Fact]
    public async Task Background_HasNothingOfWhoeverOpenedTheEngine()
    {
        using var folder = new TestFolder();
        var time = new Observing();
        Tenant.Value = "A";
        // On a disk: an engine in memory has no sweeper.
        await using var engine = await EmbeddedLeases.OpenAsync(folder.Path, time: time);
        Assert.Null((await engine.AcquireAsync(Calls.By("a") with { Ttl = TimeSpan.FromMilliseconds(500) })).Refusal);
        Tenant.Value = null;
        await using var events = await engine.WatchAsync(resource: Calls.R);
        Assert.IsType<WatchEvent.LeaseSnapshot>(await events.NextAsync());
        var before = time.SeenOfA;

        // Two turns of the sweeper, and the end of the lease.
        for (var turn = 0; turn < 2; turn++)
        {
            await time.SweeperPausesAsync();
            time.Advance(Observing.Pause);
        }

        await time.SweeperPausesAsync();
        Assert.IsType<WatchEvent.LeaseChanged>(await events.NextAsync());

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

        Assert.Null((await first.WaitAsync(Calls.WaitTimeout)).Refusal);
        Assert.Null((await queued.WaitAsync(Calls.WaitTimeout)).Refusal);
        Assert.Equal(["A", null], seen);
    }

    /// <summary>A clock that the test moves, which notes for whom it is looked at. Its timers flow as the system's do.</summary>
    private sealed class Observing : TimeProvider
    {
        /// <summary>For how long the sweeper pauses after each turn.</summary>
        public static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

        private readonly ManualTimeProvider _inner = new();
        private readonly SemaphoreSlim _pauses = new(0);
        private int _seenOfA;

        public int SeenOfA => Volatile.Read(ref _seenOfA);

        public override long TimestampFrequency => _inner.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => _inner.GetUtcNow();

        public override long GetTimestamp()
        {
            if (Tenant.Value == "A") Interlocked.Increment(ref _seenOfA);
            return _inner.GetTimestamp();
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var context = ExecutionContext.Capture();
            var timer = _inner.CreateTimer(context is null ? callback : Flowing, state, dueTime, period);
            if (dueTime == Pause) _pauses.Release();
            return timer;

            void Flowing(object? state) => ExecutionContext.Run(context, state => callback(state), state);
        }

        public void Advance(TimeSpan by) => _inner.Advance(by);

        /// <summary>Completes once for each turn of the sweeper, when it is over.</summary>
        public async Task SweeperPausesAsync() => Assert.True(await _pauses.WaitAsync(Calls.WaitTimeout), "The sweeper does not sweep.");
    }
}
