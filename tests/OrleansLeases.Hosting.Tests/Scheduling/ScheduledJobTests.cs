using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansLeases.Client;
using OrleansLeases.Hosting.Tests.Support;
using OrleansLeases.Testing;

namespace OrleansLeases.Hosting.Tests.Scheduling;

public sealed class ScheduledJobTests : IAsyncLifetime
{
    private const string Resource = "jobs/bills";
    private const string EveryMinute = "* * * * *";
    private const string Hourly = "1 * * * *";

    private readonly HostingWorld _world = new();
    private readonly ConcurrentQueue<(string Host, int Minute, long Token)> _runs = new();

    private int[] Minutes => [.. _runs.Select(run => run.Minute)];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task EachTick_IsStartedOnce_ByOneOfThreeHosts()
    {
        foreach (var name in (string[])["ann", "bob", "cid"]) await JoinAsync(name);
        await BegunAsync();

        for (var minute = 1; minute <= 6; minute++) await TickAsync(minute);

        Assert.Equal([1, 2, 3, 4, 5, 6], Minutes);
        Assert.Equal(_runs.Select(run => run.Token).Order(), _runs.Select(run => run.Token));
    }

    [Theory]
    [InlineData(MissedTicks.Skip, new[] { 1, 31, 32 })]
    [InlineData(MissedTicks.Once, new[] { 1, 30, 31, 32 })]
    public async Task TicksWhileNoHostRan_AreSkipped_OrStartedOnceForAll(MissedTicks missed, int[] started)
    {
        var first = await JoinAsync("ann", options: options => options.MissedTicks = missed, schedule: "1,30-59 * * * *");
        await BegunAsync();
        await TickAsync(1);
        await first.Host.StopAsync();
        // Past the tick of minute 30 by 30 s.
        _world.Time.Advance(TimeSpan.FromMinutes(30.5) - _world.Time.Elapsed);
        await JoinAsync("bob", schedule: "1,30-59 * * * *", options: options =>
        {
            options.MissedTicks = missed;
            options.StartWithin = TimeSpan.FromSeconds(20);
        });
        if (missed == MissedTicks.Once) await _world.SettleAsync(() => Minutes.Contains(30));
        await TickAsync(31);
        await TickAsync(32);

        Assert.Equal(started, Minutes);
    }

    [Fact]
    public async Task Tick_WhileNoHostRan_IsStartedWithinItsTime()
    {
        var first = await JoinAsync("ann");
        await BegunAsync();
        await first.Host.StopAsync();
        _world.Time.Advance(TimeSpan.FromMinutes(3.5));

        await JoinAsync("bob");
        await _world.SettleAsync(() => Minutes.Length == 1);

        // Only the last of those that are due.
        Assert.Equal([3], Minutes);
        Assert.True(_world.Look(Resource).LastToken > 0);
    }

    [Fact]
    public async Task Host_ThatDiesBeforeItTakesATick_LeavesItToAnother()
    {
        var ann = await JoinAsync("ann");
        await BegunAsync();
        ann.Way.BeforePut = () => ann.Way.IsCut = true;
        await _world.UntilAsync(() => ann.Way.IsCut);
        await JoinAsync("bob");

        await _world.PassAsync(TimeSpan.FromSeconds(28));
        Assert.Empty(_runs);

        // Once the lease of the first one has expired.
        await _world.PassAsync(TimeSpan.FromSeconds(3));
        await _world.SettleAsync(() => Minutes.Length == 1);
        Assert.Equal(("bob", 1), (_runs.First().Host, Minutes[0]));
    }

    [Fact]
    public async Task Host_ThatDiesOnceItHasTakenATick_TakesItAlong()
    {
        var ann = await JoinAsync("ann");
        await BegunAsync();
        ann.Way.AfterPut = () =>
        {
            ann.Way.IsCut = true;
            return Task.CompletedTask;
        };
        await _world.UntilAsync(() => ann.Way.IsCut);
        await JoinAsync("bob");

        await TickAsync(2);
        await TickAsync(3);

        Assert.Equal([2, 3], Minutes);
    }

