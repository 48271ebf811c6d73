using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace OrleansLeases.Embedded;

/// <summary>How an embedded lease service behaves. Immutable; checked when the service is made.</summary>
public sealed record EmbeddedLeaseOptions
{
    /// <summary>The bounds of requests, which the service checks.</summary>
    /// <value>The defaults of <see cref="LeaseLimits"/>.</value>
    public LeaseLimits Limits { get; init; } = new();

    /// <summary>
    /// How many times to live one stored renewal covers: 1 stores every renewal; a larger factor keeps most in memory, and in return frees
    /// a lease that was abandoned just before a crash later, by (factor - 1) x ttl, at most 30 s.
    /// </summary>
    /// <value>2 by default; 1 to 100.</value>
    public int RenewalFactor { get; init; } = 2;

    /// <summary>How far the machine's clock may be set forward while the service is down without freeing a lease early.</summary>
    /// <value>1 s by default; 0 to 1 h.</value>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Logs, once each, when the data folder fails and when it has recovered.</summary>
    /// <value>Nothing is logged by default.</value>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>
    /// Makes the meter <c>OrleansLeases</c> of the service, such as the one among the services of a host: then a test that has a host of
    /// its own sees what that host counts, and nothing else. <c>docs/telemetry.md</c> lists what is counted.
    /// </summary>
    /// <value>The service has a meter of its own by default, which ends with it.</value>
    public IMeterFactory? MeterFactory { get; init; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Logger);
        Within(nameof(RenewalFactor), RenewalFactor, 1, 100);
        Within(nameof(ClockSkew), ClockSkew, TimeSpan.Zero, TimeSpan.FromHours(1));
        Within("Limits.MinTtl", Limits.MinTtl, TimeSpan.FromMilliseconds(1), Limits.MaxTtl);
        Within("Limits.MaxTtl", Limits.MaxTtl, Limits.MinTtl, TimeSpan.FromDays(365));
        Within("Limits.MaxWait", Limits.MaxWait, TimeSpan.Zero, TimeSpan.FromHours(1));
        Within("Limits.MaxHolders", Limits.MaxHolders, 1, 100_000);
        Within("Limits.MaxWaiters", Limits.MaxWaiters, 0, 1_000_000);
        Within("Limits.MaxBatch", Limits.MaxBatch, 1, 100_000);
        Within("Limits.MaxKeys", Limits.MaxKeys, 0, 100_000);
    }

    private static void Within<T>(string name, T value, T least, T most)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0) return;
        throw new ArgumentOutOfRangeException(
            name, value, $"{nameof(EmbeddedLeaseOptions)}.{name} is {value}; it takes {least} to {most}.");
    }
}
