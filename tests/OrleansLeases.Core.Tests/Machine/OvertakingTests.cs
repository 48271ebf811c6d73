using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>Who may pass whom in the queue.</summary>
public sealed class OvertakingTests
{
    private readonly MachineFixture _fixture = new();

    [Fact]
    public void Acquire_ThatComesBackToItsPlace_KeepsThoseBehindItFromPassing()
    {
        _fixture.Grant(AskShared("one", capacity: 2, ttl: 10));
        _fixture.Grant(AskShared("two", capacity: 2, ttl: 60));
        _fixture.Wait(Ask("first"), present: false);
        _fixture.Wait(AskShared("second", capacity: 2));
        _fixture.Advance(10);

        // In the same moment a place becomes free that the second would fit.
        Assert.Equal(1, Refused<Refusal.Held>(_fixture.Acquire(Ask("first"))).Position);

        Assert.Equal("two", Assert.Single(_fixture.State.Holders).Owner);
    }

    // Its place is its answer: it need not be told when to ask again.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Acquire_ThatDoesNotWait_IsToldWhenToAskAgain_UnlessItHasAPlace(bool hasPlace)
    {
        _fixture.Grant("holder", ttl: 10);
        if (hasPlace) _fixture.Wait(Ask("me") with { Wait = Seconds(5) });

        Assert.Equal(Seconds(hasPlace ? 0 : 10), Refused<Refusal.Held>(_fixture.Acquire(Ask("me"))).RetryAfter);
    }
}
