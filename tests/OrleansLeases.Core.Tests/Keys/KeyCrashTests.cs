using static OrleansLeases.Core.Tests.KeyAnswers;

namespace OrleansLeases.Core.Tests;

/// <summary>A put and its clean-up that a crash, an unknown outcome or a silent lease cuts off.</summary>
public sealed class KeyCrashTests : KeyRaceFixture
{
    [Fact]
    public void Insert_ThatLandsAfterAnAcknowledgedCleanUp_Loses()
    {
        var lease = Grant();
        _ = Put("up", lease);
        World.Pass<KeyCommand.Put>();
        World.Pass<LeaseCommand.Attach>();
        World.Start<KeyCommand.Put>();
        // The host dies while the insert is on its way to the disk.
        Assert.True(Assert.Single(World.Store.Held).IsWrite);
        World.Crash();
        Release(lease);
        World.Settle();
        while (World.CleanOne()) World.Settle();
        Assert.Null(World.Store.Lease(R).Pending);

        World.Store.LandStray(0);

        Assert.Null(World.Store.Key(K).Value);
        Assert.IsType<Refusal.NotFound>(Get().Refusal);
    }

    [Fact]
    public void Write_WhoseOutcomeIsUnknown_IsFoundByItsRequestId()
    {
        var lease = Grant();
        var put = Put("up", lease, "once");
        World.Pass<KeyCommand.Put>();
        World.Pass<LeaseCommand.Attach>();
        var write = World.Start<KeyCommand.Put>();
        World.Store.Held.Single().Land();
        World.Store.Held.Single().Fail(mayLandYet: false);
        write.Deliver();
        Assert.Equal("once", Assert.IsType<Refusal.OutcomeUnknown>(Result(put).Refusal).RequestId);

        Assert.Equal(1, Settled(Put("up", lease, "once")).Value.Version);
        Assert.Equal(1, World.Store.Key(K).Revision);
    }

    [Fact]
    public void Attach_WhoseOutcomeIsUnknown_IsReportedWithTheRequestIdOfThePut()
    {
        var lease = Grant();
        var put = Put("up", lease, "once");
        World.Pass<KeyCommand.Put>();
        var attach = World.Start<LeaseCommand.Attach>();
        World.Store.Held.Single().Fail(mayLandYet: true);
        attach.Deliver();
        Assert.Equal("once", Assert.IsType<Refusal.OutcomeUnknown>(Result(put).Refusal).RequestId);

        Assert.Equal(1, Settled(Put("up", lease, "once")).Value.Version);
    }

    [Fact]
    public void Lease_ThatDoesNotAnswerInTime_IsUnavailable()
    {
        var lease = Grant();
        Settled(Put("up", lease));
        var get = World.Calls.GetAsync(K);
        World.Pass<KeyCommand.Get>();
        Assert.Single(World.Asks);

        World.Time.Advance(KeyOperations.LeaseTimeout);

        Assert.IsType<Refusal.Unavailable>(Result(get).Refusal);
    }

    // Where every step of a put and its clean-up can be cut off: everything but the store is gone then.
    [Fact]
    public void Crash_AtAnyStep_LeavesNothingBehind()
    {
        for (var steps = 0; ; steps++)
        {
            var world = new KeyWorld();
            var done = RunAndCrash(world, steps);
            world.Settle();
            // As after a restart: the lease is over at the latest when its time is.
            world.Time.Advance(TimeSpan.FromMinutes(5));
            for (var i = 0; i < 10; i++)
            {
                world.Sweep();
                world.Settle();
                while (world.CleanOne()) world.Settle();
                world.Store.LandStray(i);
            }

            Assert.Null(world.Store.Key(K).Value);
            Assert.Null(world.Store.Lease(R).Pending);
            Assert.Empty(world.Store.Lease(R).Holders);
            if (done)
            {
                Assert.InRange(steps, 10, 100);
                return;
            }
        }
    }

    /// <summary>A grant, a put, the release and the clean-up, cut off after so many steps; true where it came to its end.</summary>
    private static bool RunAndCrash(KeyWorld world, int steps)
    {
        Task? grant = null, release = null;
        Task<LeaseResult<KeyPut>>? put = null;
        KeyLease? lease = null;
        for (var i = 0; i < steps; i++)
        {
            if (world.Store.Held.Count > 0)
            {
                // Half a step: on disk, but not acknowledged.
                if (i + 1 == steps && steps % 2 == 0) world.Store.Held[0].Land();
                else world.Store.Held[0].Answer();
            }
            else if (world.Asks.Find(ask => !ask.IsStarted) is { } next) next.Start();
            else if (world.Asks.Find(ask => ask.IsAnswered) is { } answered) answered.Deliver();
            else if (grant is null) grant = world.Lease(R, LeaseCommand.Of(MachineFixture.Ask("me") with { Resource = R }));
            else if (put is null)
            {
                lease = new KeyLease { Resource = R, Owner = "me", Token = Now<LeaseGrant>(grant).Token };
                put = world.Calls.PutAsync(K, new PutKeyRequest { Value = "up", Lease = lease, RequestId = "once" });
            }
            else if (release is null) release = world.Lease(R, ReleaseOf(lease!));
            else if (world.CleanUps is [var (resource, ended)] && ended.Token > 0)
            {
                world.CleanUps.Clear();
                _ = CleanAsync(world, resource, ended);
            }
            else
            {
                world.Crash();
                return true;
            }
        }

        world.Crash();
        return false;
    }

    private static async Task CleanAsync(KeyWorld world, string resource, PendingCleanUp ended)
    {
        foreach (var key in ended.Keys) await world.AskKeyAsync(key, new KeyCommand.Clean(resource, ended.Token));
        await world.AskLeaseAsync(resource, new LeaseCommand.CleanUpDone(ended.Token, ended.Keys));
    }
}
