using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cluster.Tests;

/// <summary>The sample, as its reader runs it.</summary>
public sealed class SampleTests
{
    [Fact]
    public async Task OrleansApplication_WithLeasesAdded_WritesToItsArchiveOneAtATime()
    {
        var run = await SampleRun.OfAsync("OrleansApplication");
        Assert.Equal(5, run.Told.Count(line => line.Contains(" is written with token ", StringComparison.Ordinal)));
        Assert.Equal("5 exports, 1 at once, tokens only grew.", run.Told[^1]);
        Assert.Equal(0, run.ExitCode);
    }
}
