using System.IO.Pipes;
using OrleansLeases.Cli.Running;
using OrleansLeases.Client.Holding;
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
        Assert.Equal(
            new TerminationTimes(TimeSpan.FromMilliseconds(lead), TimeSpan.FromMilliseconds(margin)),
            TerminationTimes.For(TimeSpan.FromMilliseconds(ttl)));

    [Fact]
    public void Message_OfEachKind_IsReadAsWritten()
    {
        var deadline = new Deadline(long.MaxValue);
        GuardMessage[] messages =
        [
            new GuardMessage.Start(9_007_199_254_740_991, deadline), new GuardMessage.Until(deadline), new GuardMessage.Lost(),
            new GuardMessage.Ready(),
            new GuardMessage.Forward(15), new GuardMessage.Ended(137), new GuardMessage.EndedForLease(),
            new GuardMessage.Continue(), new GuardMessage.Stopped(), new GuardMessage.Unguarded(),
        ];

        Assert.Equal(messages, messages.Select(message => GuardMessage.Parse(message.Line)));
    }

    [Theory]
    [InlineData(5, 5)]
    [InlineData(5, 65)]
    [InlineData(5, -100)]
    public void Left_WhenTheWallClockSteps_IsWhatTheOtherClockSays(int passed, int wall)
    {
        var clock = new ManualTimeProvider();
        var deadline = Deadline.Now(clock).Plus(TimeSpan.FromSeconds(10), clock);

        clock.Advance(TimeSpan.FromSeconds(passed), TimeSpan.FromSeconds(wall));

        Assert.Equal(TimeSpan.FromSeconds(10 - passed), deadline.Left(clock));
    }

    [Fact]
    public void Plus_OfAYear_DoesNotOverflow()
    {
        var clock = BootTime.Instance!;
        Assert.InRange(Deadline.Now(clock).Plus(TimeSpan.FromDays(365), clock).Left(clock), TimeSpan.FromDays(364), TimeSpan.FromDays(365));
    }

    [Fact]
    public void Stop_ThatIsHeld_IsTakenBackByAContinue()
    {
        Linux.Hold(Linux.SigTstp);
        try
        {
            Assert.False(Linux.IsHeld(Linux.SigTstp));
            _ = Linux.Raise(Linux.SigTstp);
            Assert.True(Linux.IsHeld(Linux.SigTstp));

            _ = Linux.Kill(Environment.ProcessId, Linux.SigCont);

            Assert.False(Linux.IsHeld(Linux.SigTstp));
        }
        finally
        {
            Linux.Discard(Linux.SigTstp);
            Linux.Release(Linux.SigTstp);
        }
    }

    [Fact]
    public void Pipe_WhoseWriterHasEnded_HasHungUp()
    {
        using var reader = new AnonymousPipeServerStream(PipeDirection.In);
        var pipe = (int)reader.SafePipeHandle.DangerousGetHandle();
        Assert.False(Linux.HasHungUp(pipe));

        reader.DisposeLocalCopyOfClientHandle();

        Assert.True(Linux.HasHungUp(pipe));
    }
}
