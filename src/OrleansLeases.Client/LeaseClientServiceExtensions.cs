using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansLeases.Client.Internal;

namespace OrleansLeases.Client;

/// <summary>Adds leases over HTTP to the services of an application.</summary>
public static class LeaseClientServiceExtensions
{
    private const string HttpClientName = "OrleansLeases";

    /// <summary>
    /// Adds an <see cref="ILeaseService"/> over HTTP and a <see cref="LeaseClient"/> upon it, both as singletons. Their clock is the
    /// <see cref="TimeProvider"/> among the services; the system's where there is none.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">How the service is reached; at least one server.</param>
    /// <returns>
    /// The builder of the <see cref="HttpClient"/>, for headers and handlers such as a credential's. Its handler keeps connections
    /// for as long as the application runs, and follows DNS by <see cref="LeaseHttpOptions.ConnectionLifetime"/>.
    /// </returns>
    /// <remarks>
    /// <para>Options are checked when a host starts, and otherwise at the first use: an <see cref="OptionsValidationException"/>
    /// names each field that is wrong, its value and the remedy.</para>
    /// <para>What <c>ConfigureHttpClientDefaults</c> adds to every client's handlers is left out here, but for service discovery:
    /// retries, time-outs and breakers such as the standard resilience handler's cut waits of 25 s, and repeat what may not be
    /// repeated. Handlers for this client, such as a credential's, are added to the builder that this returns; add none
    /// there that repeats calls or limits their time. Nor does its <see cref="HttpClient"/> log each call, unless
    /// <c>AddDefaultLogger</c> is called on that builder; the <see cref="LeaseClient"/> logs each lease that is lost. The <see cref="LeaseClient"/> is disposed of with
    /// the services, by <c>DisposeAsync</c>, as hosts do. What is registered as <see cref="ILeaseService"/> afterwards, such
    /// as a test's engine in memory, takes the place of the one over HTTP.</para>
    /// </remarks>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The services have an <see cref="ILeaseService"/> already.</exception>
    public static IHttpClientBuilder AddLeasesClient(this IServiceCollection services, Action<LeaseHttpOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, options => options.Configure(configure));
    }

    /// <inheritdoc cref="AddLeasesClient(IServiceCollection, Action{LeaseHttpOptions})"/>
    /// <param name="services">The services.</param>
    /// <param name="configuration">A section with the options by name. A name that is none of theirs is refused.</param>
    public static IHttpClientBuilder AddLeasesClient(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return Add(services, options => options.Bind(configuration, binder => binder.ErrorOnUnknownConfiguration = true));
    }

    private static IHttpClientBuilder Add(IServiceCollection services, Action<OptionsBuilder<LeaseHttpOptions>> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.Any(service => service.ServiceType == typeof(ILeaseService)))
            throw new InvalidOperationException($"The services have an {nameof(ILeaseService)} already; call {nameof(AddLeasesClient)} once, and before whatever is to take its place.");
        configure(services.AddOptions<LeaseHttpOptions>().ValidateOnStart());
        services.AddSingleton<IValidateOptions<LeaseHttpOptions>, LeaseHttpOptionsValidator>();
        // As AddLeases does, so that an application has the same clock whatever its leases come from.
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ILeaseService>(provider => ServiceOf(provider, provider.GetRequiredService<IOptions<LeaseHttpOptions>>().Value));
        services.TryAddSingleton(provider => new LeaseClient(
            provider.GetRequiredService<ILeaseService>(),
            provider.GetRequiredService<IOptions<LeaseHttpOptions>>().Value.Client,
            provider.GetService<TimeProvider>(),
            provider.GetService<ILogger<LeaseClient>>()));
        return services.AddHttpClient(HttpClientName)
            .WithoutForeignHandlers()
            // Several lines for each renewal; what matters of them the client says itself.
            .RemoveAllLoggers()
            .ConfigureHttpClient(http => http.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(provider => HandlerOf(provider.GetRequiredService<IOptions<LeaseHttpOptions>>().Value))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
    }

    private static HttpLeaseService ServiceOf(IServiceProvider provider, LeaseHttpOptions options) => new(
        provider.GetRequiredService<IHttpClientFactory>().CreateClient(HttpClientName),
        options.Servers.Select(server => new Uri(server)),
        provider.GetService<TimeProvider>())
    {
        CallTimeout = options.CallTimeout,
        ServerTimeout = options.ServerTimeout,
    };

    private static SocketsHttpHandler HandlerOf(LeaseHttpOptions options) => new()
    {
        ConnectTimeout = options.ConnectTimeout,
        PooledConnectionLifetime = options.ConnectionLifetime,
        // Followed, a redirect would be a repeat that nobody decided on.
        AllowAutoRedirect = false,
        UseCookies = false,
    };
}
