using Microsoft.Extensions.Options;

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

/// <summary>Names the service or job that the options are of.</summary>
internal static class OptionFaults
{
    public static ValidateOptionsResult Of(string? name, IEnumerable<string> faults) =>
        faults.Select(fault => $"{name}: {fault}").ToArray() is { Length: > 0 } all
            ? ValidateOptionsResult.Fail(all)
            : ValidateOptionsResult.Success;
}