    [Fact]
    public async Task Host_ThatWasStoppedOnceItHadTakenATick_StartsItLate()
    {
        var ann = await JoinAsync("ann", schedule: "1 * * * *", options: options => options.StartWithin = TimeSpan.FromMinutes(30));
        await BegunAsync();
        var (isStopped, goesOn) = (false, new TaskCompletionSource());
        ann.Way.AfterPut = () =>
        {
            isStopped = true;
            return goesOn.Task;
        };
        await _world.UntilAsync(() => isStopped);
        // Nothing of it goes on: its lease is over when it does.
        ann.Way.IsCut = true;
        await _world.PassAsync(TimeSpan.FromMinutes(10));
        ann.Way.IsCut = false;
        Assert.Empty(_runs);

        goesOn.SetResult();
        await _world.UntilAsync(() => Minutes.Length == 1);
        await _world.PassAsync(TimeSpan.FromMinutes(2));

        Assert.Equal([1], Minutes);
    }

    [Theory, InlineData(1), InlineData(40)]
    public async Task Mark_WhoseAnswerIsLost_IsLookedUp_AndItsTickStartedOnce(int lost)
    {
        var ann = await JoinAsync("ann");
        await BegunAsync();
        ann.Way.LosesAnswersToPuts = lost;

        await _world.UntilAsync(() => Minutes.Contains(1));
        ann.Way.LosesAnswersToPuts = 0;
        var next = (int)_world.Time.Elapsed.TotalMinutes + 1;
        await TickAsync(next);

        Assert.Equal([1, next], Minutes);
    }

    [Fact]
    public async Task Run_ThatIsTooLong_IsCancelled_AndTheLeaseKeptUntilItEnds()
    {
        var ends = new TaskCompletionSource();
        CancellationToken stopped = default;
        var ann = await JoinAsync("ann", options: options => options.TimeLimit = TimeSpan.FromSeconds(30), job: stop =>
        {
            stopped = stop;
            return ends.Task;
        });
        await BegunAsync();
        await _world.UntilAsync(() => Minutes.Length == 1);
        await _world.PassAsync(TimeSpan.FromSeconds(25));
        Assert.False(stopped.IsCancellationRequested);
        await JoinAsync("bob");

        await _world.PassAsync(TimeSpan.FromMinutes(3));

        Assert.True(stopped.IsCancellationRequested);
        Assert.Single(_runs);
        Assert.Equal("ann", _world.Look(Resource).Holders[0].Owner);
        Assert.Equal(HealthStatus.Degraded, (await ann.HealthAsync(Resource)).Status);
        ends.SetResult();
        await _world.UntilAsync(() => Minutes.Length == 2);
        Assert.InRange(Minutes[1], 3, 5);
    }

    [Theory]
    [InlineData(EveryMinute, 0, 5)]
    [InlineData("*/4 * * * * *", 0, 2)]
    [InlineData(EveryMinute, 20, 20)]
    public async Task Run_ThatEndsAtOnce_KeepsOthersWaitingForTheSkewOfClocks(string schedule, int given, int seconds)
    {
        var ann = await JoinAsync("ann", schedule: schedule, options: options =>
            options.Lease = new() { HoldAtLeast = TimeSpan.FromSeconds(given) });
        await BegunAsync();
        await _world.UntilAsync(() => _world.Look(Resource).State == LeaseStatus.Delayed);

        var history = (await _world.Service.HistoryAsync(Resource)).Value;
        var granted = history.Events.Last(change => change.Kind == LeaseEventKind.Granted).At;
        Assert.Equal(granted + TimeSpan.FromSeconds(seconds), _world.Time.GetUtcNow() + _world.Look(Resource).AvailableIn);
    }

    [Fact]
    public async Task Job_ThatFails_IsStartedAgainAtItsNextTick_AndNotBefore()
    {
        var fails = true;
        var ann = await JoinAsync("ann", job: _ => fails ? throw new InvalidOperationException("no disk") : Task.CompletedTask);
        await BegunAsync();
        await _world.UntilAsync(() => ann.Log.Has(13));
        await _world.PassAsync(TimeSpan.FromSeconds(30));
        var health = await ann.HealthAsync(Resource);
        Assert.Equal(HealthStatus.Degraded, health.Status);
        Assert.Contains("no disk", health.Description, StringComparison.Ordinal);
        fails = false;

        await TickAsync(2);

        Assert.Equal([1, 2], Minutes);
        await _world.SettleAsync(() => ann.Log.Lines.Any(line => line.Message.EndsWith("completed.", StringComparison.Ordinal)));
        Assert.Equal(HealthStatus.Healthy, (await ann.HealthAsync(Resource)).Status);
    }

