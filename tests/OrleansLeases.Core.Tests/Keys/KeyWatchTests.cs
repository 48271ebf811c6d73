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
        Put(keeper, "old");
        await using var watch = Now<KeyReply.Watched>(keeper.Submit(new KeyCommand.Watch(new(1)))!).Watch!.Start(ended: false)
            .GetAsyncEnumerator();
        var next = watch.MoveNextAsync().AsTask();
        Put(twin, "new");

        Wake(after: 4.999);
        Assert.Equal("old", Known());
        Wake(after: 0.001);

        Assert.Equal("new", Known());
        Assert.True(await next.WaitAsync(WaitTimeout));
        Assert.Equal("new", Assert.IsType<WatchEvent.KeyChanged>(watch.Current).Key.Value);

        void Put(KeyKeeper at, string value) => Now<KeyReply.Written>(
            at.Submit(KeyCommand.Of(new PutKeyRequest { Value = value, RequestId = value }))!);

        string Known() => Now<KeyReply.Found>(keeper.Submit(new KeyCommand.Get())!).Value;

        void Wake(double after)
        {
            fixture.AlarmsRing = false;
            fixture.Advance(after);
            Assert.False(keeper.OnAlarm(Seconds(5)));
            var alarms = fixture.AlarmsSet;
            Assert.True(keeper.Wake().IsCompletedSuccessfully);
            // Whether it was too early or not.
            Assert.Equal(alarms + 1, fixture.AlarmsSet);
        }
    }

    [Fact]
    public async Task Watch_AtATwinThatKnowsAnOlderValue_BeginsWithTheNewOne()
    {
        var (fixture, store) = (new KeeperFixture(), new MemoryRecordStore());
        SynchronizationContext.SetSynchronizationContext(null);
        var (keeper, twin) = (new KeyKeeper("k", fixture.Host, store), new KeyKeeper("k", fixture.Host, store));
        foreach (var (at, value) in new[] { (keeper, "old"), (twin, "new") })
            Now<KeyReply.Written>(at.Submit(KeyCommand.Of(new PutKeyRequest { Value = value, RequestId = value }))!);

        await using var watch = Now<KeyReply.Watched>(keeper.Submit(new KeyCommand.Watch(null))!).Watch!.Start(ended: false)
            .GetAsyncEnumerator();

        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(WaitTimeout));
        Assert.Equal("new", Assert.IsType<WatchEvent.KeySnapshot>(watch.Current).Key.Value);
    }
}
