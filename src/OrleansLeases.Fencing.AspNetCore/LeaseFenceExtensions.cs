using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using OrleansLeases.Fencing.PostgreSql;

namespace OrleansLeases.Fencing.AspNetCore;

/// <summary>
/// Puts the fence before the endpoints of a service: each request carries a fencing token, and is refused where a greater token was
/// seen.
/// </summary>
/// <remarks>
/// <para>A token refuses late callers and is no credential: it can be guessed, and one greater than any that was granted closes
/// the resource. So a request comes with the proof that its token was granted, in the header <c>Lease-Proof</c>, unless
/// <see cref="LeaseFenceOptions.RequireProof"/> says that callers are trusted with tokens. A proof can be sent again by whoever has
/// seen it: have the endpoint authenticate its callers.</para>
/// <para>Without proofs a request names the token of its caller's lease in the header <c>Fencing-Token</c>; with them it may leave that
/// out. Before the endpoint runs, the token
/// is durably the greatest seen of its resource, and no request with a lower one is running any more, in whatever process
/// of the service; while it runs, greater ones wait. Requests under the same token run side by side.</para>
/// <para>The refusals, as <c>application/problem+json</c>: 428 without the header, 403 where the proof does not prove the token and the
/// resource, 400 where it is no token, 409 where a greater one has been seen, 503 <c>unavailable</c> where the database does not respond,
/// the keys of the proofs cannot be fetched, a request with a lower token took too long, or the token is of a restore epoch that the fence
/// does not take. The endpoint has not run then. It may have run where the response is 503 <c>outcome-unknown</c>.</para>
/// <para>An endpoint that writes to a database had better pass the fence again, in the transaction of the write:
/// <c>LeaseFence.RunAsync</c>, with the <see cref="FencedRequest"/>. The write is then refused or committed in order in every case.
/// Its other effects are kept in order by a hold of the fence (<see cref="FenceHold"/>), until the endpoint has returned, also
/// where its caller has disconnected. The hold ends before that where the request takes longer than
/// <see cref="FenceHoldOptions.MaxDuration"/>, by 5 s, or where its connection to the database breaks. The request's
/// <see cref="HttpContext.RequestAborted"/> is cancelled then. An endpoint that does not stop, or cannot since its process is
/// paused, may take effect after one with a greater token. So may work that an endpoint starts and does not await.</para>
/// <para>For exclusive leases: tokens of shared ones are no fences.</para>
/// </remarks>
public static class LeaseFenceExtensions
{
    /// <summary>Adds the fence, with a connection pool of its own: every admitted request uses a connection.</summary>
    /// <param name="services">The services of the host. A <see cref="TimeProvider"/> among them is the fence's clock.</param>
    /// <param name="connectionString">
    /// The PostgreSQL that keeps the tokens seen, of all processes of the service, with <c>sql/lease-fence.sql</c> installed.
    /// Its <c>Maximum Pool Size</c>, 100 by default, is how many requests may run or wait at once.
    /// </param>
    /// <param name="options">What is admitted, and for how long; the defaults where left out.</param>
    /// <returns>
    /// The same services. The host does not start where proofs are required, as they are by default, and it has neither
    /// <see cref="AddLeaseProofs"/> nor a <see cref="LeaseProofVerifier"/> of its own.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="connectionString"/> is null.</exception>
    /// <exception cref="ArgumentException">The connection string is malformed, or an option is out of bounds.</exception>
    public static IServiceCollection AddLeaseFence(
        this IServiceCollection services, string connectionString, LeaseFenceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(connectionString);
        options ??= new();
        options.Hold.Validate();
        // A connection that several share cannot be held. One that is kept alive is never idle for the server, which would not
        // end the hold of a request that does not stop. And a transaction around the call must not take the mark back.
        var own =
            new NpgsqlConnectionStringBuilder(connectionString) { Multiplexing = false, KeepAlive = 0, Enlist = false }.ConnectionString;
        services.AddHostedService<FenceStart>();
        return services.AddSingleton(provider =>
        {
            var proofs = options.RequireProof ? VerifierOf(provider) : null;
            var time = provider.GetService<TimeProvider>() ?? TimeProvider.System;
            return new FencingFilter(
                NpgsqlDataSource.Create(own), options.Hold, time, proofs, provider.GetRequiredService<ILogger<FencingFilter>>());
        });
    }

