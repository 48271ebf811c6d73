using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansLeases.Client;
using OrleansLeases.Hosting.Telemetry;

namespace OrleansLeases.Hosting.Scheduling;

/// <summary>
/// Waits for the ticks of a job, and runs it for those that this instance takes. A tick is taken by moving the stored mark on to it by
/// compare-and-swap: that alone sees to it that no tick is started twice. The lease keeps runs apart, and has another instance
/// wait for what comes of one that is about to take a tick. Decision ticks-are-marked-first.
/// </summary>
internal sealed class JobWork : LeasedWork
{
    // How long the job's queue is waited in before the mark is looked at again.
    private static readonly TimeSpan WaitInQueue = TimeSpan.FromSeconds(5);

    // A wall clock may be set, and a mark deleted by hand.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestRound = TimeSpan.FromHours(1);

    // An instance that is stopped as it takes a tick gives it back, within the time that its host has to stop, 30 s by default. Others,
    // which may have seen the tick taken, look at the mark once more. Decision ticks-are-marked-first.
    private static readonly TimeSpan GivenBackWithin = TimeSpan.FromSeconds(35);

    private readonly ScheduledJobOptions _options;
    private readonly Func<ScheduledRun, CancellationToken, Task> _job;
    private readonly TickSchedule _schedule;
    private readonly JobMarkStore _marks;

    // What this instance took, or may have taken, and has not started yet: nobody else starts it. Then the mark of before is known.
    private string? _taken;
    private JobMark? _before;
    private string? _reportedMark;
    private JobMark? _sleptOn;

