using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>What a keeper answers without a task, and what it leaves to the queue.</summary>
public sealed class AnswerAtOnceTests
{
    private readonly KeeperFixture _fixture = new(idleAfter: Seconds(10));

    [Fact]
    public void Renewal_WithinTheHorizon_IsAnsweredAndKept()
    {
        var token = Held();
        _fixture.Advance(1);

        Assert.True(TryRenew(token, out var answer));

        Assert.Equal((Seconds(10), TimeSpan.Zero), (answer.Value.Remaining, answer.Value.Elapsed));
        Assert.Equal(Seconds(10), Assert.Single(_fixture.Info().Holders).Remaining);
        _fixture.Advance(10 - 0.001);
        Now<Refusal.Held>(_fixture.Acquire(Ask("other")));
        _fixture.Advance(0.001);
        Now<LeaseGrant>(_fixture.Acquire(Ask("other")));
    }

    [Fact]
    public void Renewal_BeyondTheHorizon_IsLeftToTheStore()
    {
        var token = _fixture.Grant(ttl: 10).Token;
        _fixture.Advance(1);
        var saves = _fixture.Store.Saves;

        Assert.False(TryRenew(token, out _));

        // Nothing has become of it: the lease ends when it would have.
        Assert.Equal(saves, _fixture.Store.Saves);
        _fixture.Advance(9);
        Now<LeaseGrant>(_fixture.Acquire(Ask("other")));
    }

    [Fact]
    public void Renewal_OfALeaseThatIsOver_IsLeftToTheStore()
    {
        var token = Held();
        _fixture.AlarmsRing = false;
        _fixture.Advance(60);

        Assert.False(TryRenew(token, out _));
        Now<Refusal.NotHolder>(_fixture.Renew(token));
    }

    [Fact]
    public void Renewal_OfATokenThatAnotherActivationMayHaveGranted_IsComparedWithTheStoreFirst()
    {
        var token = Held();

        Assert.False(TryRenew(token + 1, out _));
    }

    [Fact]
    public void Renewal_BehindACallUnderWay_WaitsForIt()
    {
        var token = Held();
        _fixture.Store.Hold = true;
        var release = _fixture.Release(token);

        Assert.False(TryRenew(token, out _));
        var renewal = _fixture.Renew(token);
        _fixture.Store.Hold = false;
        Assert.Single(_fixture.Store.Held).Complete();

        Now<LeaseRelease>(release);
        Now<Refusal.NotHolder>(renewal);
    }

    [Fact]
    public void Renewal_AfterASaveWithUnknownOutcome_IsLeftToTheStore()
    {
        var token = Held();
        _fixture.Store.OnSave(_ => SaveOutcome.Unknown);
        Now<Refusal.OutcomeUnknown>(_fixture.Release(token));

        Assert.False(TryRenew(token, out _));
    }

    [Fact]
    public void Renewal_AtAKeeperThatStopped_IsRefused()
    {
        var token = Held();
        _fixture.Keeper.Stop();

        Assert.False(TryRenew(token, out _));
        Now<Refusal.Unavailable>(_fixture.Renew(token));
    }

    [Fact]
    public void Renewal_WhileOthersWait_ReleasesNoneOfThemTooLate()
    {
        var token = Held();
        var wait = _fixture.Acquire(Ask("other") with { Wait = Seconds(5) });
        _fixture.AlarmsRing = false;
        _fixture.Advance(6);

        Now<LeaseRenewal>(_fixture.Renew(token));

        Now<Refusal.Held>(wait);
    }

    // Renewed once, so that the stored horizon lies beyond the deadline.
    private long Held()
    {
        var token = _fixture.Grant(ttl: 10).Token;
        Now<LeaseRenewal>(_fixture.Renew(token));
        _fixture.Advance(1);
        Now<LeaseRenewal>(_fixture.Renew(token));
        return token;
    }

    private bool TryRenew(long token, out LeaseResult<LeaseRenewal> answer) => _fixture.Keeper.TryAnswer(
        LeaseCommand.Of(new RenewRequest { Resource = KeeperFixture.Resource, Owner = "me", Token = token }), out answer);
}
