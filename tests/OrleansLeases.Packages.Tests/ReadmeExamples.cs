using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;
using OrleansLeases.Embedded;
using FakeTimeProvider = OrleansLeases.Testing.ManualTimeProvider;

namespace OrleansLeases.Packages.Tests;

/// <summary>The examples of docs/testing-your-code.md, on our own clock in the place of the one that users have.</summary>
public sealed class ReadmeExamples
{
    [Fact]
    public async Task WorkerDies_AndAnotherTakesOver()
    {
        // README: A worker dies, and another takes over
        var clock = new FakeTimeProvider();
        await using var service = EmbeddedLeases.InMemory(time: clock);

        var dying = new LeaseClient(service, time: clock);
        var lease = await dying.AcquireAsync("jobs/report", new() { Ttl = TimeSpan.FromSeconds(30) });
        await dying.DisposeAsync(); // as if its process had died: its leases are neither renewed nor released

        await using var leases = new LeaseClient(service, time: clock);
        Assert.Null(await leases.TryAcquireAsync("jobs/report"));

        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.True(lease.LostToken.IsCancellationRequested);
        await using var next = await leases.TryAcquireAsync("jobs/report");
        Assert.True(next!.Token > lease.Token);

        // README: end
    }

    [Fact]
    public async Task ServerGoesAway_AndTheLeaseEndsByItself()
    {
        // README: The server goes away
        var clock = new FakeTimeProvider();
        await using var service = EmbeddedLeases.InMemory(time: clock);
        await using var leases = new LeaseClient(service, time: clock);
        await using var lease = await leases.AcquireAsync("jobs/report", new() { Ttl = TimeSpan.FromSeconds(30) });

        await service.DisposeAsync(); // every call is refused from now on
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.True(lease.IsValid());

        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.False(lease.IsValid());
        Assert.True(lease.LostToken.IsCancellationRequested);
        // README: end
    }

    [Fact]
    public async Task Lease_IsKeptForLong_AndLostWhenItIsBroken()
    {
        // README: A lease is kept for long
        var clock = new FakeTimeProvider();
        await using var service = EmbeddedLeases.InMemory(time: clock);
        await using var leases = new LeaseClient(service, time: clock);
        await using var lease = await leases.AcquireAsync("jobs/report", new() { Ttl = TimeSpan.FromSeconds(30) });

        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(5); passed += TimeSpan.FromSeconds(10))
        {
            var renewed = lease.NextChange;
            clock.Advance(TimeSpan.FromSeconds(10));
            await renewed;
        }

        Assert.True(lease.IsValid(TimeSpan.FromSeconds(20)));

        await service.BreakAsync(new() { Resource = "jobs/report", Grace = TimeSpan.Zero, Force = true, Reason = "the test says so" });
        var lost = lease.NextChange;
        clock.Advance(TimeSpan.FromSeconds(10));
        await lost;
        Assert.Equal(NotHolderReason.Broken, lease.Loss!.Reason);
        // README: end
    }

    [Fact]
    public async Task Task_ThatAnotherWorkerDoes_IsLeftToIt()
    {
        // README: A fake of a recipe
        var invoices = new Invoices(_ => new TakenTask());

        Assert.Equal("sent by another worker", await invoices.SendAsync("2030-01"));
        // README: end
    }

    // README: Code that is given a recipe, and its fake
    private sealed class Invoices(Func<string, ITaskClaim> tasks)
    {
        public async Task<string> SendAsync(string month) => await tasks($"invoices/{month}").RunAsync(SendAllAsync) switch
        {
            TaskOutcome.Done => "sent",
            TaskOutcome.WasDone => "sent before",
            _ => "sent by another worker",
        };

        private Task SendAllAsync(LeaseHandle lease, CancellationToken stop) => Task.CompletedTask;
    }

    private sealed class TakenTask : ITaskClaim
    {
        public ValueTask<bool> IsDoneAsync(CancellationToken cancellationToken = default) => new(false);

        public Task<TaskOutcome> RunAsync(
            Func<LeaseHandle, CancellationToken, Task> work, TimeSpan wait = default, CancellationToken cancellationToken = default) =>
            Task.FromResult(TaskOutcome.Busy);
    }

    // README: end
}
