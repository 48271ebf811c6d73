using System.Collections.Concurrent;
using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;
using OrleansLeases.Torture.Load;
using OrleansLeases.Torture.Processes;

namespace OrleansLeases.Torture.Recipes;

/// <summary>Workers in processes of their own, killed and stopped in the middle of their work.</summary>
public sealed class RecipeProcessTests : IAsyncLifetime, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<Worker> _workers = [];
    private Server _server = null!;

    public async Task InitializeAsync() => _server = await Server.StartAsync(_folder.Path);

    public async Task DisposeAsync()
    {
        foreach (var worker in _workers) await worker.DisposeAsync();
        await _server.DisposeAsync();
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("lock")]
    [InlineData("readers-writer")]
    [InlineData("semaphore")]
    public async Task Workers_KilledAndStoppedAtWork_NeverHoldTogetherWhatTheyMayNot(string recipe)
    {
        for (var i = 0; i < 3; i++) Start(recipe, "r");
        foreach (var worker in _workers) await UntilAsync(() => worker.LastBeat > 0);
        for (var round = 0; round < 2; round++)
        {
            await AtWork().KillAsync();
            Start(recipe, "r");
            await LoadRun.ForAsync(TimeSpan.FromMilliseconds(500));
            var frozen = AtWork();
            frozen.Freeze();
            var since = Now;
            await LoadRun.ForAsync(1.5 * WorkerProgram.Ttl);
            await UntilAsync(() => _workers.Exists(worker => worker != frozen && worker.LastBeat > since));
            var thawed = Now;
            frozen.Thaw();
            await UntilAsync(() => frozen.LastBeat > thawed);
        }

        // However slow the machine is, there must be enough to look at.
        await UntilAsync(() => Seen() is { Count: > 10 } seen
            && (recipe != "readers-writer" || seen.DistinctBy(tenure => tenure.How).Count() == 2)
            && (recipe != "semaphore" || Tenure.MostAtOnce(seen) >= WorkerProgram.Capacity));
        var tenures = Seen();
        Assert.Empty(Tenure.FindOverlaps(tenures));
        Assert.Equal(tenures.Count, tenures.DistinctBy(tenure => tenure.Token).Count());
        if (recipe == "lock") Assert.Equal(tenures.OrderBy(tenure => tenure.From), tenures.OrderBy(tenure => tenure.Token));
        if (recipe == "semaphore") Assert.Equal(WorkerProgram.Capacity, Tenure.MostAtOnce(tenures));
    }

    [Fact]
    public async Task Leader_KilledOrStopped_IsFollowedWithinItsTimeAndTheGrace()
    {
        var grace = (await _server.Leases.InfoAsync()).Value.Grace;
        await using var client = new LeaseClient(_server.Leases);
        var seen = new ConcurrentQueue<Leader?>();
        using var enough = new CancellationTokenSource();
        var observing = ObserveAsync();
        await UntilAsync(() => seen.Contains(null));
        for (var i = 0; i < 3; i++) Start("election", "leader");
        await UntilAsync(() => _workers.Exists(worker => worker.LastBeat > 0));
        Worker? frozen = null;
        foreach (var kills in new[] { true, false })
        {
            var leader = AtWork();
            if (kills) await leader.KillAsync();
            else (frozen = leader).Freeze();
            var gone = Now;
            await UntilAsync(() => _workers.Exists(worker => worker != leader && worker.LastBeat > gone));

            var next = _workers.Where(worker => worker != leader).SelectMany(worker => worker.Tenures).MinBy(tenure => tenure.From)!;
            var took = TimeProvider.System.GetElapsedTime(gone, next.From);
            Assert.True(took < WorkerProgram.Ttl + grace, $"The next leader led {took} after the last one was gone.");
            Start("election", "leader");
        }

        frozen!.Thaw();
        await LoadRun.ForAsync(TimeSpan.FromMilliseconds(500));
        var tenures = Seen();
        await UntilAsync(() => seen.OfType<Leader>().Any(leader => leader.Token == tenures.Max(tenure => tenure.Token)));
        await enough.CancelAsync();
        await observing;
        Assert.InRange(tenures.Count, 3, int.MaxValue);
        Assert.Empty(Tenure.FindOverlaps(tenures));
        // On a busy machine a term may be over before its leader has said a word, or before the observer has looked.
        var history = (await _server.Leases.HistoryAsync("leader")).Value.Events;
        var granted = history.Where(past => past.Kind == LeaseEventKind.Granted).Select(past => past.Token).ToHashSet();
        var told = seen.OfType<Leader>().Select(leader => leader.Token).ToList();
        Assert.Subset(granted, told.ToHashSet());
        Assert.Subset(granted, tenures.Select(tenure => tenure.Token).ToHashSet());
        Assert.Equal(told.Distinct().Order(), told);

        async Task ObserveAsync()
        {
            try
            {
                await foreach (var leader in new LeaderElection(client, "leader").ObserveAsync(enough.Token)) seen.Enqueue(leader);
            }
            catch (OperationCanceledException)
            {
                // That is how it ends.
            }
        }
    }

    [Fact]
    public async Task Task_OfAWorkerThatIsKilled_IsDoneByAnother_AndNeverAgain()
    {
        var first = Start("task", "t");
        await UntilAsync(() => first.LastBeat > 0);
        var second = Start("task", "t");
        await first.KillAsync();

        Assert.Equal(nameof(TaskOutcome.Done), await second.LastWordAsync());
        Assert.Equal(nameof(TaskOutcome.WasDone), await Start("task", "t").LastWordAsync());
        Assert.Empty(Tenure.FindOverlaps(first.Tenures.Concat(second.Tenures)));
    }

    private static long Now => TimeProvider.System.GetTimestamp();

    private static async Task UntilAsync(Func<bool> condition)
    {
        var started = Now;
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(60), "What was waited for did not happen.");
            await LoadRun.ForAsync(TimeSpan.FromMilliseconds(5));
        }
    }

    private List<Tenure> Seen() => [.. _workers.SelectMany(worker => worker.Tenures)];

    /// <summary>The worker that was seen at work last, and lives.</summary>
    private Worker AtWork() => _workers.Where(worker => !worker.HasExited).MaxBy(worker => worker.LastBeat)!;

    private Worker Start(string recipe, string name)
    {
        var worker = new Worker([_server.Http.BaseAddress!], recipe, name);
        _workers.Add(worker);
        return worker;
    }
}
