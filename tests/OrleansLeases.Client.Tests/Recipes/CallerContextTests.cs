using OrleansLeases.Client.Recipes;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Recipes;

/// <summary>What a recipe is given to do is done where its caller is, however long it was waited for.</summary>
public sealed class CallerContextTests : RecipeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>A recipe, by its name, that is given something to do.</summary>
    private delegate Task Recipe(LeaseClient client, Func<Task> work);

    private static readonly Dictionary<string, Recipe> Recipes = new()
    {
        ["lock"] = (client, work) => new DistributedLock(client, "r").RunAsync((_, _) => work()),
        ["lock with a result"] = (client, work) => new DistributedLock(client, "r").RunAsync(async (_, _) =>
        {
            await work();
            return 1;
        }),
        ["reader"] = (client, work) => new DistributedReaderWriterLock(client, "r").ReadAsync((_, _) => work()),
        ["writer"] = (client, work) => new DistributedReaderWriterLock(client, "r").WriteAsync((_, _) => work()),
        ["semaphore"] = (client, work) => new DistributedSemaphore(client, "r", 1).RunAsync((_, _) => work()),
        ["election"] = (client, work) => new LeaderElection(client, "r").RunAsync((_, _) => work()),
        ["task"] = (client, work) => new TaskClaim(client, "r").RunAsync((_, _) => work()),
        ["cache"] = (client, work) => new CacheFill(client, "r").GetOrFillAsync(async _ =>
        {
            await work();
            return "value";
        }),
    };

    public static TheoryData<string> RecipeNames => [.. Recipes.Keys];

    [Theory]
    [MemberData(nameof(RecipeNames))]
    public async Task Work_RunsInTheCallersSynchronizationContext(string recipe)
    {
        using var caller = new CallerThread();
        var (atFirst, afterwards) = (false, false);

        await caller.RunAsync(() => Recipes[recipe](new LeaseClient(new Hopping(World.Service)), async () =>
        {
            atFirst = caller.IsHere;
            await Task.Yield();
            afterwards = caller.IsHere;
        })).WaitAsync(Limit);

        Assert.Equal((true, true), (atFirst, afterwards));
    }

    [Theory]
    [MemberData(nameof(RecipeNames))]
    public async Task Work_RunsOnTheCallersTaskScheduler(string recipe)
    {
        var scheduler = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;
        TaskScheduler? atFirst = null;
        TaskScheduler? afterwards = null;

        await Task.Factory.StartNew(
            () => Recipes[recipe](new LeaseClient(new Hopping(World.Service)), async () =>
            {
                atFirst = TaskScheduler.Current;
                await Task.Yield();
                afterwards = TaskScheduler.Current;
            }),
            CancellationToken.None, TaskCreationOptions.None, scheduler).Unwrap().WaitAsync(Limit);

        Assert.Same(scheduler, atFirst);
        Assert.Same(scheduler, afterwards);
    }

    [Fact]
    public async Task Work_HasTheCallersAmbientState()
    {
        using var caller = new CallerThread();
        var tenant = new AsyncLocal<string>();
        string? seen = null;

        await caller.RunAsync(async () =>
        {
            tenant.Value = "B";
            await new DistributedLock(new LeaseClient(new Hopping(World.Service)), "r").RunAsync((_, _) =>
            {
                seen = tenant.Value;
                return Task.CompletedTask;
            });
        }).WaitAsync(Limit);

        Assert.Equal("B", seen);
    }

    [Fact]
    public async Task Work_ThatThrowsAtOnce_EndsTheCall_AndTheLockIsReleased()
    {
        using var caller = new CallerThread();

        await Assert.ThrowsAsync<TimeoutException>(() => caller.RunAsync(() => new DistributedLock(
            new LeaseClient(new Hopping(World.Service)), "r")
            .RunAsync((_, _) => throw new TimeoutException())).WaitAsync(Limit));

        Assert.Empty(World.HoldersOf("r"));
    }

    [Fact]
    public async Task Caller_ThatBlocksItsContext_HasLeasesAndTheirReleaseAllTheSame()
    {
        using var caller = new CallerThread();

        await caller.RunAsync(() =>
        {
            var client = new LeaseClient(new Hopping(World.Service));
            client.AcquireAsync("r").AsTask().GetAwaiter().GetResult().DisposeAsync().AsTask().GetAwaiter().GetResult();
            return Task.CompletedTask;
        }).WaitAsync(Limit);

        Assert.Empty(World.HoldersOf("r"));
    }

    [Fact]
    public async Task Caller_ThatBlocksTheContextItsWorkIsToRunIn_GetsOutByItsToken_AndTheLockIsReleased()
    {
        using var caller = new CallerThread();
        using var stop = new CancellationTokenSource();
        var ran = false;

        var blocked = caller.RunAsync(() =>
        {
            new DistributedLock(new LeaseClient(new Hopping(World.Service)), "r").RunAsync(
                (_, _) =>
                {
                    ran = true;
                    return Task.CompletedTask;
                },
                stop.Token).GetAwaiter().GetResult();
            return Task.CompletedTask;
        });
        await Eventually.TrueAsync(() => World.HoldersOf("r").Count == 1);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => blocked.WaitAsync(Limit));
        await caller.RunAsync(() => Task.CompletedTask).WaitAsync(Limit);
        Assert.False(ran);
        Assert.Empty(World.HoldersOf("r"));
    }

    /// <summary>A service whose answers come on other threads, as over a network.</summary>
    private sealed class Hopping(ILeaseService service) : OrleansLeases.Testing.ForwardingLeases(service)
    {
        public override async ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(
            AcquireRequest request, CancellationToken cancellationToken = default) =>
            await Task.Run(() => base.AcquireAsync(request, cancellationToken).AsTask(), cancellationToken).ConfigureAwait(false);

        public override async ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default) =>
            await Task.Run(() => base.GetKeyAsync(key, cancellationToken).AsTask(), cancellationToken).ConfigureAwait(false);

        public override async ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(
            ReleaseRequest request, CancellationToken cancellationToken = default) =>
            await Task.Run(() => base.ReleaseAsync(request, cancellationToken).AsTask(), cancellationToken).ConfigureAwait(false);
    }
}
