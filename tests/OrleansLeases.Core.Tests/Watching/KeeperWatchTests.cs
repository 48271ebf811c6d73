using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>Where the watch of one keeper ends; whoever follows it starts the next one at once, so it must not end before.</summary>
public sealed class KeeperWatchTests
{
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(30);

    private readonly KeeperFixture _fixture = new();

    [Fact]
    public async Task Watch_StartedAfterAnUnknownOutcome_WaitsForTheNextChange()
    {
        await using var before = Now<LeaseWatch>(_fixture.Keeper.Submit(new LeaseCommand.Watch(new(0)))!).GetAsyncEnumerator();
        var ended = before.MoveNextAsync();
        _fixture.Store.OnSave(_ => throw new IOException("before"));
        Now<Refusal.OutcomeUnknown>(_fixture.Acquire(Ask()));
        Assert.False(await ended.AsTask().WaitAsync(WaitTimeout));

        await using var after = Now<LeaseWatch>(_fixture.Keeper.Submit(new LeaseCommand.Watch(new(0)))!).GetAsyncEnumerator();
        var next = after.MoveNextAsync();

        Assert.False(next.IsCompleted);
        _fixture.Grant();
        Assert.True(await next.AsTask().WaitAsync(WaitTimeout));
    }

    [Fact]
    public async Task Watch_StartedWhileTheKeeperStops_Ends()
    {
        _fixture.Store.Hold = true;
        var starting = _fixture.Keeper.Submit(new LeaseCommand.Watch(new(0)))!;
        _fixture.Keeper.Stop();
        _fixture.Store.Held[0].Complete();

        await using var events = Now<LeaseWatch>(starting).GetAsyncEnumerator();

        Assert.False(await events.MoveNextAsync().AsTask().WaitAsync(WaitTimeout));
    }
}
