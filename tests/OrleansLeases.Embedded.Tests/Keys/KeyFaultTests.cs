using OrleansLeases.Core;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Keys;

/// <summary>Saves of keys whose outcome nobody knows, hanging leases, and a drain in the middle of it all.</summary>
public sealed class KeyFaultTests : IAsyncDisposable
{
    private static readonly IOException Fault = new("no answer");

    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();
    private readonly ScriptedStore _store = new(new MemoryRecordStore());
    private readonly EmbeddedLeases _leases;

    public KeyFaultTests() => _leases = Engines.Over(_store, _time);

    public async ValueTask DisposeAsync()
    {
        await _leases.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_WhoseOutcomeIsUnknown_IsAppliedOnceByItsRequestId(bool written)
    {
        if (written) _store.AfterSaveKey = Once(Fault);
        else _store.BeforeSaveKey = Once(Fault);
        Assert.Equal("once", Assert.IsType<Refusal.OutcomeUnknown>((await _leases.AddAsync("c", 5, "once")).Refusal).RequestId);

        Assert.Equal(written, (await _leases.AddAsync("c", 5, "once")).Value.Replayed);
        Assert.Equal("5", await _leases.ValueAsync("c"));
    }

    [Fact]
    public async Task Write_WithoutARequestId_IsToldTheOneToRepeat()
    {
        _store.AfterSaveKey = Once(Fault);
        var unknown = Assert.IsType<Refusal.OutcomeUnknown>((await _leases.PutAsync("k", "1")).Refusal);

        Assert.Equal(1, (await _leases.PutAsync("k", "1", requestId: unknown.RequestId)).Value.Version);
        Assert.Equal(2, (await _leases.PutAsync("k", "1")).Value.Version);
    }

    [Fact]
    public async Task Delete_WhoseOutcomeIsUnknown_MayBeRepeated()
    {
        await _leases.PutAsync("k", "1");
        _store.AfterSaveKey = Once(Fault);
        Assert.Null(Assert.IsType<Refusal.OutcomeUnknown>((await _leases.DeleteKeyAsync("k")).Refusal).RequestId);

        Assert.False((await _leases.DeleteKeyAsync("k")).Value.Existed);
    }

    [Fact]
    public async Task Attach_WhoseOutcomeIsUnknown_IsRepeatedByThePut()
    {
        var grant = await _leases.GrantAsync(By("ann"));
        _store.AfterSave = ScriptedStore.Once(Fault);
        Assert.Equal("once", Assert.IsType<Refusal.OutcomeUnknown>((await _leases.PutAsync("k", "1", grant, "once")).Refusal).RequestId);
        Assert.Null(await _leases.ValueAsync("k"));

        Assert.Equal(1, (await _leases.PutAsync("k", "1", grant, "once")).Value.Version);
    }

    [Fact]
    public async Task Lease_WhoseStoreHangs_LeavesItsKeysUnavailableAndOthersThere()
    {
        var gate = new TaskCompletionSource();
        var grant = await _leases.GrantAsync(By("ann"));
        await _leases.PutAsync("bound", "1", grant);
        await _leases.PutAsync("free", "1");
        _store.BeforeSave = _ => gate.Task;
        _time.Advance(Seconds(30));

        var bound = _leases.GetKeyAsync("bound").AsTask();
        var list = _leases.ListKeysAsync(new()).AsTask();
        Assert.Equal("1", await _leases.ValueAsync("free"));
        await UntilAsync(() =>
        {
            _time.Advance(Seconds(1));
            return Task.FromResult(bound.IsCompleted && list.IsCompleted);
        });

        Assert.IsType<Refusal.Unavailable>((await bound).Refusal);
        Assert.IsType<Refusal.Unavailable>((await list).Refusal);
        gate.SetResult();
        await UntilAsync(async () => (await _leases.GetKeyAsync("bound")).Refusal is Refusal.NotFound);
    }

    [Fact]
    public async Task EveryCall_AfterDisposal_IsUnavailable()
    {
        var grant = await _leases.GrantAsync(By("ann"));
        await _leases.PutAsync("k", "1", grant);
        await _leases.DisposeAsync();

        Assert.IsType<Refusal.Unavailable>((await _leases.PutAsync("k", "2", grant)).Refusal);
        Assert.IsType<Refusal.Unavailable>((await _leases.GetKeyAsync("k")).Refusal);
        Assert.IsType<Refusal.Unavailable>((await _leases.DeleteKeyAsync("k")).Refusal);
        Assert.IsType<Refusal.Unavailable>((await _leases.AddAsync("c", 1)).Refusal);
        Assert.IsType<Refusal.Unavailable>((await _leases.ListKeysAsync(new())).Refusal);
    }

    [Fact]
    public async Task CallsUnderWay_AreEitherDoneAndKeptOrRefused()
    {
        for (var round = 0; round < 5; round++)
        {
            var leases = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);
            var grant = await leases.GrantAsync(By("ann", $"round-{round}"));
            var calls = Enumerable.Range(0, 100).Select(
                i => Task.Run(() => leases.PutAsync($"{round}/{i}", "1", i % 2 == 0 ? grant : null))).ToList();
            await leases.PutAsync($"{round}/first", "1");
            await leases.DisposeAsync();
            var answers = await Task.WhenAll(calls).WaitAsync(WaitTimeout);

            await using var after = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);
            foreach (var (answer, i) in answers.Select((answer, i) => (answer, i)))
            {
                if (answer.Refusal is { } refusal) Assert.IsType<Refusal.Unavailable>(refusal);
                Assert.Equal(answer.Refusal is null ? "1" : null, await after.ValueAsync($"{round}/{i}"));
            }
        }
    }

    private static Func<string, KeyState, Task> Once(Exception error)
    {
        var left = 1;
        return (_, _) => Interlocked.Exchange(ref left, 0) == 1 ? Task.FromException(error) : Task.CompletedTask;
    }
}
