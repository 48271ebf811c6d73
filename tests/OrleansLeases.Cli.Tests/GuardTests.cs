using OrleansLeases.Cli.Running;
using OrleansLeases.Testing;

namespace OrleansLeases.Cli.Tests;

public sealed class GuardTests
{
    [Theory]
    [InlineData(500, 125, 50)]
    [InlineData(4_000, 1_000, 400)]
    [InlineData(30_000, 7_500, 1_000)]
    [InlineData(3_600_000, 10_000, 1_000)]
    public void Times_OfATtl_LeaveTimeToEnd(int ttl, int lead, int margin) =>
        Assert.Equal(new GuardTimes(TimeSpan.FromMilliseconds(lead), TimeSpan.FromMilliseconds(margin)), GuardTimes.For(TimeSpan.FromMilliseconds(ttl)));

    [Fact]
    public void Message_OfEachKind_IsReadAsWritten()
    {
        var deadline = new TwinInstant(long.MaxValue, new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero));
        GuardMessage[] messages =
        [
            new GuardMessage.Start(9_007_199_254_740_991, deadline), new GuardMessage.Until(deadline), new GuardMessage.Lost(), new GuardMessage.Ready(),
            new GuardMessage.Forward(15), new GuardMessage.Ended(137), new GuardMessage.EndedForLease(),
        ];

        Assert.Equal(messages, messages.Select(message => GuardMessage.Parse(message.Line)));
    }

    [Theory]
    [InlineData(5, 5, 5)]
    [InlineData(5, 65, -55)]
    [InlineData(12, 5, -2)]
    public void Left_WhenTheClocksDisagree_TakesTheOneThatWentFurther(int monotonic, int wall, int left)
    {
        var clock = new ManualTimeProvider();
        var deadline = TwinInstant.Now(clock).Plus(TimeSpan.FromSeconds(10), clock);

        clock.Advance(TimeSpan.FromSeconds(monotonic), TimeSpan.FromSeconds(wall));

        Assert.Equal(TimeSpan.FromSeconds(left), deadline.Left(clock));
    }

    [Fact]
    public void Plus_OfADay_DoesNotOverflow()
    {
        var instant = TwinInstant.Now(TimeProvider.System);
        Assert.InRange(instant.Plus(TimeSpan.FromDays(365), TimeProvider.System).Left(TimeProvider.System), TimeSpan.FromDays(364), TimeSpan.FromDays(365));
    }
}