    [Fact]
    public async Task Host_ThatStops_AsksTheRunToStop_AndReleasesItsLease()
    {
        var ann = await JoinAsync("ann", job: stop => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop));
        await BegunAsync();
        await _world.UntilAsync(() => Minutes.Length == 1);

        await ann.Host.StopAsync();

        Assert.Empty(_world.Look(Resource).Holders);
        Assert.Contains(ann.Log.Lines, line => line.Event == 14 && line.Message.EndsWith("stopped.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Host_ThatStopsAsItTakesATick_GivesItBack()
    {
        var ann = await JoinAsync("ann");
        await BegunAsync();
        Task? stops = null;
        ann.Way.AfterPut = () =>
        {
            ann.Way.AfterPut = null;
            stops = ann.Host.StopAsync();
            return Task.CompletedTask;
        };
        await _world.UntilAsync(() => stops is not null);
        await stops!;
        await JoinAsync("bob");

        await _world.UntilAsync(() => Minutes.Length == 1);

        Assert.Equal(("bob", 1), (_runs.First().Host, Minutes[0]));
    }

    [Fact]
    public async Task Tick_ThatIsGivenBackAfterAnotherHostSawItTaken_IsStartedByThat()
    {
        var ann = await JoinAsync("ann", schedule: Hourly);
        await BegunAsync();
        var (isMarked, goesOn) = (false, new TaskCompletionSource());
        ann.Way.AfterPut = () =>
        {
            ann.Way.AfterPut = null;
            isMarked = true;
            return goesOn.Task;
        };
        await _world.UntilAsync(() => isMarked);
        var bob = await JoinAsync("bob", schedule: Hourly);
        await _world.SettleAsync(() => bob.Way.Reads > 0);
        var stops = ann.Host.StopAsync();
        goesOn.SetResult();
        await stops;

        await _world.UntilAsync(() => Minutes.Length == 1);

        Assert.Equal(("bob", 1), (_runs.First().Host, Minutes[0]));
    }

    [Fact]
    public async Task Mark_ThatArrivesLate_IsKnownAgain_AndItsTickStarted()
    {
        var ann = await JoinAsync("ann", schedule: Hourly);
        await BegunAsync();
        ann.Way.DropsPuts = true;
        await _world.UntilAsync(() => ann.Log.Has(8));
        ann.Way.DropsPuts = false;
        // It overtakes the mark of the next attempt.
        ann.Way.BeforePut = () =>
        {
            ann.Way.BeforePut = null;
            Assert.Null(_world.Service.PutKeyAsync(Resource, ann.Way.Dropped!).AsTask().Result.Refusal);
        };

        await _world.UntilAsync(() => Minutes.Length == 1);

        Assert.Equal([1], Minutes);
    }

    [Fact]
    public async Task Host_ThatStopsBeforeItStartsWhatItTook_GivesItBack()
    {
        var ann = await JoinAsync("ann", schedule: Hourly);
        await BegunAsync();
        ann.Way.LosesAnswersToPuts = int.MaxValue;
        // In steps below the pause that follows, after which it would start the tick.
        await _world.Time.AdvanceUntilAsync(() => ann.Log.Has(8), TimeSpan.FromMilliseconds(100));
        ann.Way.LosesAnswersToPuts = 0;
        await ann.Host.StopAsync();
        await JoinAsync("bob", schedule: Hourly);

        await _world.UntilAsync(() => Minutes.Length == 1);

        Assert.Equal(("bob", 1), (_runs.First().Host, Minutes[0]));
    }

    [Fact]
    public async Task Hosts_ThatFindTheTickTaken_KeepNobodyWaiting()
    {
        foreach (var name in (string[])["ann", "bob", "cid"]) await JoinAsync(name);
        await BegunAsync();
        await TickAsync(1);
        var step = TimeSpan.FromMilliseconds(50);
        await _world.Time.AdvanceUntilAsync(() => _world.Look(Resource).State == LeaseStatus.Delayed, step);

        await _world.Time.AdvanceUntilAsync(() => _world.Look(Resource).State != LeaseStatus.Delayed, step);

        Assert.Equal(LeaseStatus.Free, _world.Look(Resource).State);
        Assert.Equal(_runs.Single().Token, _world.Look(Resource).LastToken);
    }

    [Fact]
    public async Task Health_OnceTheServiceResponds_IsGoodAgain_ThoughAnotherHostRunsTheJob()
    {
        var ann = await JoinAsync("ann", schedule: Hourly);
        await BegunAsync();
        ann.Way.IsCut = true;
        await JoinAsync("bob", schedule: Hourly);
        await _world.UntilAsync(() => ann.Log.Has(8));
        Assert.Equal(HealthStatus.Degraded, (await ann.HealthAsync(Resource)).Status);

        ann.Way.IsCut = false;

        await _world.UntilAsync(() => ann.HealthAsync(Resource).Result.Status == HealthStatus.Healthy);
        Assert.Equal("bob", _runs.Single().Host);
    }

    [Fact]
    public async Task Host_ThatIsDisposedOfWithoutAStop_AsksTheRunToStop()
    {
        CancellationToken stopped = default;
        var ann = await JoinAsync("ann", job: stop =>
        {
            stopped = stop;
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        await BegunAsync();
        await _world.UntilAsync(() => stopped.CanBeCanceled);

        ann.Host.Dispose();

        Assert.True(stopped.IsCancellationRequested);
    }

    [Fact]
    public async Task Host_WhoseClockIsFarAhead_TakesNoTickThatIsNoneYet()
    {
        var early = new ManualTimeProvider(ManualTimeProvider.DefaultStart + TimeSpan.FromHours(2));
        await JoinAsync("ann");
        await BegunAsync();
        var eve = await JoinAsync("eve", time: early);
        await _world.SettleAsync(() => eve.Log.Has(16));
        Assert.Equal(HealthStatus.Degraded, (await eve.HealthAsync(Resource)).Status);

        for (var minute = 1; minute <= 3; minute++) await TickAsync(minute);

        Assert.Equal([1, 2, 3], Minutes);
    }

    [Fact]
    public async Task Host_WhoseClockIsBehind_StartsNothingTwice()
    {
        var late = new ManualTimeProvider(ManualTimeProvider.DefaultStart - TimeSpan.FromMinutes(2));
        await JoinAsync("ann");
        await BegunAsync();
        var eve = await JoinAsync("eve", time: late);
        for (var minute = 1; minute <= 5; minute++)
        {
            await TickAsync(minute);
            late.Advance(TimeSpan.FromMinutes(1));
        }

        await _world.SettleAsync(() => eve.Log.Has(17));
        Assert.Equal([1, 2, 3, 4, 5], Minutes);
    }

    [Fact]
    public async Task WallClock_ThatIsSetBack_StartsNothingTwice()
    {
        await JoinAsync("ann");
        await BegunAsync();
        for (var minute = 1; minute <= 3; minute++) await TickAsync(minute);

        _world.Time.StepWall(-TimeSpan.FromMinutes(2));
        await TickAsync(4);

        Assert.Equal([1, 2, 3, 4], Minutes);
    }

    private Task<Member> JoinAsync(
        string name, Func<CancellationToken, Task>? job = null, Action<ScheduledJobOptions>? options = null,
        string schedule = EveryMinute, TimeProvider? time = null) => _world.StartAsync(
        name,
        services => services.AddScheduledJob(
            "bills", schedule,
            async (run, stop) =>
            {
                _runs.Enqueue((name, (int)(run.Tick - ManualTimeProvider.DefaultStart).TotalMinutes, run.Token));
                if (job is not null) await job(stop);
            },
            options),
        time);

    /// <summary>Moves the clock to a tick, and slowly on from there until the job was started.</summary>
    private async Task TickAsync(int minute)
    {
        var now = _world.Time.GetUtcNow() - ManualTimeProvider.DefaultStart;
        if (TimeSpan.FromMinutes(minute) > now) await _world.PassAsync(TimeSpan.FromMinutes(minute) - now);
        // Who went to sleep while the clock moved on, on a busy machine, wakes a little later.
        await _world.Time.AdvanceUntilAsync(() => Minutes.Contains(minute), TimeSpan.FromMilliseconds(50));
    }

    private Task BegunAsync() => _world.SettleAsync(() => _world.Service.GetKeyAsync(Resource).AsTask().Result.Refusal is null);
}