    /// <summary>Says whose proofs the fence takes: those of one lease service, by the keys that it publishes.</summary>
    /// <remarks>A <see cref="LeaseProofVerifier"/> of the application's own among the services does the same.</remarks>
    /// <param name="services">The services of the host.</param>
    /// <param name="server">The address of a server of the lease service, from where the keys come. Whoever answers there decides.</param>
    /// <param name="options">What proofs are taken; the defaults where left out.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="server"/> is null.</exception>
    public static IServiceCollection AddLeaseProofs(this IServiceCollection services, Uri server, LeaseProofOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(server);
        return services.AddSingleton(_ => new LeaseProofVerifier(
            new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) }),
            server,
            options));
    }

    /// <summary>Admits only requests with a current token to an endpoint, or to a group of endpoints.</summary>
    /// <param name="endpoint">The endpoints.</param>
    /// <param name="resource">
    /// The resource, with values of the route in it, as they stand in the request: <c>orders/{id}</c>. Where an endpoint takes
    /// several spellings for one thing, such as <c>42</c> and <c>042</c>, each is a resource of its own here: give the other overload
    /// one spelling.
    /// </param>
    /// <returns>
    /// The same endpoints. The first request fails where the host has no <see cref="AddLeaseFence"/>, a route does not have the
    /// values, or one is a Razor page or a fallback: those take <see cref="UseLeaseFence"/>.
    /// </returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="resource"/> is empty, or its braces do not match.</exception>
    public static TBuilder RequireLease<TBuilder>(this TBuilder endpoint, string resource)
        where TBuilder : IEndpointConventionBuilder
    {
        var template = new ResourceTemplate(resource);
        return endpoint.RequireLease(context => template.Of(context.Request.RouteValues), template.Check);
    }

    /// <summary>Admits only requests with a current token to an endpoint, or to a group of endpoints.</summary>
    /// <param name="endpoint">The endpoints.</param>
    /// <param name="resource">The resource of a request, as it is leased.</param>
    /// <returns>
    /// The same endpoints. The first request fails where the host has no <see cref="AddLeaseFence"/>, or one is a Razor page or a
    /// fallback.
    /// </returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static TBuilder RequireLease<TBuilder>(this TBuilder endpoint, Func<HttpContext, string> resource)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(resource);
        return endpoint.RequireLease(resource, static _ => { });
    }

    /// <summary>Admits only requests with a current token, or that need none, to the rest of the pipeline.</summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="resource">The resource of a request, as it is leased; null where it needs none.</param>
    /// <returns>The same pipeline.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The host has no <see cref="AddLeaseFence"/>.</exception>
    public static IApplicationBuilder UseLeaseFence(this IApplicationBuilder app, Func<HttpContext, string?> resource)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(resource);
        var filter = FilterOf(app.ApplicationServices);
        return app.Use(next => context => resource(context) is { } name ? filter.PassAsync(context, name, next) : next(context));
    }

    // Around the endpoint itself, not by a middleware that looks for metadata: where that middleware is missing every request is admitted.
    // Decision requirelease-wraps-the-endpoint.
    private static TBuilder RequireLease<TBuilder>(this TBuilder endpoint, Func<HttpContext, string> resource, Action<RoutePattern> check)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.Add(builder =>
        {
            if (IsReplaced(builder))
                throw new InvalidOperationException(
                    $"{builder.DisplayName} is a page, or a fallback to one or to a controller: another endpoint runs instead, "
                        + $"which would admit every request. Use {nameof(UseLeaseFence)}.");
            var filter = FilterOf(builder.ApplicationServices);
            if (builder is RouteEndpointBuilder { RoutePattern: var pattern }) check(pattern);
            var inside = builder.RequestDelegate ?? throw new InvalidOperationException($"{builder.DisplayName} has nothing to run.");
            builder.RequestDelegate = context => filter.PassAsync(context, resource(context), inside);
        });
        return endpoint;
    }

    // Routing puts a page's own endpoint, or that of the action, in the place of the one that was mapped, and what was wrapped
    // around this does not come along.
    private static bool IsReplaced(EndpointBuilder endpoint) =>
        endpoint.Metadata.Any(
            mark => mark is PageActionDescriptor and not CompiledPageActionDescriptor or IDynamicEndpointMetadata { IsDynamic: true });

    private static LeaseProofVerifier VerifierOf(IServiceProvider services) => services.GetService<LeaseProofVerifier>()
        ?? throw new InvalidOperationException(
            "The fence takes no token without its proof, and the host has nothing that checks proofs. "
                + $"Call {nameof(AddLeaseProofs)} with the address of the lease service; or, where every caller of the endpoints is "
                + $"trusted not to make tokens up, set {nameof(LeaseFenceOptions)}.{nameof(LeaseFenceOptions.RequireProof)} of "
                + $"{nameof(AddLeaseFence)} to false.");

    private static FencingFilter FilterOf(IServiceProvider services) => services.GetService<FencingFilter>()
        ?? throw new InvalidOperationException($"The host has no fence. Call {nameof(AddLeaseFence)} on its services.");
}
