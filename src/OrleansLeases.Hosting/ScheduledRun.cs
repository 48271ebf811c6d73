using OrleansLeases.Client;

namespace OrleansLeases.Hosting;

/// <summary>One run of a job. Thread-safe.</summary>
/// <param name="name">The name of the job.</param>
/// <param name="tick">The tick that it is of.</param>
/// <param name="lease">The lease that it holds. It stays the host's, to be released once the run has ended.</param>
/// <param name="services">The services of its scope.</param>
/// <exception cref="ArgumentNullException">An argument is null.</exception>
public sealed class ScheduledRun(string name, DateTimeOffset tick, LeaseHandle lease, IServiceProvider services)
{
    /// <summary>The name of the job.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));

    /// <summary>The tick by the schedule, in the job's time zone. No two runs have the same; a missed one may be long ago.</summary>
    public DateTimeOffset Tick { get; } = tick;

    /// <summary>
    /// The lease of the run, for <see cref="LeaseHandle.IsValid"/> and for requests that carry its token. Do not release it.
    /// </summary>
    public LeaseHandle Lease { get; } = lease ?? throw new ArgumentNullException(nameof(lease));

    /// <summary>The fencing token of the run, greater than that of every earlier run of the job.</summary>
    public long Token => Lease.Token;

    /// <summary>Services of a scope of its own, which ends with the run.</summary>
    public IServiceProvider Services { get; } = services ?? throw new ArgumentNullException(nameof(services));
}
