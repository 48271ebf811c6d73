using Microsoft.Extensions.Options;

namespace OrleansLeases.Client.Internal;

internal sealed class LeaseHttpOptionsValidator : IValidateOptions<LeaseHttpOptions>
{
    public ValidateOptionsResult Validate(string? name, LeaseHttpOptions options)
    {
        var client = string.IsNullOrEmpty(name) ? "" : $"Client '{name}': ";
        var faults = options.Faults().Select(fault => client + fault).ToArray();
        return faults.Length > 0 ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;
    }
}
