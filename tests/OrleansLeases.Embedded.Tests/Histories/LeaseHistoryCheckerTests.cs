using OrleansLeases.Testing.Linearizability;
using static OrleansLeases.Testing.Linearizability.LeaseOperation;

namespace OrleansLeases.Embedded.Tests.Histories;

/// <summary>The checker itself: what it must accept, and what it must not.</summary>
public sealed class LeaseHistoryCheckerTests
{
    private static readonly TimeSpan Ttl = At(10);
    private static readonly TimeSpan Grace = At(2);

    [Fact]
    public void HandOver_ByRelease_IsAccepted() => Accepts(Granted(0, 1, 1), new Ended(At(2), At(3), 1), Granted(4, 5, 2));

    [Fact]
    public void Grant_DuringAConcurrentRelease_IsAccepted() => Accepts(Granted(0, 1, 1), new Ended(At(2), At(8), 1), Granted(3, 5, 2));

    [Fact]
    public void Grant_AfterExpiry_IsAcceptedFromTheCallAndItsTimeOn()
    {
        Accepts(Granted(0, 1, 1), Granted(9, 10, 2));
        Refuses(Granted(0, 1, 1), Granted(8, 9.9, 2));
    }

    [Fact]
    public void Grant_ToAnother_OnceTheFirstWasAnsweredTooLate_IsAccepted()
    {
        Assert.False(Granted(0, 11, 1).WasInForce);
        Accepts(Granted(0, 11, 1), Granted(11, 11, 2));
        Assert.True(Granted(0, 9, 1).WasInForce);
        Refuses(Granted(0, 9, 1), Granted(9, 9, 2));
    }

    [Fact]
    public void Grant_ThatIsWaitedFor_IsAcceptedOnceTheHolderIsOver() =>
        Accepts(Granted(0, 1, 1), Granted(2, 13, 2), new FoundHeld(At(13), At(14), "owner-2"));

    [Fact]
    public void Grant_BeforeTheHolderIsOver_IsRefused()
    {
        Refuses(Granted(0, 1, 1), Granted(2, 3, 2));
        Refuses(Granted(0, 1, 1), new Renewed(At(5), At(6), 1, Ttl, Ttl), Granted(11, 12, 2));
        Accepts(Granted(0, 1, 1), new Renewed(At(5), At(6), 1, Ttl, Ttl), Granted(14, 15, 2));
    }

    [Fact]
    public void Tokens_ThatDoNotGrow_AreRefused()
    {
        Refuses(Granted(0, 1, 2), new Ended(At(2), At(3), 2), Granted(4, 5, 2));
        Refuses(Granted(0, 1, 2), new Ended(At(2), At(3), 2), Granted(4, 5, 1));
        Refuses(Granted(0, 1, 2), new Transferred(At(2), At(3), 2, "b", 2, Ttl, Ttl));
    }

    [Fact]
    public void Holder_BeyondTheGrace_IsRefused()
    {
        Accepts(Granted(0, 1, 1), new FoundHeld(At(12.5), At(13), "owner-1"));
        Refuses(Granted(0, 1, 1), new FoundHeld(At(13.5), At(14), "owner-1"));
        Refuses(Granted(0, 1, 1), new Renewed(At(14), At(15), 1, Ttl, Ttl));
        Refuses(Granted(0, 1, 1), new Read(At(14), At(15), 1));
    }

    [Fact]
    public void Refusal_WithoutAHolder_IsRefused()
    {
        Refuses(new FoundHeld(At(0), At(1), "owner-1"));
        Refuses(Granted(0, 1, 1), new Ended(At(2), At(3), 1), new FoundHeld(At(4), At(5), "owner-1"));
        Accepts(Granted(0, 1, 1), new Ended(At(2), At(5), 1), new FoundHeld(At(4), At(5), "owner-1"));
        Refuses(Granted(0, 1, 1), new FoundHeld(At(4), At(5), "someone else"));
    }

    [Fact]
    public void LiveHolder_ToldThatItIsNone_IsRefused()
    {
        Refuses(Granted(0, 1, 1), new LeaseOperation.NotHolder(At(2), At(3), 1));
        Accepts(Granted(0, 1, 1), new LeaseOperation.NotHolder(At(2), At(10), 1));
        Accepts(Granted(0, 1, 1), new LeaseOperation.NotHolder(At(2), At(3), 7));
    }

