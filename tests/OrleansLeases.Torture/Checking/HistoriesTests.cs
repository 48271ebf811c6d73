using OrleansLeases.Testing.Linearizability;

namespace OrleansLeases.Torture.Checking;

/// <summary>Recorded calls as histories: which have an order, and which have none.</summary>
public sealed class HistoriesTests
{
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(10);

    [Fact]
    public void RepeatOfALostResponse_IsOneGrant() => Assert.Null(Fault(
        Lost(0, 1, Acquire("ann")), Acquired(2, 3, "ann", 1), Acquired(4, 5, "ann", 1), Released(6, 7, "ann", 1),
        Acquired(8, 9, "bob", 2)));

    [Fact]
    public void RepeatThatIsGrantedAnew_HasNoOrder() =>
        Assert.NotNull(Fault(Acquired(0, 1, "ann", 1), Acquired(2, 3, "bob", 2), Acquired(4, 5, "ann", 1)));

    [Fact]
    public void GrantWhileAnotherIsHeld_HasNoOrder() => Assert.NotNull(Fault(Acquired(0, 1, "ann", 1), Acquired(2, 3, "bob", 2)));

    [Fact]
    public void GrantAfterAReleaseThatWasLost_HasAnOrder() => Assert.Null(Fault(
        Acquired(0, 1, "ann", 1), Lost(2, 3, new ReleaseRequest { Resource = "r", Owner = "ann", Token = 1 }), Acquired(4, 5, "bob", 2)));

    [Fact]
    public void TokenThatCameTwice_HasNoOrder() => Assert.NotNull(
        Fault(Acquired(0, 1, "ann", 1), Released(2, 3, "ann", 1), Acquired(4, 5, "bob", 1)));

    [Fact]
    public void HolderThatIsToldItIsNone_HasNoOrder()
    {
        var renewal = new RenewRequest { Resource = "r", Owner = "ann", Token = 1 };
        var refusal = new Refusal.NotHolder(NotHolderReason.Expired, 1, "");
        RecordedCall[] calls = [Acquired(0, 1, "ann", 1), new(At(2), At(3), renewal, null, refusal)];

        Assert.NotNull(Fault(calls));
        Assert.Null(LeaseHistoryChecker.FindFault(Histories.Of(calls, withRefusals: false), TimeSpan.Zero));
    }

    private static string? Fault(params RecordedCall[] calls) =>
        LeaseHistoryChecker.FindFault(Histories.Of(calls, withRefusals: true), TimeSpan.FromMinutes(1));

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static AcquireRequest Acquire(string owner) => new() { Resource = "r", Owner = owner, Ttl = Ttl, RequestId = owner };

    private static RecordedCall Lost(double invoked, double returned, object request) =>
        new(At(invoked), At(returned), request, null, new Refusal.OutcomeUnknown(null, ""));

    private static RecordedCall Acquired(double invoked, double returned, string owner, long token) => new(
        At(invoked), At(returned), Acquire(owner),
        new LeaseGrant
        {
            Resource = "r", Owner = owner, Token = token, Mode = LeaseMode.Exclusive, Ttl = Ttl, Remaining = Ttl, Elapsed = TimeSpan.Zero,
            RenewAfter = TimeSpan.Zero, RequestId = owner,
        },
        null);

    private static RecordedCall Released(double invoked, double returned, string owner, long token) => new(
        At(invoked), At(returned), new ReleaseRequest { Resource = "r", Owner = owner, Token = token },
        new LeaseRelease { Resource = "r", Token = token }, null);
}
