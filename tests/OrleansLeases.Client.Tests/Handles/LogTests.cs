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
    public async Task Acquire_ThatIsNotAnswered_IsLoggedOncePerReason_AndThatItIsAgain()
    {
        var log = new LogBook();
        var time = new ManualTimeProvider();
        await using var engine = EmbeddedLeases.InMemory(time: time);
        var network = new Network(engine) { FateOf = FailsBy(new Refusal.OutcomeUnknown(null, "No lease server.")) };
        await using var client = new LeaseClient(network, new() { Owner = "ann" }, time, log);
        var acquire = client.AcquireAsync("r").AsTask();
        await AskAgainAsync(40);
        Assert.Single(log.Lines);

        network.FateOf = FailsBy(new Refusal.Unavailable(TimeSpan.Zero, "The disk is full."));
        await AskAgainAsync(5);
        // Another reason within a minute of the one before is passed over: it may be another one every time.
        network.FateOf = FailsBy(new Refusal.Unavailable(TimeSpan.Zero, "The disk is still full."));
        await AskAgainAsync(5);
        network.FateOf = _ => Fate.Passes;
        await AdvanceUntilAsync(() => acquire.IsCompleted);

        Assert.Collection(
            log.Lines,
            line => AssertWarns(line, "No lease server."),
            line => AssertWarns(line, "The disk is full."),
            line => Assert.Equal((LogLevel.Information, "An acquire of 'r' by 'ann' is answered again."), line));
        await (await acquire).DisposeAsync();

        static Func<string, Fate> FailsBy(Refusal refusal) => verb => verb == "acquire" ? Fate.Refused(refusal) : Fate.Passes;

        static void AssertWarns((LogLevel Level, string Message) line, string reason)
        {
            Assert.Equal(LogLevel.Warning, line.Level);
            Assert.Contains($"'r' by 'ann' is not answered, and is tried again", line.Message, StringComparison.Ordinal);
            Assert.Contains(reason, line.Message, StringComparison.Ordinal);
        }

        async Task AskAgainAsync(int times)
        {
            var until = network.Sent<AcquireRequest>().Count + times;
            await AdvanceUntilAsync(() => network.Sent<AcquireRequest>().Count >= until);
        }

        // No further than the pause that the client makes: how often it has asked by when is what counts here.
        Task AdvanceUntilAsync(Func<bool> condition) => Eventually.TrueAsync(() =>
        {
            if (condition()) return true;
            if (time.NextTimerIn is { } pause && pause <= TimeSpan.FromSeconds(3)) time.Advance(pause);
            return false;
        });
    }

    [Fact]
    public async Task Acquire_ThatIsForbidden_IsLoggedOnceAMinute()
    {
        var log = new LogBook();
        var time = new ManualTimeProvider();
        await using var engine = EmbeddedLeases.InMemory(time: time);
        var forbidden = Fate.Refused(new Refusal.Forbidden("ann may not hold 'r'."));
        var network = new Network(engine) { FateOf = verb => verb == "acquire" ? forbidden : Fate.Passes };
        await using var client = new LeaseClient(network, new() { Owner = "ann" }, time, log);

        for (var i = 0; i < 4; i++)
        {
            await Assert.ThrowsAsync<LeaseRefusedException>(() => client.AcquireAsync("r").AsTask());
            time.Advance(TimeSpan.FromSeconds(25));
        }

        Assert.Equal(
            Enumerable.Repeat((LogLevel.Warning, "An acquire of 'r' by 'ann' is refused (Forbidden): ann may not hold 'r'."), 2),
            log.Lines);
    }

    [Fact]
    public async Task Acquire_ThatFindsItHeld_IsNotLogged()
    {
        var log = new LogBook();
        await using var engine = EmbeddedLeases.InMemory();
        await using var client = new LeaseClient(engine, logger: log);
        await using var held = await client.AcquireAsync("r");

        Assert.Null(await client.TryAcquireAsync("r"));

        Assert.Empty(log.Lines);
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
