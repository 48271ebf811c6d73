using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OrleansLeases.Client.Health;
using OrleansLeases.Client.Holding;
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
    /// <param name="configure">Sets the options; at least one server.</param>
    /// <returns>
    /// The builder of the <see cref="HttpClient"/>, for headers and handlers. Its handler keeps connections
    /// for as long as the application runs, and follows DNS by <see cref="LeaseHttpOptions.ConnectionLifetime"/>.
    /// </returns>
    /// <remarks>
    /// <para>Called again, it configures the same client further, after what was configured before: a server that is added then
    /// is one more address of the same service. A client of another service is added by
    /// <see cref="AddKeyedLeasesClient(IServiceCollection, string, Action{LeaseHttpOptions})"/>.</para>
    /// <para>Options are checked when a host starts, and otherwise at the first use: an <see cref="OptionsValidationException"/>
    /// names each field that is wrong, its value and the remedy.</para>
    /// <para>Where the application has health checks, one called <c>leases</c> is among them, <c>leases:</c> and the key for a keyed
    /// client, unless the application has one of that name: whether the service answers and the leases are being renewed, with the
    /// reason.</para>
    /// <para>A generic host that stops gives back what its handles hold, once its services have stopped and within its shutdown time: each
    /// lease is lost first, so that its <see cref="LeaseHandle.LostToken"/> ends what still relies on it. Work that a recipe runs gives its
    /// lease back with its end. A lease whose work does not end in that time, or whose callback does not return, expires instead.</para>
    /// <para>What <c>ConfigureHttpClientDefaults</c> adds to every client's handlers is left out here, but for service discovery:
    /// retries, time-outs and breakers such as the standard resilience handler's cut waits of 25 s, and repeat what may not be
    /// repeated. Handlers for this client are added to the builder that this returns; add none
    /// there that repeats calls or limits their time. Nor does its <see cref="HttpClient"/> log each call, unless
    /// <c>AddDefaultLogger</c> is called on that builder; the <see cref="LeaseClient"/> logs each lease that is lost. The
    /// <see cref="LeaseClient"/> is disposed of with the services, by <c>DisposeAsync</c>, as hosts do. What is registered as
    /// <see cref="ILeaseService"/> afterwards, such as a test's engine in memory, takes the place of the one over HTTP.</para>
    /// </remarks>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The services have an <see cref="ILeaseService"/> from elsewhere.</exception>
    public static IHttpClientBuilder AddLeasesClient(this IServiceCollection services, Action<LeaseHttpOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, key: null, configure);
    }

    /// <inheritdoc cref="AddLeasesClient(IServiceCollection, Action{LeaseHttpOptions})"/>
    /// <param name="services">The services.</param>
    /// <param name="configuration">A section with the options by name. An unknown name is refused.</param>
    public static IHttpClientBuilder AddLeasesClient(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return Add(services, key: null, options => LeaseHttpSettings.Apply(configuration, options));
    }

    /// <summary>
    /// Adds a client of one of several lease services: an <see cref="ILeaseService"/> over HTTP and a <see cref="LeaseClient"/>
    /// upon it, both as singletons under a key, for constructors that ask for <c>[FromKeyedServices("billing")] LeaseClient</c>.
    /// Each has its own options and its own <see cref="HttpClient"/>.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="key">The key, such as <c>billing</c>, which is the name of its <see cref="LeaseHttpOptions"/> too; not empty.</param>
    /// <param name="configure">Sets the options; at least one server.</param>
    /// <returns>
    /// The builder of the <see cref="HttpClient"/>, as from <see cref="AddLeasesClient(IServiceCollection,
    /// Action{LeaseHttpOptions})"/>.
    /// </returns>
    /// <remarks>
    /// The remarks of <see cref="AddLeasesClient(IServiceCollection, Action{LeaseHttpOptions})"/> apply to each of them.
    /// Called again with the same key, it configures the same client further.
    /// </remarks>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="key"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">The services have an <see cref="ILeaseService"/> of that key from elsewhere.</exception>
    public static IHttpClientBuilder AddKeyedLeasesClient(this IServiceCollection services, string key, Action<LeaseHttpOptions> configure)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, key, configure);
    }

    /// <inheritdoc cref="AddKeyedLeasesClient(IServiceCollection, string, Action{LeaseHttpOptions})"/>
    /// <param name="services">The services.</param>
    /// <param name="key">The key, such as <c>billing</c>, which is the name of its <see cref="LeaseHttpOptions"/> too; not empty.</param>
    /// <param name="configuration">A section with the options by name. An unknown name is refused.</param>
    public static IHttpClientBuilder AddKeyedLeasesClient(this IServiceCollection services, string key, IConfiguration configuration)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(configuration);
        return Add(services, key, options => LeaseHttpSettings.Apply(configuration, options));
    }

    internal static IHttpClientBuilder Add(IServiceCollection services, string? key, Action<LeaseHttpOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        var name = key is null ? HttpClientName : $"{HttpClientName}:{key}";
        var client = services.AddHttpClient(name);
        var isAdded =
            services.Any(service => service.ServiceType == typeof(Added) && ((Added)service.ImplementationInstance!).Name == name);
        if (!isAdded) Register(services, key, client);
        services.AddOptions<LeaseHttpOptions>(key).Configure(configure);
        return client;
    }

    private static void Register(IServiceCollection services, string? key, IHttpClientBuilder client)
    {
        if (services.Any(service => service.ServiceType == typeof(ILeaseService) && Equals(service.ServiceKey, key)))
        {
            throw new InvalidOperationException(
                $"The services have an {nameof(ILeaseService)}{(key is null
                    ? ""
                    : $" of the key '{key}'")} from elsewhere. Add this client "
                + $"before whatever is to take its place, or under a key of its own with {nameof(AddKeyedLeasesClient)}.");
        }

        services.AddSingleton(new Added(client.Name));
        services.AddOptions<LeaseHttpOptions>(key).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LeaseHttpOptions>, LeaseHttpOptionsValidator>());
        // As AddLeases does, so that an application has the same clock whatever its leases come from.
        services.TryAddSingleton(TimeProvider.System);
        // Under no key where it is null.
        services.AddKeyedSingleton<ILeaseService>(key, (provider, _) => ServiceOf(provider, client.Name, OptionsOf(provider, key)));
        services.TryAddSingleton<HostedClients>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, HostedClientsEnd>());
        services.TryAddKeyedSingleton(key, (provider, _) => provider.GetRequiredService<HostedClients>().Add(new LeaseClient(
            key is null ? provider.GetRequiredService<ILeaseService>() : provider.GetRequiredKeyedService<ILeaseService>(key),
            OptionsOf(provider, key).Client is { MeterFactory: null } options
                ? options with { MeterFactory = provider.GetService<IMeterFactory>() }
                : OptionsOf(provider, key).Client,
            provider.GetService<TimeProvider>(),
            provider.GetService<ILogger<LeaseClient>>())));
        AddHealthCheck(services, key);
        client
            .WithoutForeignHandlers()
            // Several lines for each renewal; what matters of them the client says itself.
            .RemoveAllLoggers()
            .ConfigureHttpClient(http => http.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(provider => HandlerOf(OptionsOf(provider, key)))
            .ConfigureAdditionalHttpMessageHandlers((handlers, provider) =>
            {
                if (OptionsOf(provider, key).Credential is { } credential) handlers.Add(new CredentialHandler(credential));
            })
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
    }

    private static LeaseHttpOptions OptionsOf(IServiceProvider provider, string? key) =>
        provider.GetRequiredService<IOptionsMonitor<LeaseHttpOptions>>().Get(key);

    private static HttpLeaseService ServiceOf(IServiceProvider provider, string name, LeaseHttpOptions options)
    {
        Uri[] servers = [.. options.Servers.Select(server => new Uri(server))];
        if (options.Credential is not null && Array.Find(servers, IsReadByOthers) is { } open)
            provider.GetService<ILogger<LeaseClient>>()?.CredentialInClear(open);
        return new(provider.GetRequiredService<IHttpClientFactory>().CreateClient(name), servers, provider.GetService<TimeProvider>())
        {
            CallTimeout = options.CallTimeout,
            ServerTimeout = options.ServerTimeout,
            MeterFactory = options.Client.MeterFactory ?? provider.GetService<IMeterFactory>(),
            Logger = provider.GetService<ILogger<LeaseClient>>() ?? (ILogger)NullLogger.Instance,
        };
    }

    private static bool IsReadByOthers(Uri server) => server.Scheme == Uri.UriSchemeHttp && !server.IsLoopback;

    private static SocketsHttpHandler HandlerOf(LeaseHttpOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionLifetime = options.ConnectionLifetime,
            // Followed, a redirect would be a repeat that nobody decided on.
            AllowAutoRedirect = false,
            UseCookies = false,
        };
        if (options.ClientCertificate is { } certificate)
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate()!;
        return handler;
    }

    /// <summary>Says that a client was added, by the name of its <see cref="HttpClient"/>.</summary>
    private sealed record Added(string Name);

    // It takes effect where the application has health checks, and is one line fewer to forget. A name may be there once, and is the
    // application's own where it has it.
    private static void AddHealthCheck(IServiceCollection services, object? key) =>
        services.AddOptions<HealthCheckServiceOptions>().PostConfigure(checks =>
        {
            var name = key is null ? "leases" : $"leases:{key}";
            if (checks.Registrations.Any(check => string.Equals(check.Name, name, StringComparison.OrdinalIgnoreCase))) return;
            checks.Registrations.Add(new(
                name,
                provider => new LeaseClientHealthCheck(
                    key is null ? provider.GetRequiredService<LeaseClient>() : provider.GetRequiredKeyedService<LeaseClient>(key)),
                failureStatus: null,
                tags: null));
        });
}
