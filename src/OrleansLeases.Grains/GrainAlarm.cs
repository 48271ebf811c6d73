using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>Wakes one grain's keeper, on the grain's scheduler.</summary>
/// <remarks>
/// Not a grain timer: those tick by messages, which an activation that is being deactivated no longer takes, while
/// calls that wait in the queue are still to be answered on time. Decision grain-alarm-is-a-plain-timer.
/// </remarks>
internal sealed class GrainAlarm : IKeeperAlarm, IDisposable
{
    private readonly Lock _gate = new();
    private readonly IGrainContext _context;
    private readonly LeaseClock _clock;
    private readonly ITimer _timer;
    private Keeper? _keeper;
    private TimeSpan _at;

    public GrainAlarm(IGrainContext context, LeaseClock clock, TimeProvider time)
    {
        (_context, _clock) = (context, clock);
        _timer = Background.Timer(time, static alarm => ((GrainAlarm)alarm!).OnTimer(), this);
    }

    // A keeper sets an alarm only for sooner than the one that stands, so the newest is the only one that matters.
    public void Set(Keeper keeper, TimeSpan at)
    {
        lock (_gate)
        {
            (_keeper, _at) = (keeper, at);
            var wait = Math.Max(0, Math.Ceiling((at - _clock.Read().Monotonic).TotalMilliseconds));
            _timer.Change(TimeSpan.FromMilliseconds(wait), Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void OnTimer() => _context.Scheduler.QueueAction(Wake);

    private void Wake()
    {
        Keeper keeper;
        TimeSpan at;
        lock (_gate) (keeper, at) = (_keeper!, _at);
        if (!keeper.OnAlarm(at)) _ = keeper.Wake();
    }
}
