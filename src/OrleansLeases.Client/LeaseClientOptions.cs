using System.Diagnostics.Metrics;
using OrleansLeases.Client.Internal;

namespace OrleansLeases.Client;

/// <summary>How a client holds its leases. Immutable; checked when the client is made.</summary>
public sealed record LeaseClientOptions
{
    /// <summary>The owner of the leases of this client, unless an acquire names another one.</summary>
    /// <value>By default the names of machine and process and a part that is random for each client: <c>vm/23250-43028f9a</c>.</value>
    public string Owner { get; init; } = $"{Environment.MachineName}/{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..8]}";

    /// <summary>
    /// How much slower than the service's clock this machine's may run, as a fraction: a holder counts on that much less than the time
    /// that the service granted.
    /// </summary>
    /// <value>0.01 by default; 0 to 0.5.</value>
    public double ClockDrift { get; init; } = 0.01;

    /// <summary>
    /// How long a release waits for the service at most; it is retried in the background until the lease has expired.
    /// </summary>
    /// <value>5 s by default; 0 to 1 min.</value>
    public TimeSpan ReleaseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Makes the meter <c>OrleansLeases.Client</c>, such as the one among the services of a host, which
    /// <see cref="LeaseClientServiceExtensions"/> takes by itself. <c>docs/telemetry.md</c> lists what is counted.
    /// </summary>
    /// <value>All clients of the process have one by default.</value>
    public IMeterFactory? MeterFactory { get; init; }

    internal void Validate()
    {
        if (Faults().FirstOrDefault() is { } fault) throw new ArgumentException(fault);
    }

    /// <summary>What is wrong, with the remedy.</summary>
    internal IEnumerable<string> Faults()
    {
        const string Name = nameof(LeaseClientOptions);
        IEnumerable<string?> faults =
        [
            string.IsNullOrEmpty(Owner) ? $"{Name}.{nameof(Owner)} is empty; it takes 1 to 512 bytes." : null,
            OptionBounds.Fault($"{Name}.{nameof(ClockDrift)}", ClockDrift, 0, 0.5),
            OptionBounds.Fault($"{Name}.{nameof(ReleaseTimeout)}", ReleaseTimeout, TimeSpan.Zero, TimeSpan.FromMinutes(1)),
        ];
        return faults.OfType<string>();
    }
}