    [Fact]
    public void ToldExpired_AndThenRenewed_IsRefused() =>
        Refuses(Granted(0, 1, 1), new LeaseOperation.NotHolder(At(10), At(10.5), 1), new Renewed(At(11), At(11.5), 1, Ttl, Ttl));

    [Fact]
    public void Transfer_EndsTheOldTokenAtOnce()
    {
        var moved = new Transferred(At(2), At(3), 1, "b", 2, Ttl, Ttl);
        Accepts(Granted(0, 1, 1), moved, new Renewed(At(4), At(5), 2, Ttl, Ttl), new LeaseOperation.NotHolder(At(4), At(5), 1));
        Refuses(Granted(0, 1, 1), moved, new Renewed(At(4), At(5), 1, Ttl, Ttl));
        Refuses(Granted(0, 1, 1), moved, Granted(11, 11.5, 3));
    }

    [Fact]
    public void Read_OfTheWrongTime_IsRefused()
    {
        Refuses(Granted(0, 1, 1), new Read(At(2), At(3), null));
        Refuses(Granted(0, 1, 1), new Ended(At(2), At(3), 1), new Read(At(4), At(5), 1));
        Accepts(Granted(0, 3, 1), new Read(At(1), At(2), null), new Read(At(1), At(2), 1));
        Refuses(Granted(0, 5, 1), new Read(At(1), At(2), 1), new Read(At(3), At(4), null));
    }

    [Fact]
    public void CallWithoutAnAnswer_MayHaveHappenedOrNot()
    {
        var lost = new Ended(At(2), TimeSpan.MaxValue, 1) { Certain = false };
        Accepts(Granted(0, 1, 1), lost, Granted(4, 5, 2));
        Accepts(Granted(0, 1, 1), lost, new Renewed(At(8), At(9), 1, Ttl, Ttl));
        Refuses(Granted(0, 1, 1), lost, Granted(4, 5, 2), new Renewed(At(6), At(7), 1, Ttl, Ttl));
    }

    [Fact]
    public void GrantThatWasOverBeforeItWasTold_MayBeSeenByOthers()
    {
        var late = new GrantedUntold(At(0), At(12), From: null, "late", Ttl, Ttl);
        Accepts(late, new FoundHeld(At(3), At(4), "late"), new Read(At(5), At(6), 3), Granted(11, 12, 4));
        Refuses(late, Granted(0.5, 1, 1), new FoundHeld(At(5), At(6), "late"));
        Refuses(late, new FoundHeld(At(3), At(4), "late"), Granted(5, 6, 4));
        Accepts(
            Granted(0, 1, 1), late with { Invoked = At(2), From = 1, Certain = false }, new FoundHeld(At(3), At(4), "late"),
            Granted(12, 12.5, 4));
        Accepts(Granted(0, 1, 1), late with { Invoked = At(2), From = 1, Certain = false }, new FoundHeld(At(3), At(4), "owner-1"));
    }

    [Fact]
    public void ManyConcurrentCalls_AreCheckedInShortTime()
    {
        var history = new List<LeaseOperation>();
        for (var i = 0; i < 400; i++)
        {
            var start = i * 4;
            history.Add(Granted(start - 20, start + 1, i + 1) with { Told = At(26) });
            history.Add(new Ended(At(start + 2), At(start + 4), i + 1));
            for (var j = 0; j < 6; j++) history.Add(new LeaseOperation.NotHolder(At(start - j), At(start + 3 + j), i));
        }

        Accepts([.. history]);
        Refuses([.. history, new Ended(At(900), At(901), 5)]);
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static Granted Granted(double invoked, double returned, long token) =>
        new(At(invoked), At(returned), $"owner-{token}", token, Ttl, Ttl);

    private static void Accepts(params LeaseOperation[] history) => Assert.Null(LeaseHistoryChecker.FindFault(history, Grace));

    private static void Refuses(params LeaseOperation[] history) => Assert.NotNull(LeaseHistoryChecker.FindFault(history, Grace));
}
