using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

public sealed class LeaseLogTests
{
    [Fact]
    public void Log_WhenItWraps_StillKnowsTheRequestsOf256GrantsAndReleases()
    {
        var fixture = new MachineFixture();
        for (var i = 1; i <= 700; i++)
        {
            fixture.Release(fixture.Grant(id: $"q{i}"));
            var oldest = Math.Max(1, i - 255);
            var token = Refused<Refusal.NotHolder>(fixture.Acquire(Ask(id: $"q{oldest}")));
            Assert.Equal(NotHolderReason.Released, token.Reason);
        }

        Assert.InRange(fixture.State.Log.Count, 512, fixture.Rules.LogLength);
        Assert.Equal(1400, fixture.State.Log.Last);
        Assert.Equal(fixture.State.Log.Last, fixture.State.Log.First + fixture.State.Log.Count - 1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(32)]
    [InlineData(600)]
    public void Restore_WhenTakenApart_IsTheSameLog(int entries)
    {
        var log = BlockLog.Empty<LogEntry>();
        for (var i = 1; i <= entries; i++) log = log.Append(EntryOf(i), 64);

        var restored = BlockLog.Restore(log.Last, [.. log.NewestFirst().Reverse()]);
        Assert.Equal((log.Last, log.First, log.Count), (restored.Last, restored.First, restored.Count));
        Assert.Equal(log.NewestFirst(), restored.NewestFirst());
        Assert.Equal(log.Append(EntryOf(9999), 64).NewestFirst(), restored.Append(EntryOf(9999), 64).NewestFirst());

        var blocks = Enumerable.Range(0, (log.Count - 1) / 16).Select(block => log.Finished(BlockLog.BlockOf(log.First) + block));
        Assert.Equal(log.NewestFirst(), log.WithoutFinished().WithOlder(blocks).NewestFirst());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(40)]
    [InlineData(100)]
    public void After_AnyNumber_IsWhatFollows(int entries)
    {
        var log = BlockLog.Empty<LogEntry>();
        for (var i = 1; i <= entries; i++) log = log.Append(EntryOf(i), 64);

        for (var since = 0; since <= entries + 1; since++)
        {
            var following = log.NewestFirst().Reverse().Where(entry => entry.Token > since).Select(entry => (entry.Token, entry));
            Assert.Equal(following, log.After(since));
        }
    }

    [Fact]
    public void Finished_WhenTheBlockIsNotThere_Throws()
    {
        var log = BlockLog.Empty<LogEntry>();
        for (var i = 1; i <= 100; i++) log = log.Append(EntryOf(i), 64);

        Assert.Equal(81, log.Finished(5)[0].Token);
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Finished(6));
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Finished(BlockLog.BlockOf(log.First) - 1));
    }

    [Fact]
    public void TryFind_WhenNoRequestNamedTheChange_FindsNothing()
    {
        var log = BlockLog.Empty<LogEntry>().Append(EntryOf(7) with { Request = default }, 64);

        Assert.False(log.TryFind(0, out _));
    }

    private static LogEntry EntryOf(int number) =>
        new(LeaseEventKind.Granted, number, TimeSpan.FromMilliseconds(number), "me", null, new RequestFingerprint(number, 1));
}
