using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>What a request is told that finds the resource held: by whom, and when to ask again.</summary>
public sealed class HeldTests
{
    private readonly MachineFixture _fixture = new();

    [Theory]
    [InlineData("you", LeaseMode.Shared, 2, 10)]
    [InlineData("you", LeaseMode.Exclusive, null, 30)]
    // Its own lease is what it waits for, and it is not known here which that is.
    [InlineData("b", LeaseMode.Shared, 2, 30)]
    public void Held_BySeveral_SaysWhenThereIsRoomForTheRequest(string owner, LeaseMode mode, int? capacity, double retryAfter)
    {
        _fixture.Grant(AskShared("a", capacity: 2, ttl: 30));
        _fixture.Grant(AskShared("b", capacity: 2, ttl: 10));

        var refusal = Refused<Refusal.Held>(
            _fixture.Acquire(Ask(owner, id: "new") with { Mode = mode, Capacity = capacity }));

        Assert.Equal((Seconds(retryAfter), owner == "b"), (refusal.RetryAfter, refusal.SameOwner));
        Assert.Equal([("a", Seconds(30)), ("b", Seconds(10))], refusal.Holders.Select(holder => (holder.Owner, holder.Remaining)));
    }

    [Fact]
    public void Held_SaysWhatIsInTheWay()
    {
        _fixture.Grant(Ask("a", ttl: 10) with { LockDelay = Seconds(5) });
        Says("'r' is held by 'a'; a place is free in 10000 ms", Ask("b"));
        Says("'a' holds 'r' already", Ask("a", id: "other"));

        _fixture.Advance(10);
        Says("lock-delay that 'a' left; it ends in 5000 ms", Ask("b"));
    }

    [Fact]
    public void Held_ByMany_NamesOneAndCountsTheOthers()
    {
        for (var i = 0; i < 3; i++) _fixture.Grant(AskShared($"o{i}"));
        Says("is held by 'o0', 'o1', 'o2';", Ask("b"));
        _fixture.Grant(AskShared("o3"));
        Says("is held by 'o0' and 3 others;", Ask("b"));
    }

    [Fact]
    public void Capacity_ThatDiffers_IsNamedBesideTheOneInForce()
    {
        _fixture.Grant(AskShared("a", capacity: 2));

        foreach (var (capacity, text) in new[] { ((int?)3, "capacity 3 differs from 2"), (null, "capacity (unlimited) differs from 2") })
        {
            var refusal = Refused<Refusal.Conflict>(_fixture.Acquire(AskShared("b", capacity)));
            Assert.Contains(text, refusal.Detail, StringComparison.Ordinal);
        }
    }

    private void Says(string text, AcquireRequest request) =>
        Assert.Contains(text, Refused<Refusal.Held>(_fixture.Acquire(request)).Detail, StringComparison.Ordinal);
}
