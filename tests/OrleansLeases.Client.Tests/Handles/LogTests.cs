using Microsoft.Extensions.Logging;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Handles;

/// <summary>What a client logs of failures: each once, however often it occurs.</summary>
public sealed class LogTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task Renewals_ThatFailAndComeThroughAgain_AreLoggedOnceEach()
    {
        var log = new LogBook();
        var time = new ManualTimeProvider();
        await using var engine = EmbeddedLeases.InMemory(time: time);
        var network = new Network(engine);
        await using var client = new LeaseClient(network, new() { Owner = "ann" }, time, log);
        await using var one = await client.AcquireAsync("one");
        await using var other = await client.AcquireAsync("other");

        network.FateOf = verb => verb == "renew" ? Fate.Refused(new Refusal.Unavailable(TimeSpan.Zero, "The disk is full.")) : Fate.Passes;
        await AdvanceUntilAsync(() => one.Trouble is not null && other.Trouble is not null && network.Sent<RenewBatchRequest>().Count >= 5);
        network.FateOf = _ => Fate.Passes;
        await AdvanceUntilAsync(() => one.Trouble is null && other.Trouble is null);

        Assert.Collection(
            log.Lines,
            line =>
            {
                Assert.Equal(LogLevel.Warning, line.Level);
                Assert.Contains("not being renewed", line.Message, StringComparison.Ordinal);
                Assert.Contains("The disk is full.", line.Message, StringComparison.Ordinal);
            },
            line => Assert.Equal((LogLevel.Information, "All leases are being renewed again."), line));

        async Task AdvanceUntilAsync(Func<bool> condition)
        {
            while (!condition())
            {
                time.Advance(Step);
                await Eventually.TrueAsync(() => client.RenewalsUnderWay == 0);
            }
        }
    }

    // Without a bound it waits as long as the service is away, or another program answers at its address.
    [Fact]
    public async Task Acquire_ThatIsNotAnswered_IsLoggedOnce()
    {
        var log = new LogBook();
        var time = new ManualTimeProvider();
        await using var engine = EmbeddedLeases.InMemory(time: time);
        var network = new Network(engine)
        {
            FateOf = verb => verb == "acquire" ? Fate.Refused(new Refusal.OutcomeUnknown(null, "No lease server.")) : Fate.Passes,
        };
        await using var client = new LeaseClient(network, new() { Owner = "ann" }, time, log);

        var acquire = client.AcquireAsync("r").AsTask();
        await Eventually.TrueAsync(() => network.Sent<AcquireRequest>().Count >= 5, time, Step);

        var (level, message) = Assert.Single(log.Lines);
        Assert.Equal(LogLevel.Warning, level);
        Assert.Contains("'r' by 'ann' is not answered", message, StringComparison.Ordinal);
        Assert.Contains("No lease server.", message, StringComparison.Ordinal);
        network.FateOf = _ => Fate.Passes;
        await Eventually.TrueAsync(() => acquire.IsCompleted, time, Step);
        await (await acquire).DisposeAsync();
    }

    [Fact]
    public async Task Lease_ThatIsReleased_IsNotLogged()
    {
        var log = new LogBook();
        await using var engine = EmbeddedLeases.InMemory();
        await using var client = new LeaseClient(engine, logger: log);

        await (await client.AcquireAsync("r")).DisposeAsync();

        Assert.Empty(log.Lines);
    }
}
