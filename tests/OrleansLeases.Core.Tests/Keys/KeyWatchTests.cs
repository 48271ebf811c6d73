using OrleansLeases.Testing;
using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>Watches of a key: how they begin where its lease may have ended, and how they hear of another keeper's changes.</summary>
public sealed class KeyWatchTests : KeyRaceFixture
{
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Watch_OfABoundKey_BeginsWithItUnlessItsLeaseHasEnded(bool ended)
    {
        var lease = Grant();
        Assert.True(Settled(Put("up", lease)).TryGetValue(out _, out _));
        // The clean-up is on its way.
        if (ended) Release(lease);

        await using var watch = Settled(World.Calls.WatchAsync(K, since: null)).Value.GetAsyncEnumerator();

        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(WaitTimeout));
        Assert.Equal(ended ? null : "up", Assert.IsType<WatchEvent.KeySnapshot>(watch.Current).Key.Value);
    }

    [Fact]
    public void Watch_OfAKeyWhoseLeaseDoesNotAnswer_IsRefused()
    {
        Assert.True(Settled(Put("up", Grant())).TryGetValue(out _, out _));
        var watch = World.Calls.WatchAsync(K, since: null);
        World.Pass<KeyCommand.Watch>();

        World.Time.Advance(KeyOperations.LeaseTimeout);

        Assert.IsType<Refusal.Unavailable>(KeyAnswers.Result(watch).Refusal);
    }

    [Fact]
    public async Task Watch_OfAKeyThatATwinChanges_HearsOfItWithinFiveSeconds()
    {
        var (fixture, store) = (new KeeperFixture(), new MemoryRecordStore());
        SynchronizationContext.SetSynchronizationContext(null);
        var (keeper, twin) = (new KeyKeeper("k", fixture.Host, store), new KeyKeeper("k", fixture.Host, store));
        await using var watch = Now<KeyReply.Watched>(keeper.Submit(new KeyCommand.Watch(new(0)))!).Watch!.Start(ended: false)
            .GetAsyncEnumerator();
        var next = watch.MoveNextAsync().AsTask();
        Now<KeyReply.Written>(twin.Submit(KeyCommand.Of(new PutKeyRequest { Value = "up", RequestId = "q" }))!);

        Wake(keeper, after: 4.999);
        Assert.False(next.IsCompleted);
        // Woken too early it sets another alarm.
        Assert.True(fixture.Alarms > 0);
        Wake(keeper, after: 0.001);

        Assert.True(await next.WaitAsync(WaitTimeout));
        Assert.Equal("up", Assert.IsType<WatchEvent.KeyChanged>(watch.Current).Key.Value);

        void Wake(KeyKeeper woken, double after)
        {
            fixture.AlarmsRing = false;
            fixture.Advance(after);
            Assert.False(woken.OnAlarm(Seconds(5)));
            Assert.True(woken.Wake().IsCompletedSuccessfully);
        }
    }
}
