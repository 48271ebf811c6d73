using Microsoft.Extensions.Options;
using OrleansLeases.Client;
using OrleansLeases.Client.Internal;

namespace OrleansLeases.Hosting;

/// <summary>Refuses options that are out of bounds, with all that is wrong.</summary>
internal sealed class LeaderServiceOptionsValidator : IValidateOptions<LeaderServiceOptions>
{
    public ValidateOptionsResult Validate(string? name, LeaderServiceOptions options) => OptionFaults.Of(name, options.Faults());
}

/// <inheritdoc cref="LeaderServiceOptionsValidator"/>
internal sealed class ScheduledJobOptionsValidator : IValidateOptions<ScheduledJobOptions>
{
    public ValidateOptionsResult Validate(string? name, ScheduledJobOptions options) => OptionFaults.Of(name, options.Faults());
}

/// <summary>Checks the lease of work: any service refuses a time to live that is none. Its own bounds it tells when it is asked.</summary>
internal static class LeaseFault
{
    public static string? Of(string name, LeaseOptions lease) =>
        OptionBounds.Fault($"{name}.{nameof(lease.Ttl)}", lease.Ttl, TimeSpan.FromMilliseconds(1), TimeSpan.MaxValue)
        ?? OptionBounds.Fault($"{name}.{nameof(lease.HoldAtLeast)}", lease.HoldAtLeast, TimeSpan.Zero, TimeSpan.FromDays(1));
}

/// <summary>Names the service or job that the options are of.</summary>
internal static class OptionFaults
{
    public static ValidateOptionsResult Of(string? name, IEnumerable<string> faults) =>
        faults.Select(fault => $"{name}: {fault}").ToArray() is { Length: > 0 } all
            ? ValidateOptionsResult.Fail(all)
            : ValidateOptionsResult.Success;
}
