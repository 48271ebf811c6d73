using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Faults;

/// <summary>A save that did not say whether it happened is told as such; repeating the call finds out.</summary>
public sealed class UnknownOutcomeTests : IAsyncDisposable
{
    private static readonly IOException Fault = new("the cable was pulled");

    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedStore _store = new(new MemoryRecordStore());
    private readonly EmbeddedLeases _leases;

    public UnknownOutcomeTests() => _leases = Engines.Over(_store, _time);

    public ValueTask DisposeAsync() => _leases.DisposeAsync();

    [Fact]
    public async Task Acquire_WhenWrittenButNotConfirmed_IsFoundAgainByItsRequestId()
    {
        _store.AfterSave = ScriptedStore.Once(Fault);
        var unknown = await _leases.RefusedAsync<Refusal.OutcomeUnknown>(By("ann") with { RequestId = "once" });
        Assert.Equal("once", unknown.RequestId);
        _time.Advance(Seconds(12));
        await _leases.RefusedAsync<Refusal.Held>(By("bob"));

        var grant = await _leases.GrantAsync(By("ann") with { RequestId = "once" });

        Assert.True(grant.Replayed);
        Assert.Equal(Seconds(18), grant.Remaining);
        Assert.Single((await _leases.HistoryAsync(R)).Value.Events);
    }

    [Fact]
    public async Task Acquire_WithoutRequestId_IsToldTheOneToRepeat()
    {
        _store.AfterSave = ScriptedStore.Once(Fault);
        var unknown = await _leases.RefusedAsync<Refusal.OutcomeUnknown>(By("ann"));

        Assert.True((await _leases.GrantAsync(By("ann") with { RequestId = unknown.RequestId })).Replayed);
    }

    [Fact]
    public async Task Acquire_WhenNotWritten_IsGrantedToWhoeverAsksNext()
    {
        _store.BeforeSave = ScriptedStore.Once(Fault);
        await _leases.RefusedAsync<Refusal.OutcomeUnknown>(By("ann") with { RequestId = "once" });

        var grant = await _leases.GrantAsync(By("ann") with { RequestId = "once" });

        Assert.False(grant.Replayed);
        Assert.Equal(Seconds(30), grant.Remaining);
    }

    [Fact]
    public async Task Release_WhenWrittenButNotConfirmed_IsReplayed()
    {
        var grant = await _leases.GrantAsync(By("ann"));
        _store.AfterSave = ScriptedStore.Once(Fault);

        var unknown = Assert.IsType<Refusal.OutcomeUnknown>((await _leases.ReleaseAsync(grant)).Refusal);

        Assert.Null(unknown.RequestId);
        Assert.True((await _leases.ReleaseAsync(grant)).Value.Replayed);
        Assert.True((await _leases.GrantAsync(By("bob"))).Token > grant.Token);
    }

    [Fact]
    public async Task Renew_WhenWrittenButNotConfirmed_HoldsForWhatMayHaveBeenTold()
    {
        var grant = await _leases.GrantAsync(By("ann"));
        _time.Advance(Seconds(20));
        _store.AfterSave = ScriptedStore.Once(Fault);
        Assert.IsType<Refusal.OutcomeUnknown>((await _leases.RenewAsync(grant)).Refusal);

        // Stored was a horizon of ttl and reserve from then: the place is not given away before that.
        _time.Advance(Seconds(59));
        await _leases.RefusedAsync<Refusal.Held>(By("bob"));
        _time.Advance(Seconds(1));
        await _leases.GrantAsync(By("bob"));
    }

    [Fact]
    public async Task Renew_AfterAnUnknownOutcome_KeepsTheToken()
    {
        var grant = await _leases.GrantAsync(By("ann"));
        _time.Advance(Seconds(20));
        _store.BeforeSave = ScriptedStore.Once(Fault);
        Assert.IsType<Refusal.OutcomeUnknown>((await _leases.RenewAsync(grant)).Refusal);

        var renewal = (await _leases.RenewAsync(grant)).Value;

        Assert.Equal(grant.Token, renewal.Token);
        Assert.InRange(renewal.Remaining, Seconds(30), Seconds(30));
    }

    [Fact]
    public async Task Waiter_ServedByAWriteThatWasNotConfirmed_IsToldToRepeat()
    {
        var grant = await _leases.GrantAsync(By("ann"));
        var waiting = await _leases.WaitInQueueAsync(By("bob") with { RequestId = "bob" });
        _store.AfterSave = ScriptedStore.Once(Fault);
        Assert.IsType<Refusal.OutcomeUnknown>((await _leases.ReleaseAsync(grant)).Refusal);

        var answer = await waiting.WaitAsync(WaitTimeout);

        Assert.Equal("bob", Assert.IsType<Refusal.OutcomeUnknown>(answer.Refusal).RequestId);
        Assert.True((await _leases.GrantAsync(By("bob") with { RequestId = "bob" })).Token > grant.Token);
    }

    [Fact]
    public async Task Load_WhenItFails_IsUnavailableAndChangesNothing()
    {
        _store.BeforeLoad = () => throw Fault;
        await _leases.RefusedAsync<Refusal.Unavailable>(By("ann"));
        _store.BeforeLoad = null;

        Assert.Equal(0, _store.Saves);
        await _leases.GrantAsync(By("ann"));
    }

    [Fact]
    public async Task Waiter_WhenNeitherSavesNorLoadsWork_IsAnsweredWhenItsWaitIsOver()
    {
        await _leases.GrantAsync(By("ann") with { Ttl = Seconds(5) });
        var waiting = await _leases.WaitInQueueAsync(By("bob") with { Wait = Seconds(8) });
        _store.BeforeSave = _ => Task.FromException(Fault);
        _store.BeforeLoad = () => throw Fault;

        for (var second = 0; second < 12 && !waiting.IsCompleted; second++) _time.Advance(Seconds(1));

        Assert.NotNull((await waiting.WaitAsync(WaitTimeout)).Refusal);
    }
}
