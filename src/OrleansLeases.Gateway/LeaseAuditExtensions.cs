using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansLeases.Gateway.Audit;

namespace OrleansLeases.Gateway;

/// <summary>Adds the audit to the endpoints of the lease service.</summary>
public static class LeaseAuditExtensions
{
    /// <summary>
    /// Records each change, and each refusal for lack of rights, also where nobody is asked who is calling: all are <c>anonymous</c>
    /// then. Records go to the log category <c>OrleansLeases.Audit</c>, as information, and to a file where one is named. Without this,
    /// a service with <see cref="LeaseGatewayOptions.Authenticate"/> has the log category alone.
    /// </summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets the options, or null to leave them as they are.</param>
    /// <returns>The same services.</returns>
    /// <remarks>
    /// <para>The <see cref="ILeaseService"/> must be an <see cref="ICallerScopes"/>. The file is opened when the endpoints are mapped,
    /// which throws an <see cref="IOException"/> where that fails, and written behind the calls: no call waits for it. While the disk is
    /// full or fails, 16,384 records wait; further ones are lost, and the log says how many.</para>
    /// <para>The address is that of the connection. Behind a proxy, the host calls <c>UseForwardedHeaders</c> with its known proxies
    /// first.</para>
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IServiceCollection AddLeaseAudit(this IServiceCollection services, Action<LeaseAuditOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (configure is not null) services.Configure(configure);
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<LeaseAuditOptions>>().Value;
            options.Check();
            return new AuditLog(
                provider.GetRequiredService<ILoggerFactory>(),
                provider.GetService<TimeProvider>() ?? TimeProvider.System,
                options.File is { } file ? new RotatingFile(file, options.MaxFileBytes, options.KeptFiles) : null);
        });
        return services;
    }
}
