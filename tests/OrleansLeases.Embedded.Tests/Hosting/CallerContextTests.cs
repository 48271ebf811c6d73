using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Hosting;

/// <summary>Whoever starts a call and then blocks its thread, or its scheduler, keeps nobody waiting, nor its own call.</summary>
public sealed class CallerContextTests : IAsyncDisposable
{
    private const string K = "limit";
    private readonly ScriptedStore _store = new(new MemoryRecordStore());
    private readonly TaskCompletionSource _write = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly EmbeddedLeases _leases;

    public CallerContextTests() => _leases = Engines.Over(_store, new ManualTimeProvider());

    /// <summary>What a caller may be in.</summary>
    public enum Caller
    {
        Context,
        Scheduler,
    }

    public ValueTask DisposeAsync() => _leases.DisposeAsync();

    [Theory]
    [InlineData(Caller.Context)]
    [InlineData(Caller.Scheduler)]
    public async Task Lease_ThatABlockedCallerAskedFor_GoesOnForAll(Caller caller)
    {
        _store.BeforeSave = _ => _write.Task;
        var call = In(caller, () => _leases.AcquireAsync(By("ann")).AsTask());
        Assert.False(call.IsCompleted);
        var other = _leases.AcquireAsync(By("bob")).AsTask();
        _write.SetResult();

        Assert.IsType<Refusal.Held>((await other.WaitAsync(WaitTimeout)).Refusal);
        var grant = (await call.WaitAsync(WaitTimeout)).Value;
        Assert.Null((await _leases.RenewAsync(grant)).Refusal);
        Assert.Null((await _leases.ReleaseAsync(grant)).Refusal);
    }

    [Theory]
    [InlineData(Caller.Context)]
    [InlineData(Caller.Scheduler)]
    public async Task Key_ThatABlockedCallerWrote_GoesOnForAll(Caller caller)
    {
        var grant = await _leases.GrantAsync(By("ann"));
        _store.BeforeLoadKey = _ => _write.Task;
        // It asks the key, the lease, and the key again.
        var bound = new PutKeyRequest { Value = "1", Lease = new() { Resource = R, Owner = "ann", Token = grant.Token } };
        var call = In(caller, () => _leases.PutKeyAsync(K, bound).AsTask());
        Assert.False(call.IsCompleted);
        var other = _leases.PutKeyAsync(K, new() { Value = "2" }).AsTask();
        _write.SetResult();

        Assert.Null((await other.WaitAsync(WaitTimeout)).Refusal);
        Assert.Null((await call.WaitAsync(WaitTimeout)).Refusal);
        Assert.Null((await _leases.RenewAsync(grant)).Refusal);
    }

    [Theory]
    [InlineData(Caller.Context)]
    [InlineData(Caller.Scheduler)]
    public async Task Reads_OfABlockedCaller_AreAnswered(Caller caller)
    {
        var grant = await _leases.GrantAsync(By("ann"));
        Assert.Null(
            (await _leases.PutKeyAsync(
                "bound", new() { Value = "1", Lease = new() { Resource = R, Owner = "ann", Token = grant.Token } })).Refusal);
        _store.BeforeLoadKey = _ => _write.Task;
        var get = In(caller, () => _leases.GetKeyAsync("absent").AsTask());
        var watch = In(caller, () => _leases.WatchAsync(new() { Key = "other" }).AsTask());
        var list = In(caller, () => _leases.ListKeysAsync(new()).AsTask());
        _write.SetResult();

        Assert.IsType<Refusal.NotFound>((await get.WaitAsync(WaitTimeout)).Refusal);
        (await watch.WaitAsync(WaitTimeout)).Value.Dispose();
        Assert.Single((await list.WaitAsync(WaitTimeout)).Value.Keys);
    }

    [Fact]
    public void Call_ThatAnswersAtOnce_DoesSoOnTheCallersThread_AndLeavesItsContext()
    {
        var context = new Blocked();
        var thread = Environment.CurrentManagedThreadId;
        _store.BeforeSave = _ =>
        {
            Assert.Equal(thread, Environment.CurrentManagedThreadId);
            return Task.CompletedTask;
        };
        var call = In(Caller.Context, () => _leases.AcquireAsync(By("ann")).AsTask(), context);
        Assert.True(call.IsCompletedSuccessfully);
        Assert.Equal(0, context.Posted);
    }

    private static Task<T> In<T>(Caller caller, Func<Task<T>> start, Blocked? context = null)
    {
        var before = SynchronizationContext.Current;
        context = caller == Caller.Context ? context ?? new() : null;
        SynchronizationContext.SetSynchronizationContext(context);
        try
        {
            var started = new Task<Task<T>>(start);
            started.RunSynchronously(caller == Caller.Scheduler ? new Stuck() : TaskScheduler.Default);
            Assert.Same(context, SynchronizationContext.Current);
            return started.Unwrap();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    /// <summary>A context whose thread takes nothing up.</summary>
    private sealed class Blocked : SynchronizationContext
    {
        private int _posted;

        public int Posted => Volatile.Read(ref _posted);

        public override void Post(SendOrPostCallback d, object? state) => Interlocked.Increment(ref _posted);
    }

    /// <summary>A scheduler that runs the first task where it is started, and nothing that follows.</summary>
    private sealed class Stuck : TaskScheduler
    {
        private int _started;

        protected override IEnumerable<Task> GetScheduledTasks() => [];

        protected override void QueueTask(Task task)
        {
        }

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
            Interlocked.Exchange(ref _started, 1) == 0 && TryExecuteTask(task);
    }
}
