using OrleansLeases.Testing.Load;

namespace OrleansLeases.Torture.Checking;

/// <summary>The book itself: what it must find.</summary>
public sealed class BookTests
{
    private readonly Book _book = new("r", ownersAskOnce: true);

    [Fact]
    public void History_OfGrantsAndTheirEnds_IsSound()
    {
        Assert.Empty(Enter(Granted(1, 1, "ann"), Ended(2, 1, "ann", LeaseEventKind.Released), Granted(3, 2, "bob")));
        Assert.Empty(Enter(Granted(1, 1, "ann"), Ended(2, 1, "ann", LeaseEventKind.Released), Granted(3, 2, "bob")));

        Assert.Null(_book.FindFault(Told(1, "ann", LeaseEventKind.Released), done: true));
        Assert.Null(_book.FindFault(Told(2, "bob"), done: false));
    }

    [Fact]
    public void RequestThatWasAppliedTwice_IsFound() =>
        Assert.NotEmpty(Enter(Granted(1, 1, "ann"), Ended(2, 1, "ann", LeaseEventKind.Expired), Granted(3, 2, "ann")));

    [Fact]
    public void TokenThatWasGrantedTwice_IsFound() =>
        Assert.NotEmpty(Enter(Granted(1, 1, "ann"), Ended(2, 1, "ann", LeaseEventKind.Expired), Granted(3, 1, "bob")));

    [Fact]
    public void GrantWhileHeld_IsFound() => Assert.NotEmpty(Enter(Granted(1, 1, "ann"), Granted(2, 2, "bob")));

    [Fact]
    public void ChangesThatWereForgotten_AreFound()
    {
        Assert.Empty(Enter(Granted(1, 1, "ann"), Ended(2, 1, "ann", LeaseEventKind.Released)));

        Assert.NotEmpty(Enter(Granted(1, 1, "ann")));
    }

    [Fact]
    public void ChangesThatWereRewritten_AreFound()
    {
        Assert.Empty(Enter(Granted(1, 1, "ann")));

        Assert.NotEmpty(Enter(Granted(1, 1, "bob")));
    }

    [Fact]
    public void WhatWasToldAndIsNotThere_IsFound()
    {
        Assert.Empty(Enter(Granted(1, 1, "ann")));

        Assert.NotNull(_book.FindFault(Told(2, "bob"), done: false));
        Assert.NotNull(_book.FindFault(Told(1, "bob"), done: false));
        Assert.NotNull(_book.FindFault(Told(1, "ann", LeaseEventKind.Released), done: true));
    }

    [Fact]
    public void EndThatNobodyAskedFor_IsFound()
    {
        Assert.Empty(Enter(Granted(1, 1, "ann"), Ended(2, 1, "ann", LeaseEventKind.Released)));

        Assert.NotNull(_book.FindFault(Told(1, "ann"), done: false));
    }

    private static Ledger.Tenure Told(long token, string owner, LeaseEventKind? asked = null) =>
        new("r", owner, token, TimeSpan.Zero) { Asked = asked };

    private static LeaseEvent Granted(long sequence, long token, string owner) => Ended(sequence, token, owner, LeaseEventKind.Granted);

    private static LeaseEvent Ended(long sequence, long token, string owner, LeaseEventKind kind) =>
        new() { Sequence = sequence, Kind = kind, Token = token, Owner = owner, At = DateTimeOffset.UnixEpoch };

    private List<string> Enter(params LeaseEvent[] events) =>
        [.. _book.Enter(new LeaseHistory { Resource = "r", FirstSequence = 1, Events = events })];
}
