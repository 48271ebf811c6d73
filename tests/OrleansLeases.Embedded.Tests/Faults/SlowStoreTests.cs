using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Faults;

/// <summary>A write that takes long costs the holder, never safety: the deadline counts from before it.</summary>
public sealed class SlowStoreTests : IAsyncDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedStore _store = new(new MemoryRecordStore());
    private readonly EmbeddedLeases _leases;
    private readonly TaskCompletionSource _write = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _writing = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SlowStoreTests() => _leases = Engines.Over(_store, _time);

    public ValueTask DisposeAsync() => _leases.DisposeAsync();

    [Fact]
    public async Task Acquire_WithASlowWrite_TellsWhatIsLeft()
    {
        var call = await AcquireSlowlyAsync(By("ann"));
        _time.Advance(Seconds(12));
        _write.SetResult();

        var grant = (await call.WaitAsync(WaitTimeout)).Value;

        Assert.Equal(Seconds(18), grant.Remaining);
        Assert.Equal(Seconds(12), grant.Elapsed);
        _time.Advance(Seconds(18));
        await _leases.GrantAsync(By("bob"));
    }

    [Fact]
    public async Task Acquire_WithAWriteLongerThanTheLease_IsToldThatItEnded()
    {
        var call = await AcquireSlowlyAsync(By("ann") with { RequestId = "once" });
        _time.Advance(Seconds(31));
        _write.SetResult();

        NotHolder(await call.WaitAsync(WaitTimeout), NotHolderReason.Expired);

        Assert.Equal(
            [LeaseEventKind.Granted, LeaseEventKind.Expired], (await _leases.HistoryAsync(R)).Value.Events.Select(entry => entry.Kind));
        await _leases.GrantAsync(By("bob"));
    }

    [Fact]
    public async Task Others_DuringASlowWrite_WaitForTheirTurn()
    {
        var call = await AcquireSlowlyAsync(By("ann"));
        var other = _leases.AcquireAsync(By("bob")).AsTask();
        var elsewhere = _leases.AcquireAsync(By("bob", "elsewhere")).AsTask();
        await elsewhere.WaitAsync(WaitTimeout);
        Assert.False(other.IsCompleted);

        _write.SetResult();

        await call.WaitAsync(WaitTimeout);
        Assert.IsType<Refusal.Held>((await other.WaitAsync(WaitTimeout)).Refusal);
    }

    [Fact]
    public async Task Waiter_WhoseWaitEndsDuringASlowWrite_IsAnsweredASecondLater()
    {
        var ann = await _leases.GrantAsync(By("ann"));
        var waiting = await _leases.WaitInQueueAsync(By("bob") with { Wait = Seconds(6) });
        HangNextSave();
        var slow = _leases.RenewAsync(ann, Seconds(60));
        await _writing.Task.WaitAsync(WaitTimeout);

        // The write may be that of its own grant, so it gets a moment more.
        _time.Advance(Seconds(7));

        Assert.IsType<Refusal.Held>((await waiting.WaitAsync(WaitTimeout)).Refusal);
        Assert.False(slow.IsCompleted);
        _write.SetResult();
        await slow;
    }

    [Fact]
    public async Task Acquire_CancelledDuringASlowWrite_EndsAtOnceAndIsGivenBack()
    {
        using var gone = new CancellationTokenSource();
        var call = await AcquireSlowlyAsync(By("ann") with { RequestId = "once" }, gone.Token);

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(WaitTimeout));
        var bob = _leases.AcquireAsync(By("bob") with { Wait = Seconds(20) }).AsTask();
        _write.SetResult();
        Assert.Equal("bob", (await bob.WaitAsync(WaitTimeout)).Value.Owner);
    }

    private async Task<Task<LeaseResult<LeaseGrant>>> AcquireSlowlyAsync(
        AcquireRequest request, CancellationToken cancellationToken = default)
    {
        HangNextSave();
        var call = _leases.AcquireAsync(request, cancellationToken).AsTask();
        await _writing.Task.WaitAsync(WaitTimeout, CancellationToken.None);
        return call;
    }

    private void HangNextSave() => _store.BeforeSave = _ =>
    {
        _store.BeforeSave = null;
        _writing.SetResult();
        return _write.Task;
    };
}
