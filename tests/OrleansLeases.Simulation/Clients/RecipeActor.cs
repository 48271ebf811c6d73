using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;
using OrleansLeases.Simulation.Checking;

namespace OrleansLeases.Simulation.Clients;

/// <summary>Uses what applications use: locks, semaphores, elections, counters, tasks and cache entries.</summary>
internal sealed class RecipeActor(World world, SimClient client)
{
    private const int Tasks = 40;

    private readonly Scheduling.Dice _dice = client.Dice.Fork();

    public async Task RunAsync()
    {
        while (!world.IsEnding)
        {
            await client.PauseAsync(_dice.Skewed(TimeSpan.FromMilliseconds(1), world.Seldom(1))).ConfigureAwait(false);
            using var leaves = new CancellationTokenSource(
                _dice.Skewed(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(20)), client.Process.Clock);
            try
            {
                await NextAsync(leaves.Token).ConfigureAwait(false);
            }
            catch (Exception refused) when (refused is LeaseLostException or LeaseRefusedException or OperationCanceledException)
            {
                // As an application would, it tries something else.
            }
        }
    }

    private Task NextAsync(CancellationToken leaves)
    {
        var options = new LeaseOptions { Ttl = _dice.Skewed(TimeSpan.FromMilliseconds(200), world.LongestTtl) };
        var (leases, asked) = (client.Leases, world.Scheduler.Now);
        switch (_dice.Next(8))
        {
            case 0:
                return new DistributedLock(leases, Names.RecipeLock, options).RunAsync(WorkAsync, leaves);
            case 1:
                return new DistributedSemaphore(leases, Names.RecipePool, HolderActor.Capacity, options).RunAsync(WorkAsync, leaves);
            case 2:
                return new DistributedReaderWriterLock(leases, Names.RecipeBook, options).ReadAsync(WorkAsync, leaves);
            case 3:
                return new DistributedReaderWriterLock(leases, Names.RecipeBook, options).WriteAsync(WorkAsync, leaves);
            case 4:
                return new LeaderElection(leases, Names.RecipeLeader, options)
                    .RunAsync((leadership, stop) => WorkAsync(leadership.Lease, stop), leaves);
            case 5:
                return CountAsync(world.Counters[_dice.Next(world.Counters.Count)], leaves);
            case 6:
                return ClaimAsync(options, leaves);
            default:
                return CacheAsync(options, leaves);
        }

        Task WorkAsync(LeaseHandle handle, CancellationToken stop) => HoldAsync(handle, asked, stop);
    }

    // Whoever works under the lease relies on it until its token is cancelled.
    private async Task HoldAsync(LeaseHandle handle, TimeSpan asked, CancellationToken stop)
    {
        var belief = client.Hold(handle, asked);
        try
        {
            await Task.Delay(_dice.Skewed(TimeSpan.FromMilliseconds(1), handle.Ttl * 2), client.Process.Clock, stop).ConfigureAwait(false);
        }
        finally
        {
            belief.IsOver = true;
        }
    }

    private async Task CountAsync(CounterHistory counter, CancellationToken leaves)
    {
        var addition = counter.Begin(_dice.Between(1, 9), world.Scheduler.Now);
        var sum = await new Counter(client.Leases, counter.Key).AddAsync(addition.Delta, cancellationToken: leaves).ConfigureAwait(false);
        counter.End(addition, sum, world.Scheduler.Now);
    }

    private async Task ClaimAsync(LeaseOptions options, CancellationToken leaves)
    {
        var task = $"{Names.RecipeTask}/{_dice.Next(Tasks)}";
        var (asked, restores) = (world.Scheduler.Now, world.Truth.Restores);
        var outcome = await new TaskClaim(client.Leases, task, options).RunAsync(
            (handle, stop) =>
            {
                world.Recipes.Starts(task);
                return HoldAsync(handle, asked, stop);
            },
            _dice.OneIn(2) ? TimeSpan.Zero : TimeSpan.FromSeconds(2),
            leaves).ConfigureAwait(false);
        if (outcome == TaskOutcome.Done) world.Recipes.IsDone(task, restores);
    }

    private async Task CacheAsync(LeaseOptions options, CancellationToken leaves)
    {
        var entry = $"{Names.RecipeEntry}/{_dice.Next(3)}";
        var cache = new CacheFill(client.Leases, entry, options);
        if (_dice.OneIn(3))
        {
            await cache.InvalidateAsync(leaves).ConfigureAwait(false);
            return;
        }

        var value = await cache.GetOrFillAsync(
            async stop =>
            {
                await Task.Delay(_dice.Skewed(TimeSpan.FromMilliseconds(1), options.Ttl), client.Process.Clock, stop).ConfigureAwait(false);
                return world.Recipes.NewValue();
            },
            leaves).ConfigureAwait(false);
        world.Recipes.IsRead(entry, value);
    }
}