    public JobWork(
        IServiceProvider services, string name, ScheduledJobOptions options, Func<ScheduledRun, CancellationToken, Task> job)
        : base(services, options.ClientKey, name, options.Resource!, (TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)))
    {
        (_options, _job) = (options, job);
        _schedule = new(options.Schedule, options.TimeZone);
        _marks = new(Client, Resource);
        Note(HealthStatus.Healthy, "It waits for its next tick.");
    }

    protected override async Task<bool> RoundAsync(CancellationToken stopping)
    {
        var (mark, version) = await _marks.ReadAsync(stopping).ConfigureAwait(false);
        if (mark is null)
        {
            await BeginAsync(version, stopping).ConfigureAwait(false);
            return true;
        }

        if (DueAfter(mark) is not { } due)
        {
            await SleepAsync(mark, stopping).ConfigureAwait(false);
            return true;
        }

        // Null while another instance takes the tick, or runs the job for it or for an earlier one.
        var options = LeaseFor(due);
        var lease = await Client.TryAcquireAsync(Resource, WaitFor(options), options, stopping).ConfigureAwait(false);
        Trouble = null;
        if (lease is null) return true;
        lease.Lease.IsGuarded = true;
        TimeSpan pause;
        await using (lease.ConfigureAwait(false)) pause = await TakeAsync(lease, stopping).ConfigureAwait(false);
        if (pause > TimeSpan.Zero) await PauseAsync(pause, stopping).ConfigureAwait(false);
        return true;
    }

    /// <summary>The last tick that is due and not marked, or what this instance has marked and not started.</summary>
    private DateTimeOffset? DueAfter(JobMark mark) =>
        _schedule.LastDue(mark.Tick, Time.GetUtcNow()) ?? (mark.Take == _taken ? mark.Tick : null);

    /// <summary>The first instance of all stores from when on ticks count, so that later ones know what they missed.</summary>
    private async Task BeginAsync(long version, CancellationToken stopping)
    {
        var now = Time.GetUtcNow();
        var service = await ServiceTimeAsync(stopping).ConfigureAwait(false);
        await _marks.WriteAsync(new(service < now ? service.Value : now, RequestIds.New(), Client.Owner, 0), version, stopping)
            .ConfigureAwait(false);
    }

    private async Task SleepAsync(JobMark mark, CancellationToken stopping)
    {
        var began = Time.GetTimestamp();
        var now = Time.GetUtcNow();
        var isAhead = mark.Tick - now > _options.ClockSkew;
        Trouble = isAhead ? $"It was last started for {mark.Tick:o}, which is ahead of this machine's clock." : null;
        if (isAhead && _reportedMark != mark.Take)
        {
            _reportedMark = mark.Take;
            Log.MarkAhead(Name, mark.Tick, Resource);
        }

        var next = _schedule.After(mark.Tick > now ? mark.Tick : now);
        var round = mark == _sleptOn ? LongestRound : GivenBackWithin;
        _sleptOn = mark;
        while (round - Time.GetElapsedTime(began) is { Ticks: > 0 } rest && !stopping.IsCancellationRequested)
        {
            var left = next - Time.GetUtcNow() ?? LongestSleep;
            if (left <= TimeSpan.Zero) return;
            await PauseAsync(new[] { left, rest, LongestSleep }.Min(), stopping).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the tick that is due, under the lease, and runs the job for it.</summary>
    /// <returns>How long to pause once the lease is released.</returns>
    private async Task<TimeSpan> TakeAsync(LeaseHandle lease, CancellationToken stopping)
    {
        // Read under the lease: whoever had it before has marked what it took.
        var (mark, version) = await _marks.ReadAsync(stopping).ConfigureAwait(false);
        if (mark is null || DueAfter(mark) is not { } tick) return TimeSpan.Zero;
        var wait = await WaitForServiceAsync(tick, stopping).ConfigureAwait(false);
        if (wait > TimeSpan.Zero) return wait;
        if (tick != mark.Tick && !await MarkAsync(mark, version, tick, lease, stopping).ConfigureAwait(false)) return TimeSpan.Zero;

        // The process may have been stopped meanwhile. The tick is still its own, to be started under another lease.
        if (lease.LossByNow is not null) return TimeSpan.Zero;
        _taken = null;
        var isMissed = _options.MissedTicks == MissedTicks.Skip && Time.GetUtcNow() - tick > _options.StartWithin;
        if (isMissed) Miss(1, tick);
        else await RunAsync(lease, tick, stopping).ConfigureAwait(false);
        return TimeSpan.Zero;
    }

    /// <summary>Moves the mark on; the answer is whether the tick is this instance's.</summary>
    private async Task<bool> MarkAsync(JobMark mark, long version, DateTimeOffset tick, LeaseHandle lease, CancellationToken stopping)
    {
        var missed = _schedule.CountBetween(mark.Tick, tick) + (mark.Take == _taken ? 1 : 0);
        // One name until it is started: which of several writes came to something, where that is not known, does not matter.
        var take = _taken ??= RequestIds.New();
        _before = mark;
        // Not cut short where the host stops: nobody would know whether the tick was taken.
        var marked = await _marks.WriteAsync(new(tick, take, lease.Owner, lease.Token), version, CancellationToken.None)
            .ConfigureAwait(false);
        if (marked is null) return false;
        if (stopping.IsCancellationRequested)
        {
            await GiveBackAsync(marked.Value).ConfigureAwait(false);
            return false;
        }

        if (missed > 0) Miss(missed, _schedule.LastDue(mark.Tick, tick - TimeSpan.FromTicks(1)) ?? mark.Tick);
        return true;
    }

    // What could not be given back under the lease, or was taken for a start under another one.
    protected override async Task EndAsync()
    {
        if (_taken is null) return;
        var (mark, version) = await _marks.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        if (mark?.Take == _taken) await GiveBackAsync(version).ConfigureAwait(false);
    }

    /// <summary>Gives a tick that was taken and not started back, for an instance that goes on.</summary>
    private async Task GiveBackAsync(long version)
    {
        await _marks.WriteAsync(_before!, version, CancellationToken.None).ConfigureAwait(false);
        _taken = null;
    }

    private void Miss(int ticks, DateTimeOffset last)
    {
        Metrics.Missed(Name, ticks);
        Log.Missed(ticks, Name, last);
    }

    /// <summary>
    /// How long a tick is not due yet by the service's clock, where it is by this one. A clock that is far ahead would mark ticks that are
    /// none yet for the others, which would then never start them.
    /// </summary>
    private async Task<TimeSpan> WaitForServiceAsync(DateTimeOffset tick, CancellationToken stopping)
    {
        var here = Time.GetUtcNow();
        if (await ServiceTimeAsync(stopping).ConfigureAwait(false) is not { } service || tick - service <= _options.ClockSkew)
            return TimeSpan.Zero;
        Trouble = $"This machine's clock is {here - service} ahead of the service's, and the job waits for that.";
        Log.ClockAhead(tick, Name, here - service);
        return tick - service < LongestSleep ? tick - service : LongestSleep;
    }

    /// <summary>The clock of the service; null where it does not say.</summary>
    private async Task<DateTimeOffset?> ServiceTimeAsync(CancellationToken stopping)
    {
        var page = await Client.Service.ListAsync(new() { Prefix = Resource, PageSize = 1 }, stopping).ConfigureAwait(false);
        return page.TryGetValue(out var read, out _) ? read.AsOf : null;
    }

    private async Task RunAsync(LeaseHandle lease, DateTimeOffset tick, CancellationToken stopping)
    {
        using var stop = new StopSignal(Log, Resource);
        stop.RequestBy(StopSignal.Lost, lease.LostToken);
        stop.RequestBy(StopSignal.HostStops, stopping);
        using var limit = _options.TimeLimit is { } most
            ? Time.CreateTimer(_ => stop.Request(StopSignal.TimedOut), null, most, Timeout.InfiniteTimeSpan)
            : null;
        var began = Time.GetTimestamp();
        Log.Starts(Name, tick, lease.Token);
        Metrics.Starts(Name, Time.GetUtcNow() - tick);
        Note(HealthStatus.Healthy, $"It runs for {tick:o} with token {lease.Token}.");
        var run = Background.Run(() => RunInScopeAsync(lease, tick, stop.Token));
        await AwaitEndAsync(run, lease, stop).ConfigureAwait(false);
        var took = Time.GetElapsedTime(began);
        var outcome = Settle(run, tick, lease, stop);
        Metrics.Ran(Name, outcome, took);
        Log.Ran(Name, tick, took.TotalSeconds, outcome);
    }

    private async Task RunInScopeAsync(LeaseHandle lease, DateTimeOffset tick, CancellationToken stop)
    {
        var scope = Services.CreateAsyncScope();
        await using var _ = scope.ConfigureAwait(false);
        await _job(new(Name, _schedule.InZone(tick), lease, scope.ServiceProvider), stop).ConfigureAwait(false);
    }

    private string Settle(Task run, DateTimeOffset tick, LeaseHandle lease, StopSignal stop)
    {
        var error = run.Exception?.InnerException;
        if (run.IsCompletedSuccessfully && lease.LossByNow is null)
        {
            Note(HealthStatus.Healthy, $"Its run for {tick:o} has completed.");
            return "completed";
        }

        if (error is not null && (stop.Why is null || error is not OperationCanceledException))
        {
            Note(HealthStatus.Degraded, $"Its run for {tick:o} has failed: {error.Message}");
            Log.JobFailed(Name, tick, error);
            return "failed";
        }

        var why = stop.Why ?? (lease.LossByNow is null ? "failed" : StopSignal.Lost);
        Note(HealthStatus.Degraded, $"Its run for {tick:o} was cut short: {why}.");
        Log.CutShort(Name, tick, why);
        return why;
    }

    // One that waited until the hold of the winner is over would get the lease, find the tick taken, and keep others waiting in turn.
    private static TimeSpan WaitFor(LeaseOptions lease) =>
        lease.HoldAtLeast > TimeSpan.Zero && lease.HoldAtLeast / 2 < WaitInQueue ? lease.HoldAtLeast / 2 : WaitInQueue;

    // The mark needs no such time: a second line, for whoever has deleted it.
    private LeaseOptions LeaseFor(DateTimeOffset tick)
    {
        var half = (_schedule.After(tick) - tick) / 2 ?? TimeSpan.MaxValue;
        var hold = half < _options.ClockSkew ? half : _options.ClockSkew;
        return _options.Lease with
        {
            Mode = LeaseMode.Exclusive,
            Capacity = null,
            HoldAtLeast = _options.Lease.HoldAtLeast > TimeSpan.Zero ? _options.Lease.HoldAtLeast : hold,
        };
    }
}
