using Microsoft.Extensions.Options;

namespace OrleansLeases.Client.Internal;

internal sealed class LeaseHttpOptionsValidator : IValidateOptions<LeaseHttpOptions>
{
    public ValidateOptionsResult Validate(string? name, LeaseHttpOptions options) =>
        options.Faults().ToArray() is { Length: > 0 } faults ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;
}
