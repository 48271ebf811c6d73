using OrleansLeases.Client;
using OrleansLeases.Client.Internal;
using OrleansLeases.Hosting.Scheduling;

namespace OrleansLeases.Hosting;

/// <summary>
/// When and how a job is started. The options of a job have its name; they are checked when the host starts. Every instance of the
/// application should have the same, and the same data of time zones.
/// </summary>
public sealed class ScheduledJobOptions
{
    /// <summary>When: a cron expression of five fields, or of six with seconds first, or a macro such as <c>@hourly</c>.</summary>
    /// <value>What <see cref="HostedLeaseExtensions"/> was given, by default.</value>
    public string Schedule { get; set; } = "";

    /// <summary>
    /// The time zone of the schedule, by its IANA name. A time that is skipped in spring is started when the clock has been put forward;
    /// one that comes twice in autumn is started once, and by <c>*</c> or an interval both times.
    /// </summary>
    /// <value><c>UTC</c> by default; such as <c>Europe/Berlin</c>.</value>
    public string TimeZone { get; set; } = "UTC";

    /// <summary>What is done about a tick that could not be started within <see cref="StartWithin"/>.</summary>
    /// <value><see cref="MissedTicks.Skip"/> by default.</value>
    public MissedTicks MissedTicks { get; set; }

    /// <summary>
    /// How late a tick may be started without having been missed: after an instance died that was about to start it, while an earlier
    /// run of the job went on, or while no instance ran. Of several ticks that are due only the last one is started.
    /// </summary>
    /// <value>5 min by default; 0 to a day. Less than the time to live and the service's grace loses ticks when an instance dies.</value>
    public TimeSpan StartWithin { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a run may last: then its token is cancelled. The lease is held until the run has ended nevertheless.</summary>
    /// <value>Null by default, for no limit; otherwise 1 ms to 30 days.</value>
    public TimeSpan? TimeLimit { get; set; }

    /// <summary>
    /// How far the clock of an instance may be ahead of the service's: where it is further ahead, it waits for the service's. The lease
    /// keeps other instances waiting for as long after its grant, or half of the time to the next tick, unless
    /// <see cref="LeaseOptions.HoldAtLeast"/> of <see cref="Lease"/> says otherwise.
    /// </summary>
    /// <value>5 s by default; 0 to an hour.</value>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The lease that a run holds. Its mode and capacity are ignored.</summary>
    /// <value>30 s by default, renewed while the run goes on.</value>
    public LeaseOptions Lease { get; set; } = new();

    /// <summary>The resource that a run holds, and the key with the mark of the last tick that was started.</summary>
    /// <value><c>jobs/</c> and the name of the job by default.</value>
    public string? Resource { get; set; }

    /// <summary>The key of the <see cref="LeaseClient"/> among the services.</summary>
    /// <value>Null by default: the one without a key.</value>
    public string? ClientKey { get; set; }

    /// <summary>What is wrong, with the remedy.</summary>
    internal IEnumerable<string> Faults()
    {
        const string Name = nameof(ScheduledJobOptions);
        IEnumerable<string?> faults =
        [
            TickSchedule.FaultOf(Schedule) is { } wrong
                ? $"{Name}.{nameof(Schedule)} is '{Schedule}': {wrong} It takes five fields such as 0 3 * * *, or six with seconds first."
                : null,
            TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone ?? "", out _)
                ? null
                : $"{Name}.{nameof(TimeZone)} is '{TimeZone}', which this machine does not know; it takes a name such as Europe/Berlin.",
            Enum.IsDefined(MissedTicks) ? null : $"{Name}.{nameof(MissedTicks)} is {MissedTicks}; it takes Skip or Once.",
            OptionBounds.Fault($"{Name}.{nameof(StartWithin)}", StartWithin, TimeSpan.Zero, TimeSpan.FromDays(1)),
            TimeLimit is { } limit
                ? OptionBounds.Fault($"{Name}.{nameof(TimeLimit)}", limit, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(30))
                : null,
            OptionBounds.Fault($"{Name}.{nameof(ClockSkew)}", ClockSkew, TimeSpan.Zero, TimeSpan.FromHours(1)),
            Lease is null ? $"{Name}.{nameof(Lease)} is null; leave it out for a lease of 30 s." : null,
            Lease is null ? null : LeaseFault.Of($"{Name}.{nameof(Lease)}", Lease),
            OptionBounds.NameFault($"{Name}.{nameof(Resource)}", Resource, "jobs/nightly"),
        ];
        return faults.OfType<string>();
    }
}
