using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

internal sealed class LeaseSiloOptionsValidator(IOptions<LeaseSiloOptions> options) : IConfigurationValidator
{
    public void ValidateConfiguration() => options.Value.Validate();
}
