using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Samples.Tests;

public sealed class SampleTests
{
    [Fact]
    public async Task Takeover_JobOfTheKilledWorker_IsDoneByAnother()
    {
        var run = await SampleRun.OfAsync("Takeover");
        Assert.StartsWith("  A: begins jobs/1 with token ", run.Told[0], StringComparison.Ordinal);
        Assert.Contains("6 of 6 jobs are done. What happened to the first one:", run.Told);
        Assert.DoesNotContain("  A: has done jobs/1", run.Told);
        Assert.Single(run.Told, line => line is "  B: has done jobs/1" or "  C: has done jobs/1");
        Assert.Single(run.Told, line => line.StartsWith("  Expired A, token ", StringComparison.Ordinal));
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Agents_TaskOfTheOneThatDies_IsDoneByAnother()
    {
        var run = await SampleRun.OfAsync("Agents");
        Assert.StartsWith("  A: claimed tasks/1 with token ", run.Told[0], StringComparison.Ordinal);
        Assert.DoesNotContain("  A: has done tasks/1", run.Told);
        Assert.Single(run.Told, line => line is "  B: has done tasks/1" or "  C: has done tasks/1");
        Assert.Equal(["tasks/1: done", "tasks/2: done", "tasks/3: done", "tasks/4: done"], run.Told.TakeLast(4));
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Election_ThreeCandidates_LeadOneAfterTheOther()
    {
        var run = await SampleRun.OfAsync("Election");
        Assert.Equal(3, run.Told.Count(line => line.Contains(" leads with token ", StringComparison.Ordinal)));
        Assert.Equal(2, run.Told.Count(line => line.EndsWith("brings its work to an end, and hands over", StringComparison.Ordinal)));
        Assert.Equal(["Nobody leads.", "3 leaders, one after the other."], run.Told.TakeLast(2));
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task CacheFill_ManyWhoAsk_ReadTheSourceOnce()
    {
        var run = await SampleRun.OfAsync("CacheFill");
        Assert.Equal(5, run.Told.Count(line => line.EndsWith("the source does not answer", StringComparison.Ordinal)));
        Assert.Equal(5, run.Told.Count(line => line.EndsWith(" has prices of January", StringComparison.Ordinal)));
        Assert.EndsWith("and 1 time(s) with success.", run.Told[^1], StringComparison.Ordinal);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task RateLimit_WithTheSemaphore_NoCallIsRefused()
    {
        var run = await SampleRun.OfAsync("RateLimit");
        Assert.StartsWith("As they like: 3 calls answered", run.Told[0], StringComparison.Ordinal);
        Assert.Equal("With the semaphore: 12 calls answered, 0 refused, never more than 3 at once.", run.Told[1]);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task Moving_FromAnotherLock_HasNoTwoAtWork()
    {
        var run = await SampleRun.OfAsync("Moving");
        Assert.Matches(@"^\d+ turns of three versions, 0 times two at once\.$", run.Told[^1]);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public async Task HostedWork_OfThreeHosts_IsLedByEachInTurn_AndStartedOnceATick()
    {
        var run = await SampleRun.OfAsync("HostedWork");
        Assert.Equal(3, run.Told.Count(line => line.Contains("exports with token ", StringComparison.Ordinal)));
        Assert.Single(run.Told, line => line.EndsWith("exports no more", StringComparison.Ordinal));
        Assert.Matches(@"^3 instances led, one after the other; \d+ ticks, none of them twice\.$", run.Told[^1]);
        Assert.Equal(0, run.ExitCode);
    }
}
