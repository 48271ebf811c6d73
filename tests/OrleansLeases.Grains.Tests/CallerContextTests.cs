using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;
using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;
using OrleansLeases.Grains.Tests.Hosting;

namespace OrleansLeases.Grains.Tests;

/// <summary>What a grain does under a lease is done in the grain.</summary>
public sealed class CallerContextTests
{
    [Fact]
    public async Task WorkOfAGrain_UnderALease_HasTheGrainToItself()
    {
        await using var cluster = await Cluster.InMemoryAsync(
            silo => silo.Services.AddSingleton(services => new LeaseClient(services.GetRequiredService<ILeaseService>())));
        var adder = cluster.Grains.GetGrain<IAdder>("r");

        await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => adder.AddAsync(1_000))).WaitAsync(Calls.WaitTimeout);

        Assert.Equal((24_000, 0), await adder.CountAsync());
    }
}

/// <summary>Adds without awaiting, as a grain may.</summary>
public interface IAdder : IGrainWithStringKey
{
    /// <summary>Adds one so many times, under a place of a semaphore that is held by many.</summary>
    Task AddAsync(int times);

    /// <summary>What it came to, and how often work found itself outside of the grain.</summary>
    Task<(int Count, int Outside)> CountAsync();
}

/// <inheritdoc cref="IAdder"/>
[Reentrant]
internal sealed class Adder(LeaseClient leases) : Grain, IAdder
{
    private int _count;
    private int _outside;

    public async Task AddAsync(int times)
    {
        var scheduler = TaskScheduler.Current;
        await new DistributedSemaphore(leases, this.GetPrimaryKeyString(), 8).RunAsync(async (_, _) =>
        {
            if (TaskScheduler.Current != scheduler) _outside++;
            for (var i = 0; i < times; i++) _count++;
            await Task.Yield();
            // A grain's service: outside of it, access is refused.
            this.RegisterGrainTimer(
                () => Task.CompletedTask, new GrainTimerCreationOptions(TimeSpan.FromHours(1), Timeout.InfiniteTimeSpan)).Dispose();
        });
    }

    public Task<(int Count, int Outside)> CountAsync() => Task.FromResult((_count, _outside));
}
