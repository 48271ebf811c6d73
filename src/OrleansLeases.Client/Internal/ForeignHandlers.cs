using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;

namespace OrleansLeases.Client.Internal;

/// <summary>Keeps out of an <see cref="HttpClient"/> what the application adds to all of them.</summary>
internal static class ForeignHandlers
{
    /// <summary>
    /// Leaves out the handlers that <c>ConfigureHttpClientDefaults</c> adds, before or after this; those that are added to the
    /// builder from here on stay. What a handler of the application's does cannot be known, and one that repeats calls or
    /// limits their time costs leases. Service discovery stays: without it the names of servers mean nothing.
    /// </summary>
    public static IHttpClientBuilder WithoutForeignHandlers(this IHttpClientBuilder http)
    {
        // Options of all names are configured before those of one; so this, the first for its name, finds the defaults alone.
        http.Services.Configure<HttpClientFactoryOptions>(http.Name, options =>
        {
            Action<HttpMessageHandlerBuilder>[] defaults = [.. options.HttpMessageHandlerBuilderActions];
            options.HttpMessageHandlerBuilderActions.Clear();
            options.HttpMessageHandlerBuilderActions.Add(builder =>
            {
                foreach (var add in defaults) add(builder);
                for (var i = builder.AdditionalHandlers.Count - 1; i >= 0; i--)
                    if (!FindsServices(builder.AdditionalHandlers[i])) builder.AdditionalHandlers.RemoveAt(i);
            });
        });
        return http;
    }

    // By its name: the package is the application's, not ours.
    private static bool FindsServices(DelegatingHandler handler) =>
        handler.GetType().Namespace is { } place && place.StartsWith("Microsoft.Extensions.ServiceDiscovery", StringComparison.Ordinal);
}
