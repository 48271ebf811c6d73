using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLeases.Core;

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

    /// <summary>
    /// How long a name is kept that is free, unbound and unwatched: then its record is dropped, with its history and its request ids. The
    /// tokens and versions of a name that comes back go on growing all the same. A repeat of a request is recognised for that long at
    /// least.
    /// </summary>
    /// <value>30 days by default; 1 min to 3,650 days, or 0 for ever.</value>
    public TimeSpan Retain { get; init; } = Retention.Default;

    /// <summary>
    /// <see cref="Retain"/> for the names of resources and keys that start with a prefix; of several the longest counts.
    /// </summary>
    /// <value>None by default.</value>
    public IReadOnlyDictionary<string, TimeSpan> RetainByPrefix { get; init; } = new Dictionary<string, TimeSpan>();

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
        ArgumentNullException.ThrowIfNull(RetainByPrefix);
        Kept(nameof(Retain), Retain);
        foreach (var (prefix, retain) in RetainByPrefix) Kept($"{nameof(RetainByPrefix)}[{prefix}]", retain);
        Within("Limits.MinTtl", Limits.MinTtl, TimeSpan.FromMilliseconds(1), Limits.MaxTtl);
        Within("Limits.MaxTtl", Limits.MaxTtl, Limits.MinTtl, TimeSpan.FromDays(365));
        Within("Limits.MaxWait", Limits.MaxWait, TimeSpan.Zero, TimeSpan.FromHours(1));
        Within("Limits.MaxHolders", Limits.MaxHolders, 1, 100_000);
        Within("Limits.MaxWaiters", Limits.MaxWaiters, 0, 1_000_000);
        Within("Limits.MaxBatch", Limits.MaxBatch, 1, 100_000);
        Within("Limits.MaxKeys", Limits.MaxKeys, 0, 100_000);
    }

    internal Retention Retention => new(Retain, RetainByPrefix);

    private static void Kept(string name, TimeSpan retain)
    {
        if (Retention.FlawOf(retain) is { } flaw)
            throw new ArgumentOutOfRangeException(name, retain, $"{nameof(EmbeddedLeaseOptions)}.{name} is {flaw}.");
    }

    private static void Within<T>(string name, T value, T least, T most)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0) return;
        throw new ArgumentOutOfRangeException(
            name, value, $"{nameof(EmbeddedLeaseOptions)}.{name} is {value}; it takes {least} to {most}.");
    }
}
